//! What is measured: a row of the table for each case and gateway.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use pulse_bench_harness::load::{Body, Call, Verb};
use pulse_bench_subgraphs::{DEEP, SMALL};
use serde_json::json;

/// One measurement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) query: Query,
    pub(crate) connections: usize,
    /// Whether equal subgraph requests under way may be sent once.
    pub(crate) dedup: bool,
    /// Whether Pulse has the subgraphs in its own process. Then the CPU time of peers includes that of the subgraphs.
    pub(crate) in_process: bool,
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Query {
    Deep,
    Small,
    /// The deep one under another alias in every request.
    New,
}

/// All of them.
pub(crate) const CASES: [Case; 8] = [
    case("deep", Query::Deep, (50, true, false)),
    case("deep, no de-duplication", Query::Deep, (50, false, false)),
    case("deep, a new text each", Query::New, (50, true, false)),
    case("small", Query::Small, (50, true, false)),
    case("small, no de-duplication", Query::Small, (50, false, false)),
    case("deep", Query::Deep, (500, true, false)),
    case("small", Query::Small, (500, true, false)),
    case("deep, subgraphs included", Query::Deep, (50, false, true)),
];

const fn case(
    name: &'static str,
    query: Query,
    (connections, dedup, in_process): (usize, bool, bool),
) -> Case {
    Case { name, query, connections, dedup, in_process }
}

impl Case {
    /// The request to a gateway.
    pub(crate) fn call(&self, address: SocketAddr) -> Call {
        let same = |query: &str| Body::Same(json!({ "query": query }).to_string().into());
        let body = match self.query {
            Query::Deep => same(DEEP),
            Query::Small => same(SMALL),
            Query::New => {
                let query = DEEP.replace("topProducts", "top{n}: topProducts");
                Body::Numbered(json!({ "query": query }).to_string().into(), Arc::new(AtomicU64::new(1)))
            }
        };
        Call { address, path: "/graphql", authorization: None, body, verb: Verb::Post }
    }
}
