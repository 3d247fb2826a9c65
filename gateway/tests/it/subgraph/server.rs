//! Subgraphs on a port of their own, a path for each.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::BytesMut;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use pulse_gateway::ports::{SubgraphError, SubgraphFault, SubgraphResponse};
use pulse_gateway::value::{Object, Value};
use tokio::net::TcpListener;

use super::TestSubgraph;

/// Serves them; the addresses by name. Ends with the test's runtime.
pub(crate) async fn serve(subgraphs: &[Arc<TestSubgraph>]) -> BTreeMap<String, String> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    // Nobody listens there any more.
    let dead = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut urls = BTreeMap::new();
    let mut router = Router::new();
    for subgraph in subgraphs {
        let name = subgraph.name.clone();
        let host = if subgraph.is_unreachable() { dead } else { address };
        urls.insert(name.clone(), format!("http://{host}/{name}"));
        let subgraph = Arc::clone(subgraph);
        router = router.route(&format!("/{name}"), post(async move |body: Bytes| answer(&subgraph, &body)));
    }
    tokio::spawn(async move { axum::serve(listener, router).await });
    urls
}

fn answer(subgraph: &TestSubgraph, body: &[u8]) -> Response {
    let request = Value::parse(body).unwrap();
    let query = request.get("query").and_then(Value::as_str).unwrap();
    let variables = request.get("variables").cloned().unwrap_or_default();
    match subgraph.answer(query, &variables) {
        Ok(response) => ([(CONTENT_TYPE, "application/json")], written(response)).into_response(),
        Err(SubgraphFault::Malformed(_)) => {
            ([(CONTENT_TYPE, "text/html")], "<html>it is not well</html>").into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn written(response: SubgraphResponse) -> Bytes {
    let mut body = Object::new();
    body.push("data".into(), response.data);
    if !response.errors.is_empty() {
        let errors: Vec<Value> = response.errors.into_iter().map(error).collect();
        body.push("errors".into(), errors.into());
    }
    let mut out = BytesMut::new();
    body.write(&mut out);
    out.freeze()
}

fn error(error: SubgraphError) -> Value {
    let SubgraphError { message, path, extensions } = error;
    let entries = [("message", message.into()), ("path", path), ("extensions", extensions)];
    let entries = entries.into_iter().filter(|(_, value)| !value.is_null());
    Value::Object(entries.map(|(key, value)| (key.into(), value)).collect())
}
