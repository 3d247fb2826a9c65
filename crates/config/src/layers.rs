//! The layers, and how one goes over another. Every value remembers where it came from.

use std::collections::BTreeMap;

use crate::error::{ConfigError, Origin};

const PREFIX: &str = "PULSE__";

#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) origin: Origin,
}

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Table(BTreeMap<String, Node>),
    List(Vec<Node>),
    Bool(bool),
    Integer(i64),
    Float(f64),
    String(String),
    /// Text of the environment: it takes the type that it is asked for.
    Untyped(String),
}

impl Node {
    /// Puts `over` over this: sections are merged, everything else is replaced.
    pub(crate) fn merge(&mut self, over: Self) {
        match (&mut self.kind, over) {
            (Kind::Table(under), Self { kind: Kind::Table(over), .. }) => {
                for (key, node) in over {
                    match under.get_mut(&key) {
                        Some(existing) => existing.merge(node),
                        None => {
                            under.insert(key, node);
                        }
                    }
                }
            }
            (_, over) => *self = over,
        }
    }
}

/// One layer out of TOML text.
pub(crate) fn from_toml(text: &str, origin: &Origin) -> Result<Node, ConfigError> {
    match text.parse::<toml::Table>() {
        Ok(table) => Ok(node(toml::Value::Table(table), origin)),
        Err(error) => Err(ConfigError::Syntax {
            origin: origin.clone(),
            problem: error.to_string().trim_end().to_owned(),
        }),
    }
}

pub(crate) fn node(value: toml::Value, origin: &Origin) -> Node {
    let kind = match value {
        toml::Value::Table(table) => {
            Kind::Table(table.into_iter().map(|(key, value)| (key, node(value, origin))).collect())
        }
        toml::Value::Array(list) => Kind::List(list.into_iter().map(|value| node(value, origin)).collect()),
        toml::Value::Boolean(value) => Kind::Bool(value),
        toml::Value::Integer(value) => Kind::Integer(value),
        toml::Value::Float(value) => Kind::Float(value),
        toml::Value::String(value) => Kind::String(value),
        toml::Value::Datetime(value) => Kind::String(value.to_string()),
    };
    Node { kind, origin: origin.clone() }
}

/// One layer per variable, in the order of their names.
pub(crate) fn from_env(env: impl Iterator<Item = (String, String)>) -> Result<Vec<Node>, ConfigError> {
    let variables: BTreeMap<String, String> = env.filter(|(name, _)| name.starts_with(PREFIX)).collect();
    variables.into_iter().map(|(name, text)| from_variable(name, text)).collect()
}

fn from_variable(name: String, text: String) -> Result<Node, ConfigError> {
    let path = name[PREFIX.len()..].to_lowercase();
    if path.split("__").any(str::is_empty) {
        return Err(ConfigError::Variable { name });
    }
    let origin = Origin::Variable(name);
    let leaf = Node { kind: Kind::Untyped(text), origin: origin.clone() };
    Ok(path.rsplit("__").fold(leaf, |inner, key| Node {
        kind: Kind::Table(BTreeMap::from([(key.to_owned(), inner)])),
        origin: origin.clone(),
    }))
}
