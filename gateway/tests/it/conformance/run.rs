//! A case, run twice: with subgraphs in this process and no socket at all, and with sockets on both sides.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use http::{Method, Request};
use http_body_util::BodyExt;
use pulse_gateway::ports::Subgraph;
use pulse_gateway::value::{Object, Value};
use pulse_gateway::{Gateway, GatewayConfig, GatewayParts, StaticSource, Subgraphs};
use tower::ServiceExt;

use super::case::Case;
use super::pretty;
use crate::subgraph::{Journal, TestSubgraph, serve};
use crate::support::clock;
use crate::support::gateway::{TestGateway, parts};

/// What differs from what is recorded; nothing when all is well.
pub(super) async fn check(case: &Case) -> String {
    let mut differences = Vec::new();
    let supergraph = match supergraph(case) {
        Ok(supergraph) => supergraph,
        Err(reason) => return format!("{}: {reason}\n", case.folder.display()),
    };
    differences.push(compare(case, "supergraph.graphql", &supergraph));
    let journal = Arc::new(Journal::default());
    let subgraphs = case.subgraphs.iter().map(|(subgraph, data)| {
        Arc::new(TestSubgraph::new(&subgraph.name, &subgraph.sdl, data.clone(), &journal))
    });
    let subgraphs: Vec<_> = subgraphs.collect();

    let (here, first) = (in_process(case, &supergraph, &subgraphs).await, journal.take());
    let (there, second) = (over_http(case, &supergraph, &subgraphs).await, journal.take());
    let (here, there) = (pretty::response(&here), pretty::response(&there));
    differences.push(compare(case, "expected.json", &here));
    differences.push(compare(case, "fetches.json", &fetches(&first)));
    if here != there {
        differences.push(format!("over HTTP the answer is another\n{there}"));
    }
    if fetches(&first) != fetches(&second) {
        differences.push(format!("over HTTP the requests are others\n{}", listed(&second)));
    }
    differences.retain(|difference| !difference.is_empty());
    if !differences.is_empty() {
        differences.insert(0, case.folder.display().to_string());
        differences.push(format!("the requests were\n{}\n", listed(&first)));
    }
    differences.join("\n")
}

fn listed(requests: &[(String, String)]) -> String {
    requests.iter().map(|(name, query)| format!("{name} {query}")).collect::<Vec<_>>().join("\n")
}

/// Composed of the subgraphs, or as it is recorded where it is given.
fn supergraph(case: &Case) -> Result<String, String> {
    if case.settings.given_supergraph {
        return Ok(case.recorded("supergraph.graphql"));
    }
    let subgraphs: Vec<_> = case.subgraphs.iter().map(|(subgraph, _)| subgraph.clone()).collect();
    let composed = pulse_schema::compose(&subgraphs);
    composed
        .map(|composition| composition.supergraph)
        .map_err(|diagnostics| diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

fn compare(case: &Case, file: &str, now: &str) -> String {
    let recorded = case.recorded(file);
    if recorded == now {
        return String::new();
    }
    let path = case.folder.join(file);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, now).unwrap();
        return String::new();
    }
    format!("{file}\n--- recorded\n{recorded}--- now\n{now}")
}

fn fetches(requests: &[(String, String)]) -> String {
    let mut counts = BTreeMap::<&str, usize>::new();
    for (name, _) in requests {
        *counts.entry(name).or_default() += 1;
    }
    let counts: Object = counts.into_iter().map(|(name, count)| (name.into(), count.into())).collect();
    pretty::pretty(&Value::Object(counts))
}

fn config(case: &Case) -> GatewayConfig {
    let mut config = GatewayConfig::default();
    let labels = case.settings.labels.iter();
    config.overrides.labels =
        labels.map(|(label, rule)| (label.clone(), rule.clone().try_into().unwrap())).collect();
    config
}

fn body(case: &Case) -> String {
    let mut body = Object::new();
    body.push("query".into(), case.query.as_str().into());
    if let Some(name) = &case.settings.operation_name {
        body.push("operationName".into(), name.as_str().into());
    }
    if let Some(variables) = &case.variables {
        body.push("variables".into(), variables.clone());
    }
    Value::Object(body).to_string()
}

fn headers(case: &Case) -> Vec<String> {
    let own = case.settings.headers.iter().map(|(name, value)| format!("{name}: {value}"));
    std::iter::once("content-type: application/json".to_owned()).chain(own).collect()
}

async fn in_process(case: &Case, supergraph: &str, subgraphs: &[Arc<TestSubgraph>]) -> Vec<u8> {
    let subgraphs = subgraphs.iter().map(|subgraph| Arc::clone(subgraph) as Arc<dyn Subgraph>);
    let parts = gateway_parts(supergraph, Subgraphs::Fixed(subgraphs.collect()));
    let gateway = Gateway::init(parts, config(case)).await.unwrap_or_else(|error| {
        panic!("{}: {error}", case.folder.display());
    });
    let mut request = Request::builder().method(Method::POST).uri("/graphql");
    for header in headers(case) {
        let (name, value) = header.split_once(": ").unwrap();
        request = request.header(name, value);
    }
    let request = request.body(Body::from(body(case))).unwrap();
    let response = gateway.router().oneshot(request).await.unwrap();
    response.into_body().collect().await.unwrap().to_bytes().to_vec()
}

async fn over_http(case: &Case, supergraph: &str, subgraphs: &[Arc<TestSubgraph>]) -> Vec<u8> {
    let mut config = config(case);
    config.subgraph_urls = serve(subgraphs).await;
    let parts = gateway_parts(supergraph, Subgraphs::remote(&config, None, clock()));
    let gateway = TestGateway::with(parts, config).await;
    let headers = headers(case);
    let headers: Vec<_> = headers.iter().map(String::as_str).collect();
    let reply = gateway.send(Method::POST, "/graphql", &headers, body(case)).await;
    gateway.stop().await;
    reply.body.to_vec()
}

fn gateway_parts(supergraph: &str, subgraphs: Subgraphs) -> GatewayParts {
    GatewayParts { subgraphs, source: Arc::new(StaticSource::new(supergraph)), ..parts() }
}
