//! The one value that a subgraph crate hands to the wiring.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_graphql::{ObjectType, Pos, Request, Response, SDLExportOptions, Schema, SubscriptionType, Value};
use async_trait::async_trait;
use futures::stream::BoxStream;
use pulse_events::{Consumer, Tail};
use pulse_jobs::{FixedSchedule, JobHandler};
use pulse_store::{Session, Store, Tags};
use pulse_types::Caller;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::Code;
use crate::stream::{self, Documents};

/// Where a response's `extensions` say what it is made of, when its request asked: texts of [`pulse_types::Tag`]s.
pub const TAGS_EXTENSION: &str = "tags";

/// A subgraph: what it is called, what it answers, and what it does in the background.
#[derive(Clone)]
pub struct Subgraph {
    /// Its name in the supergraph; also that of its schema in the database.
    pub name: &'static str,
    /// Its GraphQL API.
    pub api: Arc<dyn Api>,
    /// Its database.
    pub store: Store,
    /// The end of its database's event log.
    pub tail: Tail,
    /// Routes that GraphQL cannot serve, such as a key set; empty for most.
    pub routes: axum::Router,
    /// Routes for the gateways of this platform alone, which a process that serves the subgraph has below `/internal`. Whoever
    /// asks there has proven to be a gateway; nobody else gets there, and no gateway serves them.
    pub internal: axum::Router,
    /// What its jobs do.
    pub jobs: Vec<Arc<dyn JobHandler>>,
    /// Which of them are enqueued by the clock.
    pub schedules: Vec<FixedSchedule>,
    /// What it does about changes in the event log.
    pub consumers: Vec<Arc<dyn Consumer>>,
    /// What else it does in the background.
    pub services: Vec<Arc<dyn Service>>,
    /// What it does less well without.
    pub helpers: Vec<Arc<dyn Helper>>,
}

/// An outside part without which a subgraph serves all the same, but less well.
#[async_trait]
pub trait Helper: Send + Sync + 'static {
    /// Its name, for operators.
    fn name(&self) -> &'static str;

    /// Whether it answers; else what follows from that, for the operator's eyes. It is told to anybody, so there are no
    /// secrets in it.
    async fn check(&self) -> Result<(), String>;
}

/// Something that works in the background for as long as the process does.
#[async_trait]
pub trait Service: Send + Sync + 'static {
    /// Its name, `subgraph.what`, for logs.
    fn name(&self) -> &'static str;

    /// Works until `stop`, and then ends what it has begun. Other processes may work at the same.
    async fn run(self: Arc<Self>, stop: CancellationToken);
}

/// A GraphQL API, whatever the types of its roots.
#[async_trait]
pub trait Api: Send + Sync + 'static {
    /// The federation SDL.
    fn sdl(&self) -> String;

    /// Runs a query or mutation as `caller`.
    async fn execute(&self, caller: Arc<Caller>, request: Request) -> Response;

    /// Opens a subscription as `caller`. Once this has returned, nothing that is committed is missed.
    async fn subscribe(&self, caller: Arc<Caller>, request: Request) -> BoxStream<'static, Response>;
}

impl Subgraph {
    /// A subgraph without routes, jobs, schedules, consumers and services. `prepare` puts the request's loaders into it;
    /// the session and the tail are there already.
    pub fn new<Q, M, S>(
        name: &'static str,
        schema: Schema<Q, M, S>,
        store: Store,
        tail: Tail,
        prepare: impl Fn(Request, &Session) -> Request + Send + Sync + 'static,
    ) -> Self
    where
        Q: ObjectType + 'static,
        M: ObjectType + 'static,
        S: SubscriptionType + 'static,
    {
        let prepare = Box::new(prepare);
        let parts = Parts { schema, store: store.clone(), tail: tail.clone(), prepare };
        let api = Arc::new(SchemaApi { parts: Arc::new(parts), documents: Documents::default() });
        Self {
            name,
            api,
            store,
            tail,
            routes: axum::Router::new(),
            internal: axum::Router::new(),
            jobs: Vec::new(),
            schedules: Vec::new(),
            consumers: Vec::new(),
            services: Vec::new(),
            helpers: Vec::new(),
        }
    }
}

