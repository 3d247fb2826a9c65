//! Another face of the API over HTTP, such as REST. It makes one GraphQL operation of a request, which then runs as any other
//! does: the same caller, limits, costs, plans, kept answers and lines in the log.

use std::sync::Arc;

use async_trait::async_trait;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use futures::StreamExt;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use pulse_manifests::{ClientOperations, PublishedOperation, PublishedOperations};
use pulse_types::{Caller, RequestId};
use serde_json::value::RawValue;
use tracing::{Instrument as _, Span};

use crate::auth::Known;
use crate::config::TellCost;
use crate::engine::{ExecutionResult, RequestError};
use crate::gateway::State;
use crate::http::PeerAddress;
use crate::http::drain::Drain;
use crate::http::negotiate::StreamType;
use crate::pipeline::{
    Answer, Arrival, Client, GraphqlRequest, Refusal, Results, Summary, Transport, authenticate, operate,
    published, read_json,
};
use crate::streams::{self, Ending};
use crate::trace;
use crate::value::{Object, Text, Value};

/// How every answer without errors begins.
const DATA: &str = "{\"data\":";

/// Answers requests beside `/graphql`, by operations.
#[async_trait]
pub trait Surface: Send + Sync + 'static {
    /// Whether it answers requests for this path.
    fn serves(&self, path: &str) -> bool;

    /// Answers a request.
    async fn answer(&self, api: Api, request: Request) -> Response;
}

/// The API as a surface sees it: what can be asked now, and how.
#[derive(Clone)]
pub struct Api {
    state: Arc<State>,
}

/// An operation that a surface makes of a request.
#[derive(Debug, Clone)]
pub struct SurfaceOperation {
    /// The document. Equal texts are planned once.
    pub document: Text,
    /// Its variables, an object.
    pub variables: Value,
}

/// What an operation came to.
#[derive(Debug, Clone, Default)]
pub struct Answered {
    /// The JSON text of `data`; `None` where that is null or absent.
    pub data: Option<Bytes>,
    /// The errors, as GraphQL writes them.
    pub errors: Vec<serde_json::Value>,
    /// Whether the request itself was at fault, and nothing ran.
    pub request_error: bool,
    /// What the response's head is to say.
    pub headers: HeaderMap,
}

/// What following a subscription came to.
pub enum Followed {
    /// Its events.
    Events(Response),
    /// It could not begin, for what this says.
    Ended(Answered),
}

/// What somebody may send of what clients published.
#[derive(Debug, Clone)]
pub struct PublishedFor {
    /// What all clients published.
    pub operations: Arc<PublishedOperations>,
    /// The only client of which the caller may send any.
    pub only: Option<String>,
    /// Who asks.
    pub caller: Arc<Caller>,
}

impl PublishedFor {
    /// The clients of which the caller may send operations.
    pub fn clients(&self) -> Vec<&ClientOperations> {
        let is_free =
            |client: &&ClientOperations| self.only.as_deref().is_none_or(|only| only == client.name());
        self.operations.clients().into_iter().filter(is_free).collect()
    }

    /// The newest operation of this name of a client.
    pub fn find(&self, client: &str, name: &str) -> Option<Arc<PublishedOperation>> {
        let is_free = self.only.as_deref().is_none_or(|only| only == client);
        self.operations.client(client).filter(|_| is_free)?.by_name(name).map(Arc::clone)
    }
}

/// A request that is refused before it is executed.
#[derive(Debug)]
pub struct Refused {
    /// The status that says so.
    pub status: StatusCode,
    /// Why.
    pub errors: Vec<RequestError>,
    /// What the head says beside.
    pub header: Option<(HeaderName, HeaderValue)>,
}

/// A request under way. It is told of when it is dropped, however it ends.
pub struct Call {
    state: Arc<State>,
    id: RequestId,
    arrival: Arrival,
    summary: Summary,
    span: Span,
}

impl Api {
    pub(crate) const fn new(state: Arc<State>) -> Self {
        Self { state }
    }

    /// The version of the supergraph that is served now.
    pub fn version(&self) -> String {
        self.state.supergraph.served().version.clone()
    }

    /// The supergraph that is served now.
    pub fn supergraph(&self) -> crate::ports::SupergraphSdl {
        self.state.supergraph.served().supergraph()
    }

    /// How many operations one request may bring, and how many of them run at once.
    pub fn batches(&self) -> (usize, usize) {
        let config = &self.state.config.batching;
        (config.max_operations, config.concurrency.max(1))
    }

    /// Whether somebody may look at the schema.
    pub fn may_introspect(&self, caller: &Caller) -> bool {
        self.state.config.introspection.allows(caller)
    }

    /// Begins to answer a request.
    pub fn begin(&self, request: &Request) -> Call {
        let id = request.extensions().get::<RequestId>().copied();
        let id = id.unwrap_or_else(|| RequestId::new(self.state.clock.now()));
        Call {
            state: Arc::clone(&self.state),
            id,
            arrival: Arrival::now(&self.state.config),
            summary: Summary::begin(id),
            span: trace::request(request),
        }
    }
}

impl Call {
    /// The request's id.
    pub const fn request(&self) -> RequestId {
        self.id
    }

    /// The body, which must be JSON, within the limits of size and time.
    pub async fn json(&self, parts: &mut Parts, body: Body) -> Result<Bytes, Refused> {
        let reading = read_json(parts, body, self.arrival);
        reading.instrument(self.span.clone()).await.map_err(|refusal| self.refused(refusal))
    }

