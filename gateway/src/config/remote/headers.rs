//! Which headers go from clients to subgraphs, and which come back.

use serde::{Deserialize, Serialize};

/// The section `[gateway.remote.headers]`. The rules of one subgraph come after those of all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct HeadersConfig {
    /// What goes to subgraphs, rule after rule.
    pub request: Vec<RequestHeaderRule>,
    /// What goes back to the client, rule after rule.
    pub response: Vec<ResponseHeaderRule>,
}

/// A rule for requests to subgraphs. It sets exactly one of `propagate`, `matching`, `insert`, `remove` and
/// `remove_matching`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct RequestHeaderRule {
    /// Sends the client's header of this name on.
    pub propagate: String,
    /// Sends the client's headers on whose whole names match this regular expression; never credentials.
    pub matching: String,
    /// Under which name, with `propagate`.
    pub rename: String,
    /// The value when the client sends none, with `propagate`.
    pub default: String,
    /// Adds a header of this name, with `value` or `from`.
    pub insert: String,
    /// The value, with `insert`.
    pub value: String,
    /// What the value is taken from, with `insert`: `subject`, `tenant`, `session`, `request_id`, `subgraph` or
    /// `claim:NAME` for a claim of the caller's token.
    pub from: String,
    /// Takes back a header that earlier rules added.
    pub remove: String,
    /// Takes back the headers that earlier rules added and whose whole names match this regular expression.
    pub remove_matching: String,
}

/// A rule for answers of subgraphs. It sets exactly one of `propagate`, `matching`, `insert`, `remove` and
/// `remove_matching`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ResponseHeaderRule {
    /// Sends the subgraph's header of this name back to the client.
    pub propagate: String,
    /// Sends back the subgraph's headers whose whole names match this regular expression; never cookies.
    pub matching: String,
    /// Under which name, with `propagate`.
    pub rename: String,
    /// The value when the subgraph sends none, with `propagate`.
    pub default: String,
    /// Adds a header of this name, with `value`.
    pub insert: String,
    /// The value, with `insert`.
    pub value: String,
    /// Which value counts when several subgraphs send the header.
    pub strategy: Strategy,
    /// Takes back a header that earlier rules added for this subgraph.
    pub remove: String,
    /// The same for all whose whole names match this regular expression.
    pub remove_matching: String,
}

/// Which value counts when several answers have a header, in the order in which the answers came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Strategy {
    /// The first.
    First,
    /// The last.
    #[default]
    Last,
    /// All of them.
    Append,
}
