//! A subgraph's process, beside its GraphQL API: for what the gateway's own process has to do with it.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, Uri};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use pulse_types::{Caller, Clock, RequestId};
use tokio::time::timeout;

use super::caller_token::{CALLER_HEADER, CallerTokens};
use super::client::RemoteClient;
use super::{InvalidEndpoint, RemoteEndpoint};
use crate::config::RemoteConfig;
use crate::ports::SubgraphFault;

/// A process that serves a subgraph, asked as the process that the gateway is.
pub struct SubgraphProcess {
    name: String,
    /// Its GraphQL endpoint.
    uri: Uri,
    client: RemoteClient,
    tokens: Option<CallerTokens>,
    config: RemoteConfig,
    clock: Clock,
}

impl SubgraphProcess {
    /// The process behind an endpoint, without connections yet.
    pub fn try_new(
        endpoint: RemoteEndpoint,
        config: RemoteConfig,
        clock: Clock,
    ) -> Result<Self, InvalidEndpoint> {
        let RemoteEndpoint { name, url, signer } = endpoint;
        let Some(uri) = super::address(&url) else { return Err(InvalidEndpoint::Address { name, url }) };
        let client = RemoteClient::try_new(&uri, &config)
            .map_err(|cause| InvalidEndpoint::Tls { name: name.clone(), cause })?;
        let tokens = signer.map(|signer| CallerTokens::new(name.clone(), signer));
        Ok(Self { name, uri, client, tokens, config, clock })
    }

    /// The subgraph's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Gets what is at `path` (with a query) beside `/graphql`. What the body brings, and for how long, is up to the path.
    pub async fn get(&self, path: &str) -> Result<Response<Incoming>, SubgraphFault> {
        self.send(Method::GET, path, Bytes::new()).await
    }

    /// Posts JSON there.
    pub async fn post(&self, path: &str, body: Bytes) -> Result<Response<Incoming>, SubgraphFault> {
        self.send(Method::POST, path, body).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Response<Incoming>, SubgraphFault> {
        let mut request = Request::new(Either::Left(Full::new(body)));
        *request.method_mut() = method;
        *request.uri_mut() = self.beside(path)?;
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let caller = Arc::new(Caller::process(RequestId::new(self.clock.now())));
        if let Some(token) = self.tokens.as_ref().and_then(|tokens| tokens.of(&caller)) {
            headers.insert(CALLER_HEADER, token);
        }
        let limit = self.config.timeout;
        match timeout(limit, self.client.send(request)).await {
            Ok(sent) => sent.map_err(|not_sent| not_sent.fault),
            Err(_) => Err(SubgraphFault::TimedOut(limit)),
        }
    }

    /// The address of `path` in the folder that the endpoint is in.
    fn beside(&self, path: &str) -> Result<Uri, SubgraphFault> {
        let folder = self.uri.path().rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut parts = self.uri.clone().into_parts();
        let path = format!("{folder}{path}").parse();
        parts.path_and_query =
            Some(path.map_err(|error| SubgraphFault::Malformed(format!("no path: {error}")))?);
        Uri::from_parts(parts).map_err(|error| SubgraphFault::Malformed(format!("no address: {error}")))
    }
}
