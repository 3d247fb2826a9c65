//! Deserialization that knows where in the settings it is, and reads text of the environment as the type asked for.

use std::collections::btree_map;
use std::str::FromStr;

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{
    DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;

use crate::error::Fault;
use crate::layers::{self, Kind, Node};

pub(crate) struct NodeDeserializer<'a> {
    node: &'a Node,
    path: Vec<String>,
}

impl<'a> NodeDeserializer<'a> {
    pub(crate) fn root(node: &'a Node) -> Self {
        Self { node, path: Vec::new() }
    }

    /// Lets `read` read, and adds this place to its error.
    fn here<T>(self, read: impl FnOnce(Self) -> Result<T, Fault>) -> Result<T, Fault> {
        let (path, origin) = (self.path.clone(), self.node.origin.clone());
        read(self).map_err(|fault| fault.at(&path, &origin))
    }

    /// Reads text of the environment as a `T`; anything else as what it is.
    fn scalar<'de, T: FromStr, V: Visitor<'de>>(
        self,
        visitor: V,
        expected: &str,
        visit: impl FnOnce(V, T) -> Result<V::Value, Fault>,
    ) -> Result<V::Value, Fault> {
        self.here(|this| match &this.node.kind {
            Kind::Untyped(text) => match text.trim().parse() {
                Ok(value) => visit(visitor, value),
                Err(_) => Err(Fault::invalid_value(Unexpected::Str(text), &expected)),
            },
            _ => this.any(visitor),
        })
    }

    fn any<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.node.kind {
            Kind::Table(table) => {
                visitor.visit_map(Entries { iter: table.iter(), value: None, path: self.path })
            }
            Kind::List(list) => visitor.visit_seq(Items { iter: list.iter().enumerate(), path: self.path }),
            Kind::Bool(value) => visitor.visit_bool(*value),
            Kind::Integer(value) => visitor.visit_i64(*value),
            Kind::Float(value) => visitor.visit_f64(*value),
            Kind::String(value) => visitor.visit_str(value),
            Kind::Untyped(text) => {
                if let Ok(value) = text.parse::<bool>() {
                    visitor.visit_bool(value)
                } else if let Ok(value) = text.parse::<i64>() {
                    visitor.visit_i64(value)
                } else if let Ok(value) = text.parse::<f64>() {
                    visitor.visit_f64(value)
                } else {
                    visitor.visit_str(text)
                }
            }
        }
    }

    /// Text of the environment that is a list or a section: as TOML where it looks like that, else split at commas.
    fn expand(&self, commas: bool) -> Result<Option<Node>, Fault> {
        let Kind::Untyped(text) = &self.node.kind else { return Ok(None) };
        let origin = &self.node.origin;
        if text.trim_start().starts_with(['[', '{']) {
            let mut table: toml::Table = format!("value = {text}").parse().map_err(|_| {
                Fault::new("is not a TOML list such as [\"a\", \"b\"] or table such as {a = \"b\"}")
            })?;
            return Ok(table.remove("value").map(|value| layers::node(value, origin)));
        }
        if !commas {
            return Ok(None);
        }
        let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        let items = items.map(|item| Node { kind: Kind::Untyped(item.to_owned()), origin: origin.clone() });
        Ok(Some(Node { kind: Kind::List(items.collect()), origin: origin.clone() }))
    }

    fn expanded<'de, V: Visitor<'de>>(self, visitor: V, commas: bool) -> Result<V::Value, Fault> {
        self.here(|this| match this.expand(commas)? {
            Some(node) => NodeDeserializer { node: &node, path: this.path }.any(visitor),
            None => match &this.node.kind {
                Kind::Untyped(text) => Err(Fault::invalid_type(Unexpected::Str(text), &visitor)),
                _ => this.any(visitor),
            },
        })
    }
}

macro_rules! scalars {
    ($($method:ident $visit:ident $type:ty,)+) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            self.scalar(visitor, stringify!($type), |visitor, value: $type| visitor.$visit(value))
        }
    )+};
}

impl<'de> Deserializer<'de> for NodeDeserializer<'_> {
    type Error = Fault;

    scalars! {
        deserialize_i8 visit_i8 i8,
        deserialize_i16 visit_i16 i16,
        deserialize_i32 visit_i32 i32,
        deserialize_i64 visit_i64 i64,
        deserialize_u8 visit_u8 u8,
        deserialize_u16 visit_u16 u16,
        deserialize_u32 visit_u32 u32,
        deserialize_u64 visit_u64 u64,
        deserialize_f32 visit_f32 f32,
        deserialize_f64 visit_f64 f64,
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.scalar(visitor, "a boolean", V::visit_bool)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.here(|this| this.any(visitor))
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.here(|this| match &this.node.kind {
            Kind::Untyped(text) => visitor.visit_str(text),
            _ => this.any(visitor),
        })
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.here(|this| match &this.node.kind {
            Kind::Untyped(text) if text.is_empty() => visitor.visit_none(),
            _ => visitor.visit_some(this),
        })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.here(|this| visitor.visit_newtype_struct(this))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.expanded(visitor, true)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.expanded(visitor, false)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.expanded(visitor, false)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.here(|this| match &this.node.kind {
            Kind::String(text) | Kind::Untyped(text) => visitor.visit_enum(text.as_str().into_deserializer()),
            Kind::Table(table) => visitor.visit_enum(MapAccessDeserializer::new(Entries {
                iter: table.iter(),
                value: None,
                path: this.path,
            })),
            _ => this.any(visitor),
        })
    }

    forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }
}

struct Entries<'a> {
    iter: btree_map::Iter<'a, String, Node>,
    value: Option<(&'a String, &'a Node)>,
    path: Vec<String>,
}

impl Entries<'_> {
    fn path_of(&self, key: &str) -> Vec<String> {
        let mut path = self.path.clone();
        path.push(key.to_owned());
        path
    }
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        let Some((key, node)) = self.iter.next() else { return Ok(None) };
        self.value = Some((key, node));
        let name: StrDeserializer<'_, Fault> = key.as_str().into_deserializer();
        seed.deserialize(name).map(Some).map_err(|fault| fault.at(&self.path_of(key), &node.origin))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let (key, node) = self.value.take().expect("a value is asked for after its key");
        let path = self.path_of(key);
        // A type that refuses a value after reading it (a duration out of text) does so outside of the deserializer.
        seed.deserialize(NodeDeserializer { node, path: path.clone() })
            .map_err(|fault| fault.at(&path, &node.origin))
    }
}

struct Items<'a> {
    iter: std::iter::Enumerate<std::slice::Iter<'a, Node>>,
    path: Vec<String>,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        let Some((index, node)) = self.iter.next() else { return Ok(None) };
        let mut path = self.path.clone();
        path.push(index.to_string());
        seed.deserialize(NodeDeserializer { node, path: path.clone() })
            .map(Some)
            .map_err(|fault| fault.at(&path, &node.origin))
    }
}