    /// Runs a query or a mutation as whoever sends the request.
    pub async fn execute(&mut self, parts: &Parts, operation: SurfaceOperation) -> Result<Answered, Refused> {
        let span = self.span.clone();
        let outcome = self.once(parts, operation).instrument(span).await;
        outcome.map_err(|refusal| self.noted(refusal))
    }

    /// Follows a subscription, as a response of server-sent events. `shape` makes the data of an event of the operation's
    /// answer.
    pub async fn follow(
        &mut self,
        parts: &Parts,
        operation: SurfaceOperation,
        shape: impl Fn(&Answered) -> Bytes + Send + 'static,
    ) -> Result<Followed, Refused> {
        let span = self.span.clone();
        let outcome = self.stream(parts, operation, shape).instrument(span).await;
        outcome.map_err(|refusal| self.noted(refusal))
    }

    /// What the caller may send of what clients published.
    pub async fn published(&self, parts: &Parts) -> Result<PublishedFor, Refused> {
        let looked = async {
            let (_, client) = self.client(parts, Transport::Once).await?;
            let operations = published(&self.state, &client).await?;
            let only = client.terms.as_deref().and_then(|terms| terms.client.clone());
            Ok(PublishedFor { operations, only, caller: client.caller })
        };
        looked.instrument(self.span.clone()).await.map_err(|refusal| self.refused(refusal))
    }

    /// Ends it with a response, whose head is completed.
    pub fn end(mut self, response: &mut Response) {
        response.headers_mut().extend(self.summary.told());
        trace::answered(&self.span, response.status());
        self.summary.end(response.status());
    }

    async fn once(&mut self, parts: &Parts, operation: SurfaceOperation) -> Result<Answered, Refusal> {
        let (_, client) = self.client(parts, Transport::Once).await?;
        let request = graphql(parts, operation);
        match Box::pin(operate(&self.state, &client, request, &mut self.summary)).await? {
            Answer::Once(result) => {
                let is_bare = self.state.config.cost.extensions != TellCost::Always;
                Ok(Answered::of(result, is_bare))
            }
            Answer::Stream(_) => Err(Refusal::needs_stream()),
        }
    }

    async fn stream(
        &mut self,
        parts: &Parts,
        operation: SurfaceOperation,
        shape: impl Fn(&Answered) -> Bytes + Send + 'static,
    ) -> Result<Followed, Refusal> {
        let (known, client) = self.client(parts, Transport::EventStream).await?;
        let request = graphql(parts, operation);
        let results = match Box::pin(operate(&self.state, &client, request, &mut self.summary)).await? {
            Answer::Stream(results) => results,
            Answer::Once(result) => return Ok(Followed::Ended(Answered::of(result, false))),
        };
        let shaped = move |result: ExecutionResult| {
            let body = shape(&Answered::of(result.clone(), false));
            ExecutionResult { body, ..result }
        };
        let results: Results = results.map(move |result| result.map(&shaped)).boxed();
        let drain = parts.extensions.get::<Drain>().cloned().unwrap_or_default();
        let watch = self.state.callers.watch(&known);
        let ending = Ending::of_credential(known.expires_at, watch, drain, &self.state.clock);
        let response =
            streams::response::respond(&self.state, (StreamType::EventStream, true), ending, results);
        Ok(Followed::Events(response))
    }

    async fn client(&self, parts: &Parts, transport: Transport) -> Result<(Known, Client), Refusal> {
        let address = PeerAddress::of(parts);
        let deadline = self.arrival.deadline;
        let authenticating = authenticate(&self.state, (&parts.headers, address), self.id, deadline);
        let known = authenticating.instrument(trace::step!("authenticate")).await?;
        let headers = if transport.streams() { streams::kept(&parts.headers) } else { parts.headers.clone() };
        let client = Client {
            caller: Arc::clone(&known.caller),
            terms: known.terms.clone(),
            headers: Arc::new(headers),
            address,
            transport,
            deadline,
        };
        Ok((known, client))
    }

    fn noted(&mut self, refusal: Refusal) -> Refused {
        self.summary.refused(&refusal);
        self.refused(refusal)
    }

    fn refused(&self, mut refusal: Refusal) -> Refused {
        refusal.name_request(self.id);
        let Refusal { status, errors, header, .. } = refusal;
        Refused { status, errors, header }
    }
}

/// The request that a client would have sent.
fn graphql(parts: &Parts, operation: SurfaceOperation) -> GraphqlRequest {
    let SurfaceOperation { document, variables } = operation;
    GraphqlRequest {
        is_safe: matches!(parts.method, Method::GET | Method::HEAD),
        query: Some(document),
        document_id: None,
        operation_name: None,
        variables: Some(variables),
        extensions: Object::new(),
        is_made_here: true,
        uploads: None,
    }
}

/// A response with all its parts.
#[derive(Default, serde::Deserialize)]
struct Whole<'a> {
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(default)]
    errors: Vec<serde_json::Value>,
}

impl Answered {
    /// Takes a response apart, without reading what of it is data where nothing else can be there.
    fn of(result: ExecutionResult, is_bare: bool) -> Self {
        let ExecutionResult { body, errors, request_error, headers, .. } = result;
        if errors == 0 && is_bare {
            let data = body.slice(DATA.len()..body.len() - 1);
            return Self { data: Some(data), errors: Vec::new(), request_error, headers };
        }
        let Whole { data, errors } = serde_json::from_slice(&body).unwrap_or_default();
        let data = data.map(|data| body.slice_ref(data.get().as_bytes()));
        Self { data, errors, request_error, headers }
    }
}
