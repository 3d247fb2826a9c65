//! Operations that clients publish before they send them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use pulse_manifests::OperationMode;
use serde::{Deserialize, Serialize};

/// The section `[gateway.persisted_operations]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct PersistedOperationsConfig {
    /// How far requests are held to published operations where their client has no mode of its own, or names itself not at
    /// all.
    pub mode: OperationMode,
    /// What this gateway is part of: clients have a mode for each environment.
    pub environment: Option<String>,
    /// Manifests of clients whose operations everybody may send.
    pub manifests: Vec<ManifestFile>,
}

/// A client's manifest in a file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestFile {
    /// What the client calls itself in `graphql-client-name`.
    pub client: String,
    /// Where its manifest is.
    pub file: PathBuf,
    /// Operations that are tools for models: what each is good for, by its name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tools: BTreeMap<String, String>,
    /// How far it is held to its manifest; as all are, unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<OperationMode>,
}
