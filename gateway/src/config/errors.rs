//! What clients are told of errors.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::engine::Masking;

/// The section `[gateway.errors]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ErrorsConfig {
    /// Whether the texts of subgraphs' errors are hidden from clients.
    pub mask: bool,
    /// What clients are told instead.
    pub masked_message: String,
    /// Codes whose texts are shown all the same.
    pub shown_codes: BTreeSet<String>,
    /// Entries of `extensions` that masked subgraphs' errors keep beside the code.
    pub shown_extensions: BTreeSet<String>,
    /// Whether texts are hidden, by subgraph.
    pub mask_subgraphs: BTreeMap<String, bool>,
}

impl Default for ErrorsConfig {
    fn default() -> Self {
        let Masking { on, subgraphs, message, shown_codes, shown_extensions } = Masking::default();
        Self { mask: on, masked_message: message, shown_codes, shown_extensions, mask_subgraphs: subgraphs }
    }
}

impl From<&ErrorsConfig> for Masking {
    fn from(config: &ErrorsConfig) -> Self {
        let ErrorsConfig { mask, masked_message, shown_codes, shown_extensions, mask_subgraphs } =
            config.clone();
        Self { on: mask, subgraphs: mask_subgraphs, message: masked_message, shown_codes, shown_extensions }
    }
}
