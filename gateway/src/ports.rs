//! The six ports: all that the gateway knows of the world around it. Each has an in-process, a remote and a
//! file-or-none implementation; the binary chooses.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::BoxStream;
use http::HeaderMap;
use pulse_manifests::PublishedOperations;
use pulse_types::Caller;

use crate::engine::OperationKind;
use crate::uploads::UploadError;
use crate::value::Value;

pub use crate::uploads::{OpenFile, SubgraphFile, Upload};

/// One operation for one subgraph.
#[derive(Debug, Clone)]
pub struct SubgraphRequest {
    /// The operation's text, as the plan holds it.
    pub query: Arc<str>,
    /// Names the text: equal numbers mean equal texts within one supergraph, so that a subgraph may keep it parsed.
    pub query_hash: u64,
    /// The operation's name, when it has one.
    pub operation_name: Option<Arc<str>>,
    /// The variables that this operation uses; `representations` among them for an entity fetch. Always an object.
    pub variables: Value,
    /// What it does. An entity fetch is a query, whatever the client's operation is.
    pub kind: OperationKind,
    /// Who asks.
    pub caller: Arc<Caller>,
    /// The head of the client's own request.
    pub headers: Arc<HeaderMap>,
    /// Whether its answer is to say what it was made of.
    pub wants_tags: bool,
    /// Files that belong in its variables. A call that has some is made once: its files are gone with it.
    pub files: Vec<SubgraphFile>,
    /// When an answer is no longer of use.
    pub deadline: Instant,
}

/// What a subgraph answered. `data` is `Value::Null` when there is none.
#[derive(Debug, Clone, Default)]
pub struct SubgraphResponse {
    /// The response's `data`.
    pub data: Value,
    /// The response's `errors`.
    pub errors: Vec<SubgraphError>,
    /// The response's `extensions`, an object or `Value::Null`. An event of a stream may say in `cursor` where its source
    /// is: a stream whose field takes an argument `after` goes on behind that event. Where the request `wants_tags`, `tags`
    /// lists what the answer was made of, as [`pulse_types::Tag`]s write themselves; clients never see them.
    pub extensions: Value,
    /// The head of its HTTP response; empty for a subgraph in this process.
    pub headers: Arc<HeaderMap>,
}

impl SubgraphResponse {
    /// Where the source of this event is, when it says so.
    pub fn cursor(&self) -> Option<&Value> {
        self.extensions.get("cursor").filter(|cursor| !cursor.is_null())
    }
}

/// An error out of a subgraph's response (GraphQL specification, §7.1.2 Errors).
#[derive(Debug, Clone, Default)]
pub struct SubgraphError {
    /// What went wrong, for the client's eyes.
    pub message: String,
    /// The path in the subgraph's own response, as a list of names and indices; `Value::Null` when it has none.
    pub path: Value,
    /// The error's `extensions`, an object or `Value::Null`.
    pub extensions: Value,
}

/// Why a subgraph gave no GraphQL response at all.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SubgraphFault {
    /// It could not be reached, or the connection broke.
    #[error("could not be reached")]
    Unreachable(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// It did not answer in time.
    #[error("did not answer within {}", humane(*.0))]
    TimedOut(Duration),
    /// It answered with something that is no GraphQL response.
    #[error("answered with no GraphQL response: {0}")]
    Malformed(String),
    /// Its answer was larger than allowed.
    #[error("answered with more than {0} bytes")]
    TooLarge(usize),
    /// It was not asked, because it failed too often lately.
    #[error("failed too often lately and is left alone for a moment")]
    CircuitOpen,
    /// A file of the client's request could not be passed on to it.
    #[error(transparent)]
    Upload(UploadError),
}

fn humane(duration: Duration) -> String {
    format!("{} ms", duration.as_millis())
}

/// A subgraph: in this process, or elsewhere over HTTP.
#[async_trait]
pub trait Subgraph: Send + Sync + 'static {
    /// The name that the supergraph knows it by.
    fn name(&self) -> &str;

    /// Its own SDL, when it tells it (for composition; a remote one tells it by `_service`).
    async fn sdl(&self) -> Result<String, SubgraphFault>;

    /// Where it is, for one that can be elsewhere. A stream goes on as it is over a new supergraph only where the subgraph
    /// stays at the same place.
    fn address(&self) -> &str {
        self.name()
    }

    /// What it gets to see of a client's head. Queries and streams of callers who differ in it are never shared.
    fn forwarded(&self, _headers: &HeaderMap, _caller: &Arc<Caller>) -> HeaderMap {
        HeaderMap::new()
    }

    /// Whether equal queries of equal callers that are under way at the same time may be asked of it once.
    fn deduplicates(&self) -> bool {
        true
    }

    /// Runs a query or a mutation.
    async fn execute(&self, request: SubgraphRequest) -> Result<SubgraphResponse, SubgraphFault>;

    /// Opens a stream of events.
    async fn subscribe(
        &self,
        request: SubgraphRequest,
    ) -> Result<BoxStream<'static, Result<SubgraphResponse, SubgraphFault>>, SubgraphFault>;
}

/// Why somebody could not be authenticated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthenticationError {
    /// The credential is no good; the text says why, and never contains the credential.
    #[error("{0}")]
    Invalid(String),
    /// There is none, and nobody may ask without. The text says what to send.
    #[error("{0}")]
    Missing(String),
    /// Nobody could check it just now.
    #[error("authentication is unavailable: {0}")]
    Unavailable(String),
}

