//! Steps 3 to 5, the same for every transport: an operation of a known caller becomes its answer, or its answers.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use futures::stream::BoxStream;
use http::HeaderMap;
use pulse_types::Caller;
use tracing::{Instrument as _, Span};

use super::authorize::{self, Asked};
use super::client_head::client_head;
use super::execute::Paying;
use super::read_request::GraphqlRequest;
use super::refusal::Refusal;
use super::summary::Summary;
use super::{charge, execute, find_document, live, prepare, terms, variant};
use crate::engine::{Engine, ExecutionResult, Operation, OperationKind, Subscription};
use crate::gateway::State;
use crate::http::client_address::shown;
use crate::http::negotiate::StreamType;
use crate::ports::Terms;
use crate::streams::{Beginning, StreamKind};
use crate::trace;
use crate::value::Text;
use crate::{usage, variants};

/// How answers reach a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    /// One answer, in an HTTP response of its own or in a list.
    Once,
    /// `graphql-transport-ws`.
    WebSocket,
    /// Server-sent events, a connection for each operation.
    EventStream,
    /// Server-sent events of many operations over one connection.
    SharedEventStream,
    /// Multipart HTTP.
    Multipart,
}

impl Transport {
    /// Whether it carries more than one answer.
    pub(crate) fn streams(self) -> bool {
        self != Self::Once
    }

    /// Its name, in metrics and for those who look after streams.
    const fn name(self) -> &'static str {
        match self {
            Self::Once => "http",
            Self::WebSocket => "websocket",
            Self::EventStream | Self::SharedEventStream => "sse",
            Self::Multipart => "multipart",
        }
    }
}

impl From<Option<StreamType>> for Transport {
    fn from(stream: Option<StreamType>) -> Self {
        match stream {
            None => Self::Once,
            Some(StreamType::EventStream) => Self::EventStream,
            Some(StreamType::Multipart) => Self::Multipart,
        }
    }
}

/// Who sends an operation, and what its transport can carry.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) caller: Arc<Caller>,
    /// What the credential is for, when that is less than all that the caller may do.
    pub(crate) terms: Option<Arc<Terms>>,
    /// The head of the request, or of the one that opened the connection.
    pub(crate) headers: Arc<HeaderMap>,
    /// Where the client is, when that is known.
    pub(crate) address: Option<IpAddr>,
    pub(crate) transport: Transport,
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

/// What is needed to prepare a subscription, or a live query, again, for another supergraph.
pub(crate) struct Repeatable {
    pub(super) request: GraphqlRequest,
    pub(super) document: Text,
    paying: Paying,
}

/// Finds the document, prepares it, charges for it and runs it.
pub(crate) async fn operate(
    state: &Arc<State>,
    client: &Client,
    request: GraphqlRequest,
    summary: &mut Summary,
) -> Result<Answer, Refusal> {
    let span = trace::operation(&client.headers);
    let answer = steps(state, client, request, (summary, &span)).instrument(span.clone()).await;
    if let Err(refusal) = &answer {
        span.record("otel.error", refusal.errors.first().map(|error| error.code.as_str()));
    }
    answer
}

