//! Step 3: the document, as text, by the hash of its text, or by its id.

use std::sync::Arc;

use http::StatusCode;
use pulse_manifests::TextHash;

use super::operate::Client;
use super::published::Published;
use super::read_request::GraphqlRequest;
use super::refusal::Refusal;
use crate::engine::{ErrorCode, RequestError};
use crate::gateway::State;
use crate::persisted_queries::Persisted;
use crate::value::Text;

/// A document, and the hash to register it by once it proves good.
pub(super) struct Document {
    pub(super) text: Text,
    pub(super) register: Option<TextHash>,
}

impl From<Text> for Document {
    fn from(text: Text) -> Self {
        Self { text, register: None }
    }
}

pub(super) async fn find_document(
    state: &State,
    request: &GraphqlRequest,
    client: &Client,
) -> Result<Document, Refusal> {
    let published = Published::of(state, client).await?;
    let persisted = Persisted::of(&request.extensions);
    let by_id = |id: &str| Ok(Text::from(Arc::clone(&published.by_id(id)?.document)).into());
    match (&request.query, &request.document_id, persisted) {
        (Some(_), Some(_), _) => Err(bad_request("send either `query` or `documentId`, not both")),
        (None, Some(id), _) => by_id(id),
        (None, None, Persisted::As(hash)) if let Some(known) = published.by_hash(hash) => {
            Ok(Text::from(Arc::clone(&known.document)).into())
        }
        (query, None, persisted) => {
            let document = by_hash(state, query.as_ref(), persisted)?;
            published.admit(&document.text, request.is_made_here)?;
            Ok(document)
        }
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
        (Some(query), Persisted::As(hash)) if TextHash::of(query) == hash => {
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
