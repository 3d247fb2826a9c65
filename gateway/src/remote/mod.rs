//! Subgraphs over HTTP.

mod caller_token;
mod client;
mod endpoints;
mod response;

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Method, Request, Uri};
use http_body_util::{Either, Full, StreamBody};
use hyper::body::Frame;
use pulse_types::{Caller, Clock, RequestId};
use tokio::time::timeout_at;

use crate::config::RemoteConfig;
use crate::http::request_id::REQUEST_ID;
use crate::ports::{Subgraph, SubgraphFault, SubgraphRequest, SubgraphResponse};
use crate::uploads::forward;
use crate::value::{Value, write_string};

pub use caller_token::{CALLER_HEADER, CallerSigner};
pub use client::RemoteClient;
pub use endpoints::{EndpointsError, subgraph_endpoints};

use caller_token::CallerTokens;
use client::Outgoing;

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

/// An address that cannot be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the address {url:?} of the subgraph `{name}` is not one; write it like http://localhost:4001/graphql"
)]
pub struct InvalidEndpoint {
    /// The subgraph.
    pub name: String,
    /// What was given.
    pub url: String,
}

/// A subgraph over HTTP.
pub struct RemoteSubgraph {
    name: String,
    uri: Uri,
    client: RemoteClient,
    tokens: Option<CallerTokens>,
    config: RemoteConfig,
    clock: Clock,
}

impl RemoteSubgraph {
    /// A subgraph at an address, reached through `client`, which all subgraphs may share.
    pub fn try_new(
        endpoint: RemoteEndpoint,
        client: RemoteClient,
        clock: Clock,
    ) -> Result<Self, InvalidEndpoint> {
        let RemoteEndpoint { name, url, signer } = endpoint;
        let uri = url.parse::<Uri>().ok().filter(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https"))
                && uri.host().is_some_and(|host| !host.is_empty())
        });
        let Some(uri) = uri else { return Err(InvalidEndpoint { name, url }) };
        let tokens = signer.map(|signer| CallerTokens::new(name.clone(), signer));
        let config = client.config().clone();
        Ok(Self { name, uri, client, tokens, config, clock })
    }

    fn headers(&self, caller: &Arc<Caller>) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(4);
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
        body: Bytes,
        caller: &Arc<Caller>,
        deadline: Instant,
    ) -> Result<SubgraphResponse, SubgraphFault> {
        let deadline = deadline.min(Instant::now() + self.config.timeout);
        self.call(Either::Left(Full::new(body)), self.headers(caller), deadline).await
    }

    /// Sends a request with files, which takes as long as the client takes to send them.
    async fn post_files(&self, request: &SubgraphRequest) -> Result<SubgraphResponse, SubgraphFault> {
        let (content_type, parts) = forward(&body(request), &request.files);
        let mut headers = self.headers(&request.caller);
        headers.insert(CONTENT_TYPE, content_type);
        headers.insert("apollo-require-preflight", HeaderValue::from_static("true"));
        let body = StreamBody::new(parts.map_ok(Frame::data).boxed());
        let answer = self.call(Either::Right(body), headers, request.deadline).await;
        // What is wrong with a file shows here as a connection that broke.
        answer.map_err(|fault| {
            let failure = request.files.iter().find_map(|file| file.upload.failure());
            failure.map_or(fault, SubgraphFault::Upload)
        })
    }

    async fn call(
        &self,
        body: Outgoing,
        headers: HeaderMap,
        deadline: Instant,
    ) -> Result<SubgraphResponse, SubgraphFault> {
        let started = Instant::now();
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = headers;
        let call = async {
            let response = self.client.send(request).await?;
            response::read(response, &self.config).await
        };
        match timeout_at(deadline.into(), call).await {
            Ok(outcome) => outcome,
            Err(_) => Err(SubgraphFault::TimedOut(deadline.saturating_duration_since(started))),
        }
    }
}

#[async_trait]
impl Subgraph for RemoteSubgraph {
    fn name(&self) -> &str {
        &self.name
    }

    async fn sdl(&self) -> Result<String, SubgraphFault> {
        let caller = Arc::new(Caller::anonymous(RequestId::new(self.clock.now())));
        let body = Bytes::from_static(br#"{"query":"{ _service { sdl } }"}"#);
        let response = self.post(body, &caller, Instant::now() + self.config.timeout).await?;
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
        if !request.files.is_empty() {
            return self.post_files(&request).await;
        }
        self.post(body(&request), &request.caller, request.deadline).await
    }

    async fn subscribe(
        &self,
        _: SubgraphRequest,
    ) -> Result<BoxStream<'static, Result<SubgraphResponse, SubgraphFault>>, SubgraphFault> {
        Err(SubgraphFault::Malformed(
            "it is reached over plain HTTP, which carries no subscriptions".to_owned(),
        ))
    }
}

fn body(request: &SubgraphRequest) -> Bytes {
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
    out.extend_from_slice(b"}");
    out.freeze()
}
