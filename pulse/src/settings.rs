//! Every setting of the program.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytesize::ByteSize;
use pulse_config::ConfigError;
use pulse_gateway::GatewayConfig;
use pulse_jobs::JobsConfig;
use pulse_telemetry::TelemetryConfig;
use pulse_types::Secret;
use serde::Deserialize;

use crate::exit::Failure;

/// The commented defaults: the sections of this binary, then those of the parts.
pub const DEFAULTS: &str = concat!(
    include_str!("../config.default.toml"),
    "\n",
    include_str!("../../subgraphs/accounts/config.default.toml"),
    "\n",
    include_str!("../../subgraphs/entities/config.default.toml"),
    "\n",
    include_str!("../../subgraphs/operations/config.default.toml"),
    "\n",
    include_str!("../../gateway/config.default.toml")
);

/// All settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The database.
    pub database: DatabaseSettings,
    /// Keys and secrets.
    #[serde(default)]
    pub secrets: SecretSettings,
    /// Logs.
    pub telemetry: TelemetryConfig,
    /// Work in the background.
    pub jobs: JobsConfig,
    /// Answers that are kept.
    pub cache: CacheSettings,
    /// Files that are kept for a while.
    #[serde(default)]
    pub files: FileSettings,
    /// What is stored about persons.
    pub privacy: PrivacySettings,
    /// The REST face of the API.
    pub rest: RestSettings,
    /// Tools for models.
    pub mcp: McpSettings,
    /// People and how they sign in.
    pub accounts: pulse_accounts::Config,
    /// The graph's second engine.
    pub entities: pulse_entities::Config,
    /// Webhooks.
    pub operations: pulse_operations::Config,
    /// The gateway.
    pub gateway: GatewayConfig,
}

/// The section `[database]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseSettings {
    /// The server; empty for the private one of `pulse dev`.
    pub url: Secret,
    /// The same server without a pooler between, for listening, locks and migrations; empty for the same as `url`.
    pub direct_url: Secret,
    /// A read replica; empty for none.
    pub replica_url: Secret,
    /// At most this many connections a process.
    pub max_connections: u32,
    /// How long a request waits for a free connection.
    pub acquire_timeout_ms: u64,
    /// How long a statement of a request may run.
    pub statement_timeout_ms: u64,
}

/// The section `[cache]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CacheSettings {
    /// Whether answers are kept at all.
    pub enabled: bool,
    /// How much memory they may take in a process.
    pub memory: ByteSize,
    /// How long one is kept at most.
    #[serde(with = "humantime_serde")]
    pub ttl: Duration,
    /// How many that are often asked for are read again at once when they have changed.
    pub warmers: usize,
    /// Whether processes share them through Redis, where one is configured.
    pub shared: bool,
}

impl CacheSettings {
    fn check(&self) -> Result<(), String> {
        if self.ttl.is_zero() || self.memory.as_u64() == 0 {
            return Err(
                "cache.ttl and cache.memory: more than 0; to keep nothing, set cache.enabled to false"
                    .to_owned(),
            );
        }
        Ok(())
    }
}

/// The section `[files]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileSettings {
    /// Where they are; empty for nowhere.
    pub folder: PathBuf,
}

/// The section `[rest]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RestSettings {
    /// Whether it is served.
    pub enabled: bool,
    /// The file that says where routes are not as the rules would have it; empty for Pulse's own, or for none in front of
    /// other subgraphs.
    pub mapping: PathBuf,
}

/// The section `[mcp]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct McpSettings {
    /// Whether it is served.
    pub enabled: bool,
    /// Under which address clients know the gateway; empty for the one that they send requests to.
    pub url: String,
}

/// The section `[privacy]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrivacySettings {
    /// How the audit keeps the addresses that requests come from.
    pub audit_addresses: AuditAddresses,
    /// How long the file of an export is kept.
    #[serde(with = "humantime_serde")]
    pub export_lifetime: Duration,
    /// How long after its end the range of an audit export is written.
    #[serde(with = "humantime_serde")]
    pub audit_export_delay: Duration,
    /// How long what is personal is kept otherwise.
    pub retention: pulse_privacy::Retention,
}

