//! Costs, budgets and rate limits over HTTP.

mod budgets;
mod costs;
mod rates;
mod redis;
pub(crate) mod redis_server;
mod streams;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::BoxStream;
use http::Method;
use pulse_gateway::engine::Cost;
use pulse_gateway::ports::{Subgraph, SubgraphFault, SubgraphRequest, SubgraphResponse};
use pulse_gateway::value::Value;
use pulse_gateway::{
    BucketConfig, CostConfig, CostMode, GatewayConfig, GatewayParts, StaticSource, Subgraphs, TellCost,
};
use pulse_types::Clock;
use serde_json::json;
use tokio::sync::Notify;

use crate::support::client::Reply;
use crate::support::gateway::{self, TestGateway};
use crate::support::noon;

const SUPERGRAPH: &str = include_str!("supergraph.graphql");

/// A subgraph that has two books, never answers `slow`, and tells of two events.
struct Library;

#[async_trait]
impl Subgraph for Library {
    fn name(&self) -> &'static str {
        "library"
    }

    async fn sdl(&self) -> Result<String, SubgraphFault> {
        Ok(String::new())
    }

    async fn execute(&self, request: SubgraphRequest) -> Result<SubgraphResponse, SubgraphFault> {
        if request.query.contains("slow") {
            std::future::pending::<()>().await;
        }
        Ok(answer(&json!({ "books": [{ "id": "1" }, { "id": "2" }], "buy": { "id": "3" }, "motto": "Read" })))
    }

    async fn subscribe(
        &self,
        _: SubgraphRequest,
    ) -> Result<BoxStream<'static, Result<SubgraphResponse, SubgraphFault>>, SubgraphFault> {
        let event = || Ok(answer(&json!({ "arrived": { "id": "4" } })));
        Ok(futures::stream::iter((0..5).map(move |_| event())).boxed())
    }
}

/// The same, but it never answers; and what tells that it was asked.
async fn start_hanging(time: &Time, config: GatewayConfig) -> (TestGateway, Arc<Notify>) {
    let running = Arc::new(Notify::new());
    let subgraph = Arc::new(Hanging(Arc::clone(&running)));
    let parts = GatewayParts { subgraphs: Subgraphs::Fixed(vec![subgraph]), ..parts(time) };
    (TestGateway::with(parts, config).await, running)
}

struct Hanging(Arc<Notify>);

#[async_trait]
impl Subgraph for Hanging {
    fn name(&self) -> &'static str {
        "library"
    }

    async fn sdl(&self) -> Result<String, SubgraphFault> {
        Ok(String::new())
    }

    async fn execute(&self, _: SubgraphRequest) -> Result<SubgraphResponse, SubgraphFault> {
        self.0.notify_one();
        std::future::pending().await
    }

    async fn subscribe(
        &self,
        _: SubgraphRequest,
    ) -> Result<BoxStream<'static, Result<SubgraphResponse, SubgraphFault>>, SubgraphFault> {
        Err(SubgraphFault::Malformed("it has no news".to_owned()))
    }
}

fn answer(data: &serde_json::Value) -> SubgraphResponse {
    SubgraphResponse { data: Value::from(data), ..SubgraphResponse::default() }
}

/// A clock that stands still until it is moved.
#[derive(Clone, Default)]
struct Time(Arc<AtomicI64>);

impl Time {
    fn clock(&self) -> Clock {
        let passed = Arc::clone(&self.0);
        Clock::from_fn(move || noon() + chrono::Duration::milliseconds(passed.load(Ordering::SeqCst)))
    }

    fn pass(&self, duration: Duration) {
        self.0.fetch_add(i64::try_from(duration.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

fn parts(time: &Time) -> GatewayParts {
    GatewayParts {
        subgraphs: Subgraphs::Fixed(vec![Arc::new(Library)]),
        source: Arc::new(StaticSource::new(SUPERGRAPH)),
        clock: time.clock(),
        ..gateway::parts()
    }
}

async fn start(time: &Time, config: GatewayConfig) -> TestGateway {
    TestGateway::with(parts(time), config).await
}

/// Costs enforced, with one budget.
fn budget(key: &str, capacity: u64, refill_per_second: u64) -> GatewayConfig {
    let bucket = BucketConfig {
        name: "budget".into(),
        key: key.to_owned().try_into().unwrap(),
        capacity: Cost::new(capacity),
        refill_per_second: Cost::new(refill_per_second),
    };
    let cost = CostConfig { mode: CostMode::Enforce, buckets: vec![bucket], ..CostConfig::default() };
    GatewayConfig { cost, ..GatewayConfig::default() }
}

fn enforce(change: impl FnOnce(&mut CostConfig)) -> GatewayConfig {
    let mut cost = CostConfig { mode: CostMode::Enforce, ..CostConfig::default() };
    change(&mut cost);
    GatewayConfig { cost, ..GatewayConfig::default() }
}

fn books(first: u32) -> String {
    json!({ "query": format!("{{ books(first: {first}) {{ id }} }}") }).to_string()
}

async fn ask(gateway: &TestGateway, headers: &[&str], body: &str) -> Reply {
    let mut all = vec!["content-type: application/json"];
    all.extend(headers);
    gateway.send(Method::POST, "/graphql", &all, body.to_owned()).await
}
