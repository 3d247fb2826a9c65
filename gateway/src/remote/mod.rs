//! Subgraphs over HTTP.

mod beside;
mod breaker;
mod caller_token;
mod client;
mod encoding;
mod endpoints;
pub(crate) mod headers;
mod invalid;
mod response;
mod retries;
mod sharing;
mod streams;
mod upstream;

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use http::Uri;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use http_body_util::StreamBody;
use hyper::body::Frame;
use pulse_types::{Caller, Clock, RequestId};
use tokio::time::timeout_at;

use crate::config::{RemoteConfig, StreamProtocol, UpstreamConfig};
use crate::engine::OperationKind;
use crate::http::request_id::REQUEST_ID;
use crate::ports::{Subgraph, SubgraphFault, SubgraphRequest, SubgraphResponse};
use crate::trace;
use crate::uploads::forward;
use crate::value::{Value, write_string};

pub use beside::SubgraphProcess;
pub use caller_token::{CALLER_EXTENSION, CALLER_HEADER, CallerSigner};
pub use endpoints::{EndpointsError, subgraph_endpoints};
pub use headers::InvalidHeaderRule;
pub use invalid::InvalidEndpoint;

use caller_token::CallerTokens;
use encoding::Encoding;
use headers::RequestHeaders;
use sharing::Calls;
use streams::StreamEndpoint;
use upstream::{Call, Payload, Upstream};

/// Where a subgraph is and who vouches for callers there.
#[derive(Clone)]
pub struct RemoteEndpoint {
    /// The name that the supergraph knows it by.
    pub name: String,
    /// Its GraphQL endpoint.
    pub url: String,
    /// Signs callers for this subgraph; without one, no caller is sent.
    pub signer: Option<Arc<dyn CallerSigner>>,
}

/// A subgraph over HTTP.
pub struct RemoteSubgraph {
    remote: Arc<Remote>,
    /// Calls that equal queries may share.
    calls: Arc<Calls>,
    streams: StreamEndpoint,
    /// What it needs to be the same place for a stream.
    address: String,
    clock: Clock,
}

/// What a call needs, also one that goes on without the request that began it.
struct Remote {
    uri: Uri,
    upstream: Upstream,
    rules: RequestHeaders,
    tokens: Option<CallerTokens>,
}

/// An address that can be asked over HTTP.
fn address(url: &str) -> Option<Uri> {
    url.parse::<Uri>().ok().filter(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty())
    })
}

impl RemoteSubgraph {
    /// A subgraph at an address, without connections yet.
    pub fn try_new(
        endpoint: RemoteEndpoint,
        config: RemoteConfig,
        clock: Clock,
    ) -> Result<Self, InvalidEndpoint> {
        let RemoteEndpoint { name, url, signer } = endpoint;
        let Some(uri) = address(&url) else { return Err(InvalidEndpoint::Address { name, url }) };
        if let Some(unknown) =
            config.accept_encodings.iter().find(|encoding| Encoding::named(encoding).is_none())
        {
            return Err(InvalidEndpoint::Encoding { encoding: unknown.clone(), name });
        }
        let rules = RequestHeaders::try_new(&name, &config.headers.request)
            .map_err(|cause| InvalidEndpoint::Headers { name: name.clone(), cause })?;
        let streams = StreamEndpoint::try_new((&name, &uri), &config, &UpstreamConfig::default())?;
        let address = streams.address();
        let upstream = Upstream::try_new(&name, uri.clone(), config, clock.clone())
            .map_err(|cause| InvalidEndpoint::Tls { name: name.clone(), cause })?;
        let tokens = signer.map(|signer| CallerTokens::new(name, signer));
        let remote = Arc::new(Remote { uri, upstream, rules, tokens });
        Ok(Self { remote, calls: Arc::default(), streams, address, clock })
    }

