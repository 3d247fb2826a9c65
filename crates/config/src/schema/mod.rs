//! The JSON Schema of settings, learned from the types that read them: a deserializer that watches what it is asked for.

mod assemble;
mod describe;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Expected, IntoDeserializer, MapAccess, SeqAccess,
    Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::Value;

use crate::error::{ConfigError, Origin};
use crate::layers::{self, Kind, Node};

/// The segments of a path that stand for any item of a list and any key of a table.
const ITEM: &str = "[]";
const ENTRY: &str = "*";

/// How often a type may refuse what it is given to try.
const TRIES: usize = 2_000;

/// Texts that types which read text may like, tried one after the other.
const TEXTS: [&str; 14] = [
    "",
    "1s",
    "1MB",
    "http://localhost",
    "example",
    "/",
    "127.0.0.1",
    "127.0.0.0/8",
    "GET",
    "1",
    "true",
    "a.b",
    "a:b",
    "*",
];

/// What settings of the type `T` look like, as a JSON Schema. `defaults` is their commented TOML: the comments become
/// descriptions.
pub fn schema<T: DeserializeOwned>(defaults: &str) -> Result<Value, ConfigError> {
    let root = layers::from_toml(defaults, &Origin::Defaults)?;
    let notes = Notes::default();
    for _ in 0..TRIES {
        let probe = Probe { path: Vec::new(), default: Some(&root), notes: &notes };
        if T::deserialize(probe).is_ok() || !notes.learn() {
            break;
        }
    }
    let found = notes.found.into_inner();
    Ok(assemble::assemble(&found, &root, &describe::comments(defaults)))
}

type Path = Vec<String>;

/// What is known of the settings at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Found {
    Bool,
    Unsigned,
    Signed,
    Number,
    /// Text that the type calls by this name.
    Text(String),
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Whatever the type calls by this name.
    Any(String),
    List,
    Map,
    Section(&'static [&'static str]),
}

#[derive(Default)]
struct Notes {
    found: RefCell<BTreeMap<Path, Found>>,
    /// Where the last try failed.
    failed: RefCell<Option<Path>>,
    /// How many texts a place did not like.
    refused: RefCell<BTreeMap<Path, usize>>,
    /// What nothing is tried for any more.
    left_out: RefCell<BTreeSet<Path>>,
}

impl Notes {
    /// Tries something else where the last try failed, or leaves it out. Whether there is anything to try.
    fn learn(&self) -> bool {
        let Some(path) = self.failed.take() else { return false };
        let mut refused = self.refused.borrow_mut();
        let count = refused.entry(path.clone()).or_default();
        *count += 1;
        *count < TEXTS.len() || self.left_out.borrow_mut().insert(path)
    }

    fn note(&self, path: &Path, found: Found) {
        self.found.borrow_mut().entry(path.clone()).or_insert(found);
    }

    fn fail(&self, path: &Path) {
        self.failed.borrow_mut().get_or_insert_with(|| path.clone());
    }

    fn tries(&self, path: &Path) -> usize {
        self.refused.borrow().get(path).copied().unwrap_or_default()
    }
}

/// An error of a try; what matters is where it happened.
#[derive(Debug)]
struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("refused")
    }
}

impl std::error::Error for Refused {}

impl serde::de::Error for Refused {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

struct Probe<'a> {
    path: Path,
    default: Option<&'a Node>,
    notes: &'a Notes,
}

impl<'a> Probe<'a> {
    fn inner(&self, segment: &str, default: Option<&'a Node>) -> Self {
        let mut path = self.path.clone();
        path.push(segment.to_owned());
        Self { path, default, notes: self.notes }
    }

    /// The default where it is of use, else what has not been refused yet.
    fn text(&self, expected: &str) -> String {
        let tries = self.notes.tries(&self.path);
        if tries == 0
            && let Some(Node { kind: Kind::String(text), .. }) = self.default
        {
            return text.clone();
        }
        let hinted = match expected {
            "a duration" => 1,
            "an integer or string" | "parsable string" => 2,
            _ => 0,
        };
        TEXTS[(hinted + tries) % TEXTS.len()].to_owned()
    }

    /// The default's child, when the default is a table.
    fn child(&self, name: &str) -> Option<&'a Node> {
        match &self.default?.kind {
            Kind::Table(table) => table.get(name),
            _ => None,
        }
    }
}

/// A number where the default is of no use.
const NUMBER: u8 = 1;

