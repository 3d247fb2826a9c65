//! Step 3: the document, as text, by the hash of its text, or by its id.

use http::StatusCode;
use pulse_types::Caller;

use super::read_request::GraphqlRequest;
use super::refusal::Refusal;
use crate::engine::{ErrorCode, RequestError};
use crate::gateway::State;
use crate::persisted_queries::{Persisted, QueryHash};
use crate::ports::OperationStore;
use crate::value::Text;

/// A document, and the hash to register it by once it proves good.
pub(super) struct Document {
    pub(super) text: Text,
    pub(super) register: Option<QueryHash>,
}

impl From<Text> for Document {
    fn from(text: Text) -> Self {
        Self { text, register: None }
    }
}

pub(super) async fn find_document(
    state: &State,
    request: &GraphqlRequest,
    caller: &Caller,
) -> Result<Document, Refusal> {
    let persisted = Persisted::of(&request.extensions);
    match (&request.query, &request.document_id, state.operations.as_deref()) {
        (Some(_), Some(_), _) => Err(bad_request("send either `query` or `documentId`, not both")),
        (None, Some(id), Some(operations)) => known(operations, id, caller).await.map(Document::from),
        (None, Some(_), None) => {
            Err(bad_request("operations are not known by id here; send the text as `query`"))
        }
        (query, None, _) => by_hash(state, query.as_ref(), persisted),
    }
}

fn by_hash(state: &State, query: Option<&Text>, persisted: Persisted) -> Result<Document, Refusal> {
    match (query, persisted) {
        (None, Persisted::Unused) => Err(bad_request("the request has no `query`")),
        (Some(query), Persisted::Unused) => Ok(query.clone().into()),
        (Some(query), _) if !state.persisted.enabled() => Ok(query.clone().into()),
        (None, _) if !state.persisted.enabled() => {
            Err(apollo("PersistedQueryNotSupported", "PERSISTED_QUERY_NOT_SUPPORTED"))
        }
        (_, Persisted::Unreadable(why)) => Err(bad_request(why)),
        (None, Persisted::As(hash)) => {
            let not_found = || apollo("PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND");
            state.persisted.find(hash).map(Document::from).ok_or_else(not_found)
        }
        (Some(query), Persisted::As(hash)) if QueryHash::of(query) == hash => {
            Ok(Document { text: query.clone(), register: Some(hash) })
        }
        (Some(_), Persisted::As(_)) => {
            let message = "`extensions.persistedQuery.sha256Hash` is not the SHA-256 of `query`";
            Err(Refusal::malformed(StatusCode::BAD_REQUEST, "PERSISTED_QUERY_HASH_MISMATCH", message))
        }
    }
}

/// An error in the very words by which clients know what to do next. They look at the code, so it is not one of ours.
fn apollo(message: &str, code: &'static str) -> Refusal {
    let mut error = RequestError::new(ErrorCode::BadUserInput, message);
    error.extensions.push(("code", code.into()));
    Refusal::errors(vec![error])
}

fn bad_request(message: &str) -> Refusal {
    Refusal::malformed(StatusCode::BAD_REQUEST, "BAD_REQUEST", message)
}

async fn known(operations: &dyn OperationStore, id: &str, caller: &Caller) -> Result<Text, Refusal> {
    let Some(document) = operations.find(id, caller).await else {
        let message = format!("there is no operation with the id {id:?} that you may use");
        let error = RequestError::new(ErrorCode::NotFound, message).because("PERSISTED_DOCUMENT_NOT_FOUND");
        return Err(Refusal::errors(vec![error]));
    };
    let internal = |_| {
        tracing::error!(id, "the stored operation is not UTF-8");
        Refusal::error(ErrorCode::Internal, "internal server error")
    };
    std::str::from_utf8(&document).map(Text::from).map_err(internal)
}
