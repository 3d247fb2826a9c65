//! Settings by which no subgraph can be reached.

use super::InvalidHeaderRule;
use crate::tls::InvalidTls;

/// Why a subgraph cannot be reached as the configuration says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEndpoint {
    /// Its address cannot be one.
    #[error(
        "the address {url:?} of the subgraph `{name}` is not one; write it like http://localhost:4001/graphql"
    )]
    Address {
        /// The subgraph.
        name: String,
        /// What was given.
        url: String,
    },
    /// A header rule cannot be followed.
    #[error("the subgraph `{name}`: {cause}")]
    Headers {
        /// The subgraph.
        name: String,
        /// What is wrong.
        #[source]
        cause: InvalidHeaderRule,
    },
    /// TLS to it cannot be used.
    #[error("the subgraph `{name}`: {cause}")]
    Tls {
        /// The subgraph.
        name: String,
        /// What is wrong.
        #[source]
        cause: InvalidTls,
    },
    /// An encoding that nobody here can read.
    #[error(
        "the subgraph `{name}` cannot answer in the encoding {encoding:?}; there are gzip, deflate, br and zstd"
    )]
    Encoding {
        /// The subgraph.
        name: String,
        /// What was given.
        encoding: String,
    },
}
