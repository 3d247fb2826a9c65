//! What clients are told of subgraphs' errors.

use std::collections::{BTreeMap, BTreeSet};

use pulse_types::RequestId;

use super::FieldError;
use crate::value::Object;

/// Which texts of subgraphs' errors clients see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Masking {
    /// Whether texts are hidden.
    pub on: bool,
    /// The same for some subgraphs, by name.
    pub subgraphs: BTreeMap<String, bool>,
    /// What is said instead.
    pub message: String,
    /// The codes whose texts are shown all the same.
    pub shown_codes: BTreeSet<String>,
    /// The entries of `extensions` that are shown beside the code.
    pub shown_extensions: BTreeSet<String>,
}

impl Default for Masking {
    fn default() -> Self {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Self {
            on: false,
            subgraphs: BTreeMap::new(),
            message: "internal server error".to_owned(),
            shown_codes: texts(&[
                "UNAUTHENTICATED",
                "FORBIDDEN",
                "NOT_FOUND",
                "BAD_USER_INPUT",
                "CONFLICT",
                "RATE_LIMITED",
                "COST_EXCEEDED",
            ]),
            shown_extensions: texts(&["reason"]),
        }
    }
}

impl Masking {
    /// The error as clients may see it. What is hidden goes to the log, where the request's id leads to it.
    pub(super) fn apply(&self, mut error: FieldError, subgraph: &str, request: RequestId) -> FieldError {
        if !self.subgraphs.get(subgraph).copied().unwrap_or(self.on) {
            return error;
        }
        let code = error.extensions.get("code").and_then(|code| code.as_str()).unwrap_or_default();
        let is_shown = self.shown_codes.contains(code);
        if !is_shown {
            tracing::warn!(request_id = %request, subgraph, code, message = error.message, "a subgraph's error was masked");
            error.message.clone_from(&self.message);
        }
        let kept = |name: &str| name == "code" || self.shown_extensions.contains(name);
        let shown = error.extensions.iter().filter(|(name, _)| kept(name));
        error.extensions = shown.map(|(name, value)| (name.clone(), value.clone())).collect::<Object>();
        if is_shown { error } else { error.with("requestId", request.to_string()) }
    }
}
