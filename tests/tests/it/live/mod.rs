//! Subscriptions: what is heard, by whom, and until when.

mod changes;
mod job_socket;
mod jobs;
mod others;
mod resumption;
mod rights;
mod streams;
mod work;

use pulse_tests::{Said, Stream, Tenant, TestPlatform, Transport};
use serde_json::{Value, json};

const CHANGES: &str = "subscription ($filter: EntityChangeFilter, $after: String) {
    entityChanged(filter: $filter, after: $after) { kind id version changedFields cursor } }";

/// Two tenants, of which the first has a type of entities.
struct Stage {
    platform: TestPlatform,
    alpha: Tenant,
    beta: Tenant,
}

impl Stage {
    async fn new() -> Self {
        let platform = TestPlatform::start().await;
        let (alpha, beta) = (Tenant::found(&platform, "alpha").await, Tenant::found(&platform, "beta").await);
        for tenant in [&alpha, &beta] {
            for name in ["package", "person"] {
                let create =
                    "mutation ($name: String!) { createEntityType(input: { name: $name }) { __typename } }";
                platform.data(&tenant.owner.token, create, json!({ "name": name })).await;
            }
        }
        Self { platform, alpha, beta }
    }

    /// Makes entities be as these say; their ids.
    async fn upsert(&self, tenant: &Tenant, items: Value) -> Vec<String> {
        let upsert = "mutation ($items: [UpsertEntityItem!]!) { upsertEntities(input: { items: $items }) { results { id } } }";
        let data = self.platform.data(&tenant.owner.token, upsert, json!({ "items": items })).await;
        let results = data["upsertEntities"]["results"].as_array().unwrap();
        results.iter().map(|result| result["id"].as_str().unwrap().to_owned()).collect()
    }

    /// Makes one package of the first tenant be called so.
    async fn package(&self, key: &str, name: &str) -> String {
        let item = json!({ "key": key, "type": "package", "name": name });
        self.upsert(&self.alpha, json!([item])).await.remove(0)
    }

    /// A cursor behind all that has happened in the first tenant.
    async fn cursor(&self) -> String {
        let token = &self.alpha.owner.token;
        let mut stream = Transport::Events.open(&self.platform, token, CHANGES, json!({})).await;
        self.package("cursor", &format!("at {}", self.platform.store.clock().now())).await;
        text(&stream.data().await["entityChanged"]["cursor"])
    }

    async fn follow(&self, transport: Transport, token: &str, variables: Value) -> Stream {
        transport.open(&self.platform, token, CHANGES, variables).await
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// Why a stream ends: the code and the reason of its last error, or what its socket was closed with.
async fn ending(stream: &mut Stream) -> String {
    let mut last = String::new();
    loop {
        match stream.next().await {
            Said::End(reason) if last.is_empty() => return reason,
            Said::End(_) => return last,
            Said::Next(answer) => {
                let extensions = &answer["errors"][0]["extensions"];
                assert!(extensions.is_object(), "it goes on: {answer}");
                last = [&extensions["code"], &extensions["reason"]]
                    .map(|part| part.as_str().unwrap_or("-"))
                    .join(" ");
            }
        }
    }
}