/// How the audit keeps addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuditAddresses {
    /// As they are.
    Plain,
    /// As digests with a key that the database does not have.
    Hashed,
    /// Not at all.
    Omitted,
}

/// The section `[secrets]`: no defaults, and better in the environment or in files than in the settings file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SecretSettings {
    /// The seed of the key that signs access tokens: 32 bytes in base64.
    pub signing_key: Option<Secret>,
    /// The key that secrets in the database are sealed with: 32 bytes in base64.
    pub encryption_key: Option<Secret>,
    /// Keys of before, which open what they have sealed and seal nothing.
    pub old_encryption_keys: Vec<Secret>,
    /// For each subgraph in another process, what it shares with its gateways: 16 characters or more.
    pub subgraphs: BTreeMap<String, Secret>,
}

/// Variables with names of their own, and the settings that they set.
const WELL_KNOWN: [(&str, &str); 10] = [
    ("DATABASE_URL", "PULSE__DATABASE__URL"),
    ("DATABASE_DIRECT_URL", "PULSE__DATABASE__DIRECT_URL"),
    ("DATABASE_REPLICA_URL", "PULSE__DATABASE__REPLICA_URL"),
    ("REDIS_URL", "PULSE__GATEWAY__REDIS__URL"),
    ("NEO4J_URI", "PULSE__ENTITIES__NEO4J__URI"),
    ("NEO4J_USER", "PULSE__ENTITIES__NEO4J__USER"),
    ("NEO4J_PASSWORD", "PULSE__ENTITIES__NEO4J__PASSWORD"),
    ("PULSE_SIGNING_KEY", "PULSE__SECRETS__SIGNING_KEY"),
    ("PULSE_ENCRYPTION_KEY", "PULSE__SECRETS__ENCRYPTION_KEY"),
    ("PULSE_OLD_ENCRYPTION_KEYS", "PULSE__SECRETS__OLD_ENCRYPTION_KEYS"),
];

/// The same for variables that end in a subgraph's name.
const WELL_KNOWN_PREFIXES: [(&str, &str); 2] = [
    ("PULSE_SUBGRAPH_SECRET_", "PULSE__SECRETS__SUBGRAPHS__"),
    ("PULSE_SUBGRAPH_URL_", "PULSE__GATEWAY__SUBGRAPH_URLS__"),
];

const SHORTEST_SECRET: usize = 16;

impl Settings {
    /// Reads defaults, `file` and the environment, and checks what types cannot.
    pub fn load(file: Option<&Path>) -> anyhow::Result<Self> {
        Self::from_env(
            file,
            std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))),
        )
    }

    /// The same with an environment given.
    pub fn from_env(
        file: Option<&Path>,
        env: impl Iterator<Item = (String, String)>,
    ) -> anyhow::Result<Self> {
        let env = env.map(by_setting).collect::<Result<Vec<_>, Failure>>()?;
        let settings: Self =
            pulse_config::load(DEFAULTS, file, env.into_iter()).map_err(|error: ConfigError| error)?;
        settings.jobs.check().map_err(Failure::Setting)?;
        settings.cache.check().map_err(Failure::Setting)?;
        settings.entities.neo4j.check().map_err(Failure::Setting)?;
        for (name, secret) in &settings.secrets.subgraphs {
            if secret.expose().len() < SHORTEST_SECRET {
                let problem = format!(
                    "secrets.subgraphs.{name} is shorter than {SHORTEST_SECRET} characters; make one with `openssl rand -hex 32`"
                );
                return Err(Failure::Setting(problem).into());
            }
        }
        Ok(settings)
    }
}

/// Gives a well-known variable the name of its setting, and reads the file that a `…_FILE` variable names.
fn by_setting((name, value): (String, String)) -> Result<(String, String), Failure> {
    if let Some(setting) = setting_of(&name) {
        return Ok((setting, value));
    }
    match name.strip_suffix("_FILE").and_then(setting_of) {
        Some(setting) => {
            let content = std::fs::read_to_string(&value).map_err(|error| {
                Failure::Setting(format!("{name} names the file {value}, which cannot be read: {error}"))
            })?;
            Ok((setting, content.trim_end().to_owned()))
        }
        None => Ok((name, value)),
    }
}

