//! Steps 3 to 5, the same for every transport: an operation of a known caller becomes its answer, or its answers.

use std::sync::Arc;
use std::time::Instant;

use futures::stream::BoxStream;
use http::HeaderMap;
use pulse_types::Caller;

use super::authorize::{self, Asked};
use super::client_head::client_head;
use super::read_request::GraphqlRequest;
use super::refusal::Refusal;
use super::summary::Summary;
use super::{execute, find_document, prepare, variant};
use crate::engine::ExecutionResult;
use crate::gateway::State;

/// Who sends an operation, and what its transport can carry.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) caller: Arc<Caller>,
    /// The head of the request, or of the one that opened the connection.
    pub(crate) headers: Arc<HeaderMap>,
    /// Whether the transport carries more than one answer.
    pub(crate) streams: bool,
    /// When the answer, or a stream's opening, is no longer of use.
    pub(crate) deadline: Instant,
}

/// What an operation is answered with.
pub(crate) enum Answer {
    /// A query's or a mutation's result.
    Once(ExecutionResult),
    /// A subscription's results, one an event.
    Stream(Results),
}

/// Results as they come. An error is the last one, and says why.
pub(crate) type Results = BoxStream<'static, Result<ExecutionResult, Refusal>>;

/// Finds the document, prepares it and runs it.
pub(crate) async fn operate(
    state: &State,
    client: &Client,
    request: GraphqlRequest,
    summary: &mut Summary,
) -> Result<Answer, Refusal> {
    summary.caller(&client.caller);
    let document = find_document::find_document(state, &request, &client.caller).await?;
    // One version of the supergraph for the whole request.
    let served = state.supergraph.served();
    let variant = variant::variant(&state.config.overrides, served.engine.override_labels(), client);
    let operation = prepare::prepare(&served.engine, &request, (&document.text, &variant), client).await?;
    let asked = Asked { request: &request, document: &document.text, variant };
    let operation = authorize::authorize(state, &served.engine, operation, asked, client).await?;
    summary.operation(&operation);
    if let Some(hash) = document.register {
        state.persisted.register(hash, &document.text);
    }
    let mut answer = execute::execute(state, &served.engine, &operation, request, client).await?;
    if let Answer::Once(result) = &mut answer {
        summary.executed(result);
        result.headers = client_head(state, client, &operation, result);
    }
    Ok(answer)
}