/// Turns a request's credentials into a caller. The gateway remembers verified ones by hash until they expire.
#[async_trait]
pub trait Authenticator: Send + Sync + 'static {
    /// The caller that these headers prove; anonymous when they carry no credential at all.
    async fn authenticate(&self, headers: &http::HeaderMap) -> Result<Authenticated, AuthenticationError>;

    /// The headers that may carry a credential. It is shown no others.
    fn credential_headers(&self) -> Vec<http::HeaderName> {
        vec![http::header::AUTHORIZATION, http::header::COOKIE, http::HeaderName::from_static("x-api-key")]
    }
}

/// A caller and how long that stays true.
#[derive(Debug, Clone)]
pub struct Authenticated {
    /// Who asks.
    pub caller: Arc<Caller>,
    /// When the credential ends; `None` for an anonymous caller, or where its [`Terms`] alone say for how long it may be
    /// remembered.
    pub expires_at: Option<chrono::DateTime<chrono::Utc>>,
    /// What the credential is for, when that is less than all that its caller may do.
    pub terms: Option<Arc<Terms>>,
}

/// What a credential is for, beside what its caller may do: an API key's own limits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terms {
    /// The networks that it may be used from; any, when there are none.
    pub networks: Vec<ipnet::IpNet>,
    /// The operations that it is for, each by its name or by the SHA-256 of its text in lower-case hexadecimal; any, when
    /// there are none.
    pub operations: std::collections::BTreeSet<String>,
    /// The client whose published operations it is for, and no others; any, when there is none.
    pub client: Option<String>,
    /// How many requests it may send a minute.
    pub requests_per_minute: Option<u64>,
    /// What its operations may cost a minute, where the gateway counts costs.
    pub cost_per_minute: Option<u64>,
    /// Until when it may be remembered: the authenticator is asked anew after that, and streams go on.
    pub remember_until: Option<chrono::DateTime<chrono::Utc>>,
}

/// What was revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Revocation {
    /// A session ended.
    Session(pulse_types::SessionId),
    /// A person lost every right.
    User(pulse_types::UserId),
    /// A person lost rights in a tenant, or is no longer in it. Credentials that still claim them are no good.
    Membership {
        /// The person.
        user: pulse_types::UserId,
        /// The tenant.
        org: pulse_types::OrgId,
    },
    /// What a person, or a program that the person answers for, may in a tenant is something else, and nothing less. Credentials have
    /// to be verified anew; streams go on.
    Rights {
        /// The person.
        user: pulse_types::UserId,
        /// The tenant.
        org: pulse_types::OrgId,
    },
    /// An API key or a service account was revoked.
    Machine(pulse_types::MachineId),
    /// What an API key or a service account may do has changed.
    MachineRights(pulse_types::MachineId),
}

/// Tells of credentials that end before their time.
pub trait RevocationFeed: Send + Sync + 'static {
    /// Revocations from now on. Ends when the feed does.
    fn revocations(&self) -> BoxStream<'static, Revocation>;

    /// Whether it knows what was revoked until now, or little earlier. While it does not, no credential is good because it
    /// was good before: the authenticator is asked each time.
    fn is_current(&self) -> bool {
        true
    }
}

/// What is heard of changes.
#[derive(Debug, Clone)]
pub enum Heard {
    /// Something changed.
    Change(Arc<pulse_types::Change>),
    /// Changes were missed: anything may have changed.
    Gap,
}

/// Tells of all that changes in the data that the subgraphs serve, for answers that are kept or repeated.
pub trait ChangeFeed: Send + Sync + 'static {
    /// Changes that are committed after this was called, in their order. Ends when the feed does.
    fn changes(&self) -> BoxStream<'static, Heard>;
}

/// A supergraph's SDL and what names this version of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupergraphSdl {
    /// The SDL.
    pub sdl: String,
    /// Changes when the SDL does.
    pub version: String,
}

/// Where the supergraph comes from: composed in this process, a file, a registry.
#[async_trait]
pub trait SupergraphSource: Send + Sync + 'static {
    /// The supergraph as it is now.
    async fn current(&self) -> Result<SupergraphSdl, SourceError>;

    /// New versions from now on. Never ends by itself for a source that can change; ends at once for one that cannot.
    fn changes(&self) -> BoxStream<'static, SupergraphSdl>;

    /// Told of each version that is served, so that a source may keep the last good one.
    async fn served(&self, _: &SupergraphSdl) {}

    /// Where another supergraph of the same graph comes from, such as that of a pull request. None where there are no others.
    fn variant(&self, _name: &str) -> Option<Arc<dyn SupergraphSource>> {
        None
    }
}

/// Why a source gave nothing.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{what}")]
pub struct SourceError {
    /// What could not be read or composed, and what to do about it.
    pub what: String,
}

/// Operations that clients published before they send them.
#[async_trait]
pub trait OperationStore: Send + Sync + 'static {
    /// What this caller may send of what clients published. Asked with each request, so that it is to be kept in memory.
    async fn published(&self, caller: &Caller) -> Result<Arc<PublishedOperations>, OperationsUnavailable>;

    /// What is published from now on, so that it is planned before anybody sends it. Ends at once where nobody tells.
    fn news(&self) -> BoxStream<'static, Arc<PublishedOperations>> {
        futures::stream::empty().boxed()
    }
}

/// What clients published is not known just now.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct OperationsUnavailable(pub String);