fn setting_of(name: &str) -> Option<String> {
    let known = WELL_KNOWN.iter().find(|(known, _)| *known == name).map(|(_, setting)| (*setting).to_owned());
    known.or_else(|| {
        WELL_KNOWN_PREFIXES.iter().find_map(|(prefix, setting)| {
            name.strip_prefix(prefix)
                .filter(|rest| !rest.ends_with("_FILE"))
                .map(|rest| format!("{setting}{rest}"))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(env: &[(&str, &str)]) -> anyhow::Result<Settings> {
        Settings::from_env(None, env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn the_commented_defaults_load() {
        let settings = load(&[]).unwrap();
        assert_eq!(settings.database.url.expose(), "");
        assert_eq!(settings.gateway, GatewayConfig::default());
        assert_eq!(settings.jobs, JobsConfig::default());
        assert_eq!(settings.privacy.retention, pulse_privacy::Retention::default());
        assert_eq!((settings.cache.enabled, settings.cache.memory), (true, ByteSize::mib(64)));
    }

    #[test]
    fn well_known_variables_set_their_settings() {
        let settings = load(&[
            ("DATABASE_URL", "postgresql://db/pulse"),
            ("PULSE_SUBGRAPH_SECRET_ENTITIES", "sixteen characters"),
            ("PULSE_SUBGRAPH_URL_ENTITIES", "http://entities:4001/graphql"),
        ])
        .unwrap();
        assert_eq!(settings.database.url.expose(), "postgresql://db/pulse");
        assert_eq!(settings.secrets.subgraphs["entities"].expose(), "sixteen characters");
        assert_eq!(settings.gateway.subgraph_urls["entities"], "http://entities:4001/graphql");
    }

    #[test]
    fn a_secret_comes_from_a_file_without_its_line_end() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "from the file\n").unwrap();
        let settings = load(&[("PULSE_SIGNING_KEY_FILE", file.path().to_str().unwrap())]).unwrap();
        assert_eq!(settings.secrets.signing_key.unwrap().expose(), "from the file");
    }

    #[test]
    fn a_wrong_setting_names_itself_and_the_fix() {
        let missing = load(&[("PULSE_SIGNING_KEY_FILE", "/nowhere/key")]).unwrap_err().to_string();
        assert!(missing.starts_with("PULSE_SIGNING_KEY_FILE names the file /nowhere/key"), "{missing}");
        let short = load(&[("PULSE_SUBGRAPH_SECRET_ENTITIES", "short")]).unwrap_err().to_string();
        assert!(short.starts_with("secrets.subgraphs.entities is shorter than 16"), "{short}");
        let unknown = load(&[("PULSE__DATABASE__MAX_CONECTIONS", "5")]).unwrap_err().to_string();
        assert!(unknown.contains("PULSE__DATABASE__MAX_CONECTIONS"), "{unknown}");
        let nothing = load(&[("PULSE__JOBS__CONCURRENCY", "0")]).unwrap_err().to_string();
        assert!(nothing.starts_with("jobs.concurrency: at least 1"), "{nothing}");
        let routed = load(&[("NEO4J_URI", "neo4j://graph:7687")]).unwrap_err().to_string();
        assert!(routed.starts_with("entities.neo4j.uri (NEO4J_URI) is \"neo4j://graph:7687\""), "{routed}");
        let shown = load(&[("NEO4J_URI", "bolt://neo4j:hidden@graph")]).unwrap_err().to_string();
        assert!(shown.starts_with("entities.neo4j.uri (NEO4J_URI) has an @"), "{shown}");
        assert!(!shown.contains("hidden"), "{shown}");
        let closed = load(&[("NEO4J_URI", "bolt://graph:7687")]).unwrap_err().to_string();
        assert!(
            closed.starts_with("entities.neo4j.password is not set: set it as NEO4J_PASSWORD"),
            "{closed}"
        );
        let never = load(&[("PULSE__CACHE__TTL", "0s")]).unwrap_err().to_string();
        assert!(never.starts_with("cache.ttl and cache.memory: more than 0"), "{never}");
    }
}
