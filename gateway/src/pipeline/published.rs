//! What of published operations concerns a request: which client sends it, what that client published, and how far it is
//! held to that.

use std::sync::Arc;

use http::HeaderMap;
use metrics::counter;
use pulse_manifests::{ClientOperations, OperationMode, PublishedOperation, PublishedOperations, TextHash};

use super::operate::Client;
use super::refusal::Refusal;
use crate::engine::{ErrorCode, RequestError};
use crate::gateway::State;

/// The headers in which a client says what it is called, and of which version it is.
const CLIENT_NAME: [&str; 2] = ["graphql-client-name", "apollographql-client-name"];

/// What a client calls itself, as far as it says so.
pub(crate) fn client_name(headers: &HeaderMap) -> Option<&str> {
    CLIENT_NAME.iter().find_map(|name| headers.get(*name)?.to_str().ok()).filter(|name| !name.is_empty())
}

/// The published operations as one request sees them.
pub(super) struct Published<'a> {
    all: Arc<PublishedOperations>,
    /// Whether there is anybody who knows operations by id.
    has_store: bool,
    /// The client that the request is from.
    name: Option<&'a str>,
    /// Whether its credential is for that client's operations alone.
    is_bound: bool,
    mode: OperationMode,
}

/// What a client may send of what was published.
pub(crate) async fn published(state: &State, client: &Client) -> Result<Arc<PublishedOperations>, Refusal> {
    Published::of(state, client).await.map(|published| published.all)
}

impl<'a> Published<'a> {
    pub(super) async fn of(state: &State, client: &'a Client) -> Result<Self, Refusal> {
        let bound = client.terms.as_deref().and_then(|terms| terms.client.as_deref());
        let name = bound.or_else(|| client_name(&client.headers));
        let mode = state.config.persisted_operations.mode;
        let all = match &state.operations {
            None => Arc::default(),
            Some(store) => match store.published(&client.caller).await {
                Ok(all) => all,
                // Without knowing what it may send, nothing is known of what it may not.
                Err(error) if bound.is_some() || mode != OperationMode::Log => {
                    tracing::error!(%error, "published operations are not known");
                    let text =
                        "it is not known just now which operations were published; try again in a moment";
                    return Err(Refusal::error(ErrorCode::Unavailable, text));
                }
                Err(error) => {
                    tracing::warn!(%error, "published operations are not known, and not asked for");
                    Arc::default()
                }
            },
        };
        let mode = name.and_then(|name| all.client(name)?.mode()).unwrap_or(mode);
        Ok(Self { all, has_store: state.operations.is_some(), name, is_bound: bound.is_some(), mode })
    }

    /// What the client itself published.
    fn own(&self) -> Option<&ClientOperations> {
        self.all.client(self.name?)
    }

    /// The operation that this id names.
    pub(super) fn by_id(&self, id: &str) -> Result<Arc<PublishedOperation>, Refusal> {
        if !self.has_store {
            let text = "operations are not known by id here; send the text as `query`";
            return Err(Refusal::malformed(http::StatusCode::BAD_REQUEST, "BAD_REQUEST", text));
        }
        let found = match self.own() {
            Some(own) => own.by_id(id),
            None if self.is_bound => None,
            None => self.all.by_id(id).map_err(|_| {
                let text = format!(
                    "several clients published an operation with the id {id:?}: say in `{}` which one you are",
                    CLIENT_NAME[0]
                );
                refused(ErrorCode::BadUserInput, "PERSISTED_DOCUMENT_AMBIGUOUS", text)
            })?,
        };
        let Some(found) = found else {
            count("unknown");
            let text = format!("there is no operation with the id {id:?} that you may use");
            return Err(refused(ErrorCode::NotFound, "PERSISTED_DOCUMENT_NOT_FOUND", text));
        };
        count("id");
        Ok(Arc::clone(found))
    }

    /// The operation whose text has this hash, for clients that send hashes as automatic persisted queries do.
    pub(super) fn by_hash(&self, hash: TextHash) -> Option<Arc<PublishedOperation>> {
        let found = match self.own() {
            Some(own) => own.by_hash(hash),
            None if self.is_bound => None,
            None => self.all.by_id(&hash.to_string()).ok()?,
        };
        found.map(Arc::clone)
    }

    /// Refuses a text that the client may not send; one that this process made itself is refused only who is bound to others.
    pub(super) fn admit(&self, text: &str, is_made_here: bool) -> Result<(), Refusal> {
        if self.all.is_empty() && !self.is_bound && self.mode == OperationMode::Log {
            return Ok(());
        }
        let is_known = self.by_hash(TextHash::of(text)).is_some();
        if self.is_bound {
            let client = self.name.unwrap_or_default();
            let text = format!(
                "this credential is for the operations that {client:?} published, and this is none of them"
            );
            return if is_known { Ok(()) } else { Err(forbidden("OPERATION_NOT_ALLOWED", text)) };
        }
        if is_made_here {
            return Ok(());
        }
        match (self.mode, is_known) {
            (OperationMode::Log | OperationMode::Prefer, true) => {
                count("text");
                Ok(())
            }
            (OperationMode::Log, false) => {
                count("unpublished");
                Ok(())
            }
            (OperationMode::Prefer | OperationMode::Only, false) => {
                let text = "this operation is not published, and only published ones are taken here: publish it with \
                            `publishOperations`, or in a manifest of the gateway's settings";
                Err(forbidden("OPERATION_NOT_PUBLISHED", text))
            }
            (OperationMode::Only, true) => {
                let text = "operations are taken by id alone here: send the `documentId` under which this one was published";
                Err(forbidden("DOCUMENT_ID_REQUIRED", text))
            }
        }
    }
}

/// How operations come, where anybody publishes any.
fn count(how: &'static str) {
    counter!("pulse_gateway_persisted_operations_total", "how" => how).increment(1);
}

fn forbidden(reason: &'static str, text: impl Into<String>) -> Refusal {
    count("refused");
    refused(ErrorCode::Forbidden, reason, text)
}

fn refused(code: ErrorCode, reason: &'static str, text: impl Into<String>) -> Refusal {
    Refusal::errors(vec![RequestError::new(code, text).because(reason)])
}
