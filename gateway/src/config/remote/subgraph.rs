//! What differs for one subgraph: any setting of `[gateway.remote]` may be given again for it.

use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

use super::RemoteConfig;

/// The section `[gateway.subgraphs.NAME]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SubgraphConfig {
    /// Its address, over the one that the supergraph names; empty for that one.
    pub url: String,
    /// The settings that are given, by name. They are known to be settings of [`RemoteConfig`].
    settings: Map<String, Value>,
}

impl SubgraphConfig {
    /// A subgraph at an address, with the settings of all.
    pub fn at(url: impl Into<String>) -> Self {
        Self { url: url.into(), settings: Map::new() }
    }

    /// The settings for this subgraph: those of all, with its own over them. Its header rules come after those of all.
    pub(crate) fn over(&self, all: &RemoteConfig) -> RemoteConfig {
        if self.settings.is_empty() {
            return all.clone();
        }
        let base = serde_json::to_value(all).expect("settings are text, numbers and lists");
        let merged = merged(base, &self.settings);
        serde_json::from_value(merged).expect("each setting was checked when it was read")
    }
}

fn merged(mut base: Value, over: &Map<String, Value>) -> Value {
    for (name, value) in over {
        let place = &mut base[name];
        match (place, value) {
            (place @ Value::Object(_), Value::Object(section)) => *place = merged(place.take(), section),
            // Only header rules are objects in lists.
            (Value::Array(rules), Value::Array(more)) if more.iter().all(Value::is_object) => {
                rules.extend(more.iter().cloned());
            }
            (place, value) => *place = value.clone(),
        }
    }
    base
}

impl<'de> Deserialize<'de> for SubgraphConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut settings = Map::<String, Value>::deserialize(deserializer)?;
        let url = match settings.remove("url") {
            None => String::new(),
            Some(Value::String(url)) => url,
            Some(_) => return Err(D::Error::custom("`url` must be text")),
        };
        RemoteConfig::deserialize(Value::Object(settings.clone())).map_err(D::Error::custom)?;
        Ok(Self { url, settings })
    }
}

impl Serialize for SubgraphConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut all = self.settings.clone();
        all.insert("url".to_owned(), Value::String(self.url.clone()));
        all.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn read(text: &str) -> Result<SubgraphConfig, toml::de::Error> {
        toml::from_str(text)
    }

    #[test]
    fn what_a_subgraph_does_not_set_is_as_for_all() {
        let all: RemoteConfig =
            toml::from_str("timeout = \"3s\"\nhttp2 = true\n[retries]\nattempts = 7\nbudget_size = 3\n")
                .unwrap();
        let own =
            read("url = \"http://a\"\ntimeout = \"1s\"\nresponse_limit = \"1MB\"\n[retries]\nattempts = 1\n");
        let mut expected = RemoteConfig { timeout: Duration::from_secs(1), ..all.clone() };
        expected.response_limit = bytesize::ByteSize::mb(1);
        expected.retries.attempts = 1;
        assert_eq!(own.unwrap().over(&all), expected);
        assert_eq!(SubgraphConfig::default().over(&all), all);
    }

    #[test]
    fn header_rules_of_a_subgraph_come_after_those_of_all() {
        let all: RemoteConfig = toml::from_str("headers.request = [{ propagate = \"x-a\" }]").unwrap();
        let own = read("headers.request = [{ remove = \"x-a\" }]").unwrap().over(&all);
        assert_eq!(own.headers.request.len(), 2);
        assert_eq!(own.headers.request[1].remove, "x-a");
    }

    #[test]
    fn lists_of_values_are_replaced() {
        let own = read("[retries]\nstatuses = [503]").unwrap().over(&RemoteConfig::default());
        assert_eq!(own.retries.statuses, [503]);
    }

    #[test]
    fn an_unknown_setting_is_refused() {
        let error = read("timeuot = \"1s\"").unwrap_err().to_string();
        assert!(error.contains("unknown field `timeuot`"), "{error}");
        let error = read("[retries]\nattempt = 1").unwrap_err().to_string();
        assert!(error.contains("unknown field `attempt`"), "{error}");
    }
}
