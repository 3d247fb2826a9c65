//! The REST face of the API.

mod batches;
mod conditions;
mod description;
mod refusals;
mod streams;
mod twins;
mod writes;

use pulse_rest::{RouteSummary, Routes};
use pulse_tests::{Answer, Graph, Tenant, TestPlatform};
use pulse_wiring::platform::{compose_own, mapping};
use serde_json::Value;

/// Where the API is.
const ROOT: &str = "/api/v1";

/// A tenant with something in it, whose owner asks by REST.
struct Rest {
    platform: TestPlatform,
    tenant: Tenant,
    graph: Graph,
}

impl Rest {
    async fn new() -> Self {
        let platform = TestPlatform::start().await;
        let tenant = Tenant::found(&platform, "alpha").await;
        let graph = Graph::fill(&platform, &tenant, 5, "alpha").await;
        Self { platform, tenant, graph }
    }

    /// What the owner gets at a place.
    async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, &[], &Value::Null).await
    }

    /// What the owner gets for a request with a JSON body; without one for null.
    async fn call(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let token = Some(self.tenant.owner.token.as_str());
        self.call_as(token, (method, path), headers, body).await
    }

    async fn call_as(
        &self,
        token: Option<&str>,
        (method, path): (&str, &str),
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Answer {
        let path = format!("{ROOT}{path}");
        let (mut headers, mut text) = (headers.to_vec(), String::new());
        if !body.is_null() {
            headers.push(("content-type", "application/json"));
            text = body.to_string();
        }
        self.platform.call((method, &path), token, &headers, text).await
    }
}

/// The routes of Pulse's API.
fn routes() -> Vec<RouteSummary> {
    Routes::derive(&compose_own().unwrap(), &mapping().unwrap()).unwrap().summaries()
}

/// The value of a header.
fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).map_or("", |value| value.to_str().unwrap())
}