macro_rules! numbers {
    ($($method:ident $visit:ident $type:ty, $found:ident;)+) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
            self.notes.note(&self.path, Found::$found);
            let default = match self.default.map(|node| &node.kind) {
                Some(Kind::Integer(number)) => <$type>::from_str(&number.to_string()).ok(),
                Some(Kind::Float(number)) => <$type>::from_str(&number.to_string()).ok(),
                _ => None,
            };
            visitor.$visit(default.unwrap_or(<$type>::from(NUMBER)))
        }
    )+};
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Refused;

    numbers! {
        deserialize_i16 visit_i16 i16, Signed;
        deserialize_i32 visit_i32 i32, Signed;
        deserialize_i64 visit_i64 i64, Signed;
        deserialize_u8 visit_u8 u8, Unsigned;
        deserialize_u16 visit_u16 u16, Unsigned;
        deserialize_u32 visit_u32 u32, Unsigned;
        deserialize_u64 visit_u64 u64, Unsigned;
        deserialize_f32 visit_f32 f32, Number;
        deserialize_f64 visit_f64 f64, Number;
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.notes.note(&self.path, Found::Bool);
        visitor.visit_bool(false)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        let what = expected(&visitor);
        let text = self.text(&what);
        self.notes.note(&self.path, Found::Text(what));
        visitor.visit_str(&text)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.deserialize_str(visitor)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        let what = expected(&visitor);
        let text = self.text(&what);
        self.notes.note(&self.path, Found::Any(what));
        visitor.visit_str(&text)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.notes.note(&self.path, Found::List);
        let item = self.inner(ITEM, None);
        visitor.visit_seq(Once(Some(item)))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.notes.note(&self.path, Found::Map);
        visitor.visit_map(Entries { probe: self, names: [ENTRY].iter(), name: None })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.notes.note(&self.path, Found::Section(fields));
        visitor.visit_map(Entries { probe: self, names: fields.iter(), name: None })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.notes.note(&self.path, Found::OneOf(variants));
        let index = self.notes.tries(&self.path) % variants.len().max(1);
        let variant: StrDeserializer<'_, Refused> =
            variants.get(index).copied().unwrap_or_default().into_deserializer();
        visitor.visit_enum(variant)
    }

    forward_to_deserialize_any! {
        i8 i128 u128 char bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }
}

fn expected(visitor: &dyn Expected) -> String {
    visitor.to_string()
}

/// A list of one item.
struct Once<'a>(Option<Probe<'a>>);

impl<'de> SeqAccess<'de> for Once<'_> {
    type Error = Refused;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Refused> {
        self.0.take().filter(Probe::is_tried).map(|probe| probe.read(seed)).transpose()
    }
}

/// A section's settings, or the one entry of a table.
struct Entries<'a> {
    probe: Probe<'a>,
    names: std::slice::Iter<'static, &'static str>,
    name: Option<&'static str>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Refused;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Refused> {
        self.name = self.names.by_ref().copied().find(|name| self.probe.inner(name, None).is_tried());
        let Some(name) = self.name else { return Ok(None) };
        // Any name is good for a table; a type that reads keys may want one like those of other places.
        let key = if name == ENTRY { "example" } else { name };
        let key: StrDeserializer<'_, Refused> = key.into_deserializer();
        seed.deserialize(key)
            .map(Some)
            .inspect_err(|_| self.probe.notes.fail(&self.probe.inner(name, None).path))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Refused> {
        let name = self.name.take().expect("a value is asked for after its key");
        self.probe.inner(name, self.probe.child(name)).read(seed)
    }
}

impl Probe<'_> {
    fn is_tried(&self) -> bool {
        !self.notes.left_out.borrow().contains(&self.path)
    }

    /// Reads this place, and notes when the type refuses it.
    fn read<'de, T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Refused> {
        let (path, notes) = (self.path.clone(), self.notes);
        seed.deserialize(self).inspect_err(|_| notes.fail(&path))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use bytesize::ByteSize;
    use serde::Deserialize;

    use super::*;

    #[expect(dead_code, reason = "only its shape matters")]
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Settings {
        server: Server,
    }

    #[expect(dead_code, reason = "only its shape matters")]
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Server {
        #[serde(with = "humantime_serde")]
        timeout: Duration,
        limit: ByteSize,
        mode: Mode,
        names: Vec<String>,
        rules: Vec<Rule>,
        by_name: BTreeMap<String, Rule>,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Mode {
        Fast,
        Safe,
    }

    #[expect(dead_code, reason = "only its shape matters")]
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Rule {
        port: Port,
        share: Option<f64>,
    }

    #[derive(Deserialize)]
    #[serde(try_from = "String")]
    struct Port(#[expect(dead_code, reason = "only its shape matters")] u16);

    impl TryFrom<String> for Port {
        type Error = std::num::ParseIntError;

        fn try_from(text: String) -> Result<Self, Self::Error> {
            text.parse().map(Self)
        }
    }

    const DEFAULTS: &str = r#"
# The server.
[server]
# How long it may take,
# at most.
timeout = "30s"
limit = "1MB"
mode = "fast"
names = []
rules = []
[server.by_name]
"#;

    #[test]
    fn a_schema_says_what_the_types_read_and_the_comments_tell() {
        let schema = schema::<Settings>(DEFAULTS).unwrap();
        let server = &schema["properties"]["server"];
        assert_eq!(server["description"], "The server.");
        assert_eq!(server["additionalProperties"], false);
        let text = |name: &str| server["properties"][name].to_string();
        insta::assert_snapshot!(
            ["timeout", "limit", "mode", "names", "rules", "by_name"].map(text).join("\n"),
            @r##"
        {"description":"How long it may take, at most.","type":"string","examples":["500ms","30s","5m","1h 30m"],"default":"30s"}
        {"type":["string","integer"],"examples":["10MB",10000000],"default":"1MB"}
        {"enum":["fast","safe"],"default":"fast"}
        {"type":"array","items":{"type":"string"},"default":[]}
        {"type":"array","items":{"type":"object","properties":{"port":{"type":"string"},"share":{"type":"number"}},"additionalProperties":false},"default":[]}
        {"type":"object","additionalProperties":{"type":"object","properties":{"port":{"type":"string"},"share":{"type":"number"}},"additionalProperties":false},"default":{}}
        "##
        );
    }
}