    /// The same with its streams as the configuration has them.
    pub fn with_streams(mut self, config: &UpstreamConfig) -> Result<Self, InvalidEndpoint> {
        let Remote { uri, upstream, .. } = &*self.remote;
        self.streams = StreamEndpoint::try_new((&upstream.name, uri), &upstream.config, config)?;
        self.address = self.streams.address();
        Ok(self)
    }
}

impl Remote {
    /// What the rules make of the client's headers.
    fn ruled(&self, client: &HeaderMap, caller: &Arc<Caller>) -> HeaderMap {
        if self.rules.is_empty() { HeaderMap::new() } else { self.rules.of(client, caller) }
    }

    /// The head of a request: what the rules made of the client's own, and what is the gateway's.
    fn head(&self, ruled: HeaderMap, caller: &Arc<Caller>) -> HeaderMap {
        let mut headers = ruled;
        headers.reserve(4);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let accept = "application/graphql-response+json, application/json;q=0.9";
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        if let Ok(id) = HeaderValue::try_from(caller.request.to_string()) {
            headers.insert(REQUEST_ID, id);
        }
        if let Some(token) = self.tokens.as_ref().and_then(|tokens| tokens.of(caller)) {
            headers.insert(CALLER_HEADER, token);
        }
        headers
    }

    async fn post(
        &self,
        request: &SubgraphRequest,
        ruled: HeaderMap,
        deadline: Instant,
    ) -> Result<SubgraphResponse, SubgraphFault> {
        let head = || {
            let mut headers = self.head(ruled.clone(), &request.caller);
            trace::propagate(&request.headers, &mut headers);
            headers
        };
        let call = Call {
            head: &head,
            payload: Payload::Whole(body(request)),
            is_repeatable: request.kind == OperationKind::Query,
        };
        self.upstream.call(call, deadline).await
    }

    /// Sends a request with files, which takes as long as the client takes to send them.
    async fn post_files(&self, request: &SubgraphRequest) -> Result<SubgraphResponse, SubgraphFault> {
        let (content_type, parts) = forward(&body(request), &request.files);
        let head = || {
            let ruled = self.ruled(&request.headers, &request.caller);
            let mut headers = self.head(ruled, &request.caller);
            trace::propagate(&request.headers, &mut headers);
            headers.insert(CONTENT_TYPE, content_type.clone());
            headers.insert("apollo-require-preflight", HeaderValue::from_static("true"));
            headers
        };
        let payload = Payload::once(StreamBody::new(parts.map_ok(Frame::data).boxed()));
        let call = Call { head: &head, payload, is_repeatable: false };
        let answer = self.upstream.call(call, request.deadline).await;
        // What is wrong with a file shows here as a connection that broke.
        answer.map_err(|fault| {
            let failure = request.files.iter().find_map(|file| file.upload.failure());
            failure.map_or(fault, SubgraphFault::Upload)
        })
    }
}

#[async_trait]
impl Subgraph for RemoteSubgraph {
    fn name(&self) -> &str {
        &self.remote.upstream.name
    }

    fn address(&self) -> &str {
        &self.address
    }

    fn deduplicates(&self) -> bool {
        self.remote.upstream.config.deduplicate
    }

    fn forwarded(&self, headers: &HeaderMap, caller: &Arc<Caller>) -> HeaderMap {
        self.remote.ruled(headers, caller)
    }