impl Subgraph {
    /// Of the parts that it does less well without, those that do not answer, and what follows from that.
    pub async fn missing(&self) -> BTreeMap<&'static str, String> {
        let mut missing = BTreeMap::new();
        for helper in &self.helpers {
            if let Err(problem) = helper.check().await {
                missing.insert(helper.name(), problem);
            }
        }
        missing
    }
}

type Prepare = Box<dyn Fn(Request, &Session) -> Request + Send + Sync>;

struct SchemaApi<Q, M, S> {
    parts: Arc<Parts<Q, M, S>>,
    /// Of streams.
    documents: Documents,
}

/// What executes requests.
pub(crate) struct Parts<Q, M, S> {
    pub(crate) schema: Schema<Q, M, S>,
    store: Store,
    tail: Tail,
    prepare: Prepare,
}

impl<Q, M, S> Parts<Q, M, S> {
    pub(crate) fn prepare(&self, session: &Session, request: Request) -> Request {
        let request = (self.prepare)(request, session);
        request.data(session.clone()).data(self.tail.clone())
    }
}

#[async_trait]
impl<Q, M, S> Api for SchemaApi<Q, M, S>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    fn sdl(&self) -> String {
        sdl(&self.parts.schema)
    }

    async fn execute(&self, caller: Arc<Caller>, request: Request) -> Response {
        let id = caller.request;
        let span = tracing::info_span!("subgraph", request = %id);
        let tags = wants_tags(&request).then(Arc::<Tags>::default);
        let session = self.parts.store.session(caller);
        let session = match &tags {
            Some(tags) => session.collecting(Arc::clone(tags)),
            None => session,
        };
        let request = self.parts.prepare(&session, request);
        let mut response = self.parts.schema.execute(request).instrument(span).await;
        write_down_looks(&session, &mut response).await;
        complete_errors(&mut response, id);
        match tags {
            Some(tags) => response.extension(TAGS_EXTENSION, texts(&tags)),
            None => response,
        }
    }

    async fn subscribe(&self, caller: Arc<Caller>, request: Request) -> BoxStream<'static, Response> {
        let session = self.parts.store.session(caller);
        stream::open(&self.parts, session, request, &self.documents).await
    }
}

/// Whether the request asks what its answer is made of, by `extensions: { pulse: { tags: true } }`.
fn wants_tags(request: &Request) -> bool {
    let Some(Value::Object(pulse)) = request.extensions.get("pulse") else { return false };
    pulse.get("tags") == Some(&Value::Boolean(true))
}

fn texts(tags: &Tags) -> Value {
    Value::List(tags.collected().into_iter().map(|tag| Value::String(tag.to_string())).collect())
}

/// The federation SDL of a schema, as it is committed and composed.
pub fn sdl<Q, M, S>(schema: &Schema<Q, M, S>) -> String
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    let options = SDLExportOptions::new().federation().sorted_fields().sorted_arguments().sorted_enum_items();
    let options = options.include_specified_by().use_space_ident().indent_width(2);
    crate::caching::with_holders(&schema.sdl_with_options(options))
}

/// What the caller may see only by a permission is shown once the audit knows of it, and not at all where it cannot.
pub(crate) async fn write_down_looks(session: &Session, response: &mut Response) {
    if let Err(error) = session.write_down_looks().await {
        let error = async_graphql::Error::from(crate::Error::<crate::NoClientError>::Store(error));
        *response = Response::from_errors(vec![error.into_server_error(Pos::default())]);
    }
}

/// An internal error says by which id its cause is found in the log. What resolvers answer has a code; an error without
/// one is async-graphql's own, about a value of the request that it could not read.
pub(crate) fn complete_errors(response: &mut Response, id: pulse_types::RequestId) {
    for error in &mut response.errors {
        let extensions = error.extensions.get_or_insert_default();
        match extensions.get("code") {
            None => extensions.set("code", Code::BadUserInput.as_str()),
            Some(code) if *code == async_graphql::Value::from(Code::Internal.as_str()) => {
                extensions.set("requestId", id.to_string());
            }
            Some(_) => {}
        }
    }
}
