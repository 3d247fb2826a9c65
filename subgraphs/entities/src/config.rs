//! The section `[entities]`. `config.default.toml` says the same with the same defaults, for people.

use std::time::Duration;

use pulse_types::Secret;
use serde::Deserialize;

use crate::neo4j::{Neo4j, Neo4jOptions};

/// How addresses of Neo4j begin. What it calls routing is for clusters, which Community has none of.
const SCHEMES: [&str; 3] = ["bolt://", "bolt+s://", "bolt+ssc://"];

/// The section `[entities]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The graph's second engine.
    pub neo4j: Neo4jConfig,
}

/// The section `[entities.neo4j]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Neo4jConfig {
    /// Where it is; empty for none.
    pub uri: String,
    /// Who signs in.
    pub user: String,
    /// By which password.
    pub password: Secret,
    /// How long a walk may take there.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
    /// At most so many connections a process for walks.
    pub max_connections: usize,
}

impl Default for Neo4jConfig {
    fn default() -> Self {
        Self {
            uri: String::new(),
            user: "neo4j".to_owned(),
            password: Secret::new(""),
            timeout: Duration::from_millis(200),
            max_connections: 16,
        }
    }
}

impl Neo4jConfig {
    /// Whether a Neo4j can be made of these settings; else names the setting and the fix.
    pub fn check(&self) -> Result<(), String> {
        let Self { uri, password, timeout, max_connections, user: _ } = self;
        if uri.is_empty() {
            return Ok(());
        }
        if uri.contains('@') {
            // It may be a password, and is not shown.
            let problem = "entities.neo4j.uri (NEO4J_URI) has an @: leave user and password out of it, and set NEO4J_USER and NEO4J_PASSWORD";
            return Err(problem.to_owned());
        }
        if !SCHEMES.iter().any(|scheme| uri.starts_with(scheme)) {
            return Err(format!(
                "entities.neo4j.uri (NEO4J_URI) is {uri:?}: write bolt://HOST:7687, or bolt+s://HOST:7687 for TLS"
            ));
        }
        if password.expose().is_empty() {
            let problem = "entities.neo4j.password is not set: set it as NEO4J_PASSWORD, or name its file as NEO4J_PASSWORD_FILE";
            return Err(problem.to_owned());
        }
        if timeout.is_zero() || *max_connections == 0 {
            let problem = "entities.neo4j.timeout and entities.neo4j.max_connections: more than 0; to use no Neo4j, leave entities.neo4j.uri empty";
            return Err(problem.to_owned());
        }
        Ok(())
    }

    /// The Neo4j that is configured, if one is; it is connected to when it is used.
    pub fn open(&self) -> Result<Option<Neo4j>, String> {
        self.check()?;
        let Self { uri, user, password, timeout, max_connections } = self;
        if uri.is_empty() {
            return Ok(None);
        }
        let options = Neo4jOptions {
            uri: uri.clone(),
            user: user.clone(),
            password: Secret::new(password.expose()),
            timeout: *timeout,
            max_connections: *max_connections,
        };
        let opened = Neo4j::try_new(&options);
        opened.map(Some).map_err(|error| {
            let cause =
                std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
            format!("entities.neo4j.uri (NEO4J_URI) is {uri:?}, which is no address of a Neo4j{cause}")
        })
    }
}