async fn steps(
    state: &Arc<State>,
    client: &Client,
    request: GraphqlRequest,
    (summary, span): (&mut Summary, &Span),
) -> Result<Answer, Refusal> {
    summary.caller(&client.caller);
    summary.address(client.address.and_then(|address| shown(&state.config.clients, address)));
    summary.traced();
    let supergraph = variants::chosen(state, client).await?;
    let supergraphs = supergraph.changes();
    // One version of the supergraph for the whole request.
    let served = supergraph.served();
    let (operation, was_planned, document) = match ready(state, &served.engine, client, &request).await {
        Ok(ready) => ready,
        Err(refusal) => {
            return Err(Box::pin(charge::refused(state, &request, client, refusal, summary)).await);
        }
    };
    variants::check_operation(state, &supergraph, &operation)?;
    trace::prepared(span, &operation, was_planned);
    let text = document.clone();
    let names = state.config.metrics.operations;
    summary.operation(&operation, was_planned, state.operation_names.label(operation.name(), names));
    let noticed = usage::notice(state, &supergraph, (&operation, &text, &request), client);
    let asked = (&*operation, &request);
    let charging = charge::charge(state, &served.engine, asked, client, summary);
    let charge = charging.instrument(trace::step!("charge")).await?;
    let paying = Paying { told: charge.told(), toll: charge.toll() };
    let executing = async {
        let is_live = operation.is_live();
        if operation.kind() != OperationKind::Subscription && !is_live {
            let asked = (request, paying.told);
            return execute::execute(state, &served, &operation, asked, client).await;
        }
        if is_live {
            let has_files = request.uploads.is_some();
            let request = GraphqlRequest { uploads: None, ..request };
            let repeatable = (Repeatable { request, document, paying }, supergraphs);
            let following = live::follow(state, client, (&served, &operation), repeatable, has_files);
            return Box::pin(following).await;
        }
        let planned = Arc::clone(&operation);
        let subscription = execute::subscription(state, &served.engine, planned, (&request, &paying), client);
        let request = GraphqlRequest { uploads: None, ..request };
        let request = Repeatable { request, document, paying };
        Box::pin(execute::subscribe(state, client, subscription, (request, supergraphs))).await
    };
    match executing.instrument(trace::step!("execute")).await? {
        Answer::Once(mut result) => {
            charge.settle(state, &result, summary).await;
            summary.executed(&result);
            usage::answered(noticed, result.errors > 0);
            result.headers = client_head(state, client, &operation, &result);
            Ok(Answer::Once(result))
        }
        Answer::Stream(results) => {
            usage::answered(noticed, false);
            Ok(entered(state, client, (&operation, &text), charge.events(results)))
        }
    }
}

/// A stream, of which those know who look after streams.
fn entered(
    state: &State,
    client: &Client,
    (operation, document): (&Operation, &Text),
    results: Results,
) -> Answer {
    let kind = if operation.is_live() { StreamKind::LiveQuery } else { StreamKind::Subscription };
    let beginning = Beginning {
        caller: &client.caller,
        kind,
        transport: client.transport.name(),
        operation: operation.name(),
        document,
    };
    Answer::Stream(state.streams.directory.enter(&beginning, results))
}

/// The operation, found, planned, and left with what its caller may have; whether it was planned before; and its text.
async fn ready(
    state: &State,
    engine: &Engine,
    client: &Client,
    request: &GraphqlRequest,
) -> Result<(Arc<Operation>, bool, Text), Refusal> {
    let finding = find_document::find_document(state, request, client);
    let document = finding.instrument(trace::step!("find_document")).await?;
    let (operation, was_planned) = planned(state, engine, client, (request, &document.text)).await?;
    terms::check_operation(client.terms.as_deref(), operation.name(), &document.text)?;
    if let Some(hash) = document.register {
        state.persisted.register(hash, &document.text);
    }
    Ok((operation, was_planned, document.text))
}

pub(super) async fn planned(
    state: &State,
    engine: &Engine,
    client: &Client,
    (request, document): (&GraphqlRequest, &str),
) -> Result<(Arc<Operation>, bool), Refusal> {
    let variant = variant::variant(&state.config.overrides, engine.override_labels(), client);
    let preparing = prepare::prepare(engine, request, (document, &variant), client);
    let (operation, was_planned) = preparing.instrument(trace::step!("prepare")).await?;
    authorize::check_introspection(&state.config.introspection, &operation, client)?;
    let asked = Asked { request, document, variant };
    Ok((authorize::authorize(state, engine, operation, asked, client).await?, was_planned))
}

/// A subscription once more, over the supergraph that is served now. It passes all that it passed when it began.
pub(crate) async fn resubscribe(
    state: &State,
    client: &Client,
    Repeatable { request, document, paying }: &Repeatable,
) -> Result<Subscription, Refusal> {
    let served = state.supergraph.served();
    let (operation, _) = planned(state, &served.engine, client, (request, document)).await?;
    let subscription = execute::subscription(state, &served.engine, operation, (request, paying), client);
    subscription.map_err(Refusal::errors)
}
