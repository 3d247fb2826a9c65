#![doc = include_str!("../README.md")]

mod de;
mod error;
mod layers;
mod schema;

use std::path::Path;

use serde::de::DeserializeOwned;

pub use error::{ConfigError, Origin};
pub use schema::schema;

/// Reads settings: `defaults` (TOML text that the program carries), then `file`, then the variables of `env` that
/// begin with `PULSE__`.
pub fn load<T: DeserializeOwned>(
    defaults: &str,
    file: Option<&Path>,
    env: impl Iterator<Item = (String, String)>,
) -> Result<T, ConfigError> {
    let mut root = layers::from_toml(defaults, &Origin::Defaults)?;
    if let Some(path) = file {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        root.merge(layers::from_toml(&text, &Origin::File(path.to_owned()))?);
    }
    for variable in layers::from_env(env)? {
        root.merge(variable);
    }
    T::deserialize(de::NodeDeserializer::root(&root)).map_err(ConfigError::from)
}
