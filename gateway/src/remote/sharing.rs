//! Equal queries of equal callers that are under way at the same time share one call to a subgraph.

use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::Arc;

use http::HeaderMap;
use metrics::counter;
use rustc_hash::FxBuildHasher;

use crate::flights::{self, Landed};
use crate::ports::{SubgraphFault, SubgraphRequest, SubgraphResponse};

pub(super) type Outcome = Result<SubgraphResponse, SubgraphFault>;

/// The calls under way to one subgraph.
pub(super) type Calls = flights::Flights<Call, Outcome>;

/// All on which an answer may depend. The address is the same for all calls to a subgraph.
pub(super) struct Call {
    pub(super) request: SubgraphRequest,
    /// What header rules make of the client's headers.
    pub(super) headers: HeaderMap,
}

/// The answer for one of those who waited for it.
pub(super) fn answer(subgraph: &Arc<str>, landed: Option<Landed<Outcome>>) -> Outcome {
    let Some(Landed { outcome, is_shared }) = landed else {
        return Err(SubgraphFault::Malformed("its answer broke the gateway".to_owned()));
    };
    if is_shared {
        counter!("pulse_gateway_shared_calls_total", "subgraph" => Arc::clone(subgraph)).increment(1);
    }
    // The last one takes it; the others have copies.
    Arc::try_unwrap(outcome).unwrap_or_else(|shared| copy(&shared))
}

/// A copy for one of several, which will all work on theirs at the same time.
fn copy(outcome: &Outcome) -> Outcome {
    let SubgraphResponse { data, errors, extensions, headers } =
        outcome.as_ref().map_err(SubgraphFault::clone)?;
    Ok(SubgraphResponse {
        data: data.detached(),
        errors: errors.clone(),
        extensions: extensions.detached(),
        headers: Arc::clone(headers),
    })
}

impl flights::Key for Call {
    fn hash(&self) -> u64 {
        let mut hasher = FxBuildHasher.build_hasher();
        (self.request.query_hash, &self.request.variables).hash(&mut hasher);
        self.request.caller.subject.hash(&mut hasher);
        hasher.finish()
    }

    /// What is not compared says nothing of the answer: when it is no longer of use is each one's own affair, and of the
    /// client's head only what goes to the subgraph counts.
    fn is_like(&self, other: &Self) -> bool {
        let SubgraphRequest {
            query,
            query_hash,
            operation_name,
            variables,
            kind,
            caller,
            wants_tags,
            files,
            headers: _,
            deadline: _,
        } = &self.request;
        // Files are gone when they are sent once.
        (files.is_empty() && other.request.files.is_empty())
            && *query_hash == other.request.query_hash
            && *kind == other.request.kind
            && *wants_tags == other.request.wants_tags
            && *variables == other.request.variables
            && *caller == other.request.caller
            && self.headers == other.headers
            && *operation_name == other.request.operation_name
            && *query == other.request.query
    }
}