    async fn sdl(&self) -> Result<String, SubgraphFault> {
        let caller = Arc::new(Caller::anonymous(RequestId::new(self.clock.now())));
        let head = || self.remote.head(HeaderMap::new(), &caller);
        let payload = Payload::Whole(Bytes::from_static(br#"{"query":"{ _service { sdl } }"}"#));
        let call = Call { head: &head, payload, is_repeatable: true };
        let deadline = Instant::now() + self.remote.upstream.config.timeout;
        let response = self.remote.upstream.call(call, deadline).await?;
        let sdl =
            response.data.get("_service").and_then(|service| service.get("sdl")).and_then(Value::as_str);
        match (sdl, response.errors.first()) {
            (Some(sdl), _) => Ok(sdl.to_owned()),
            (None, Some(error)) => {
                Err(SubgraphFault::Malformed(format!("it does not tell its SDL: {}", error.message)))
            }
            (None, None) => Err(SubgraphFault::Malformed("it does not tell its SDL".to_owned())),
        }
    }

    async fn execute(&self, request: SubgraphRequest) -> Result<SubgraphResponse, SubgraphFault> {
        // Whoever asks after a mutation sees what it changed.
        let _change = (request.kind == OperationKind::Mutation).then(|| self.calls.change());
        if !request.files.is_empty() {
            return Box::pin(self.remote.post_files(&request)).await;
        }
        let upstream = &self.remote.upstream;
        let ruled = self.remote.ruled(&request.headers, &request.caller);
        if request.kind != OperationKind::Query || !upstream.config.deduplicate {
            return self.remote.post(&request, ruled, request.deadline).await;
        }
        let (started, deadline) = (Instant::now(), request.deadline);
        let remote = Arc::clone(&self.remote);
        let call = sharing::Call { request, headers: ruled };
        let landing = self.calls.join(call, |call| async move {
            // Others may wait longer than whoever asked first: the subgraph's own time ends the call.
            let no_sooner = Instant::now() + 2 * remote.upstream.config.timeout;
            remote.post(&call.request, call.headers.clone(), no_sooner).await
        });
        match timeout_at(deadline.into(), landing).await {
            Ok(landed) => sharing::answer(&upstream.name, landed),
            Err(_) => Err(SubgraphFault::TimedOut(deadline.saturating_duration_since(started))),
        }
    }

    async fn subscribe(
        &self,
        request: SubgraphRequest,
    ) -> Result<BoxStream<'static, Result<SubgraphResponse, SubgraphFault>>, SubgraphFault> {
        let Remote { upstream, tokens, .. } = &*self.remote;
        let ruled = self.remote.ruled(&request.headers, &request.caller);
        match self.streams.protocol {
            StreamProtocol::Websocket => {
                // One socket carries the streams of many callers, so that each stream says whose it is.
                let token = tokens.as_ref().and_then(|tokens| tokens.of(&request.caller));
                let token = token.as_ref().and_then(|token| token.to_str().ok());
                self.streams.sockets.subscribe(&ruled, body_with(&request, token)).await
            }
            StreamProtocol::Sse => {
                let mut headers = self.remote.head(ruled, &request.caller);
                trace::propagate(&request.headers, &mut headers);
                headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
                let response = upstream.open(&self.streams.uri, headers, body(&request)).await?;
                streams::read(response, &upstream.config).await
            }
        }
    }
}

fn body(request: &SubgraphRequest) -> Bytes {
    body_with(request, None)
}

/// The request as JSON, with the caller's token in its extensions when there is one.
fn body_with(request: &SubgraphRequest, token: Option<&str>) -> Bytes {
    let mut out = BytesMut::with_capacity(request.query.len() + 256);
    out.extend_from_slice(br#"{"query":"#);
    write_string(&request.query, &mut out);
    if let Some(name) = &request.operation_name {
        out.extend_from_slice(br#","operationName":"#);
        write_string(name, &mut out);
    }
    if request.variables.as_object().is_some_and(|variables| !variables.is_empty()) {
        out.extend_from_slice(br#","variables":"#);
        request.variables.write(&mut out);
    }
    let mut separator: &[u8] = br#","extensions":{"#;
    if let Some(token) = token {
        out.extend_from_slice(separator);
        write_string(CALLER_EXTENSION, &mut out);
        out.extend_from_slice(b":");
        write_string(token, &mut out);
        separator = b",";
    }
    if request.wants_tags {
        out.extend_from_slice(separator);
        out.extend_from_slice(br#""pulse":{"tags":true}"#);
    }
    if token.is_some() || request.wants_tags {
        out.extend_from_slice(b"}");
    }
    out.extend_from_slice(b"}");
    out.freeze()
}
