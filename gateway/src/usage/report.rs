//! Telling the registry.

use std::sync::Arc;
use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, USER_AGENT};
use http::{Request, Uri};
use http_body_util::{BodyExt, Full, Limited};
use metrics::counter;
use pulse_schema::ApiSchema;
use pulse_types::{Clock, Secret};
use serde_json::{Value as Json, json};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

use super::counted::Counted;
use super::{InvalidUsage, Seen};
use crate::config::UsageConfig;
use crate::https::{self, HttpsClient};
use crate::supergraph::Supergraph;

const REPORT: &str = "mutation ReportUsage($input: ReportSchemaUsageInput!) { reportSchemaUsage(input: $input) { recorded leftOut } }";

/// An answer is a few hundred bytes.
const ANSWER_LIMIT: usize = 64 * 1024;

/// Counts what was seen, and tells the registry now and then.
pub(super) struct Reporter {
    supergraph: Arc<Supergraph>,
    clock: Clock,
    uri: Uri,
    client: HttpsClient,
    authorization: Secret,
    environment: String,
    sampling: f64,
    interval: Duration,
    timeout: Duration,
    operations: usize,
}

impl Reporter {
    pub(super) fn try_new(
        config: &UsageConfig,
        supergraph: Arc<Supergraph>,
        clock: Clock,
    ) -> Result<Self, InvalidUsage> {
        let uri = config.registry.parse::<Uri>().ok();
        let uri =
            uri.filter(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some());
        let uri = uri.ok_or_else(|| InvalidUsage::Registry(config.registry.clone()))?;
        Ok(Self {
            supergraph,
            clock,
            uri,
            client: https::client(config.timeout),
            authorization: config.authorization.clone(),
            environment: config.environment.clone(),
            sampling: config.sampling,
            interval: config.interval.max(Duration::from_millis(10)),
            timeout: config.timeout,
            operations: config.operations,
        })
    }

    /// Works until nobody can see anything more.
    pub(super) async fn run(self, mut seen: mpsc::Receiver<Seen>) {
        let mut counted = Counted::default();
        let mut schema: Option<(String, ApiSchema)> = None;
        let mut ticks = interval_at(Instant::now() + self.interval, self.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                next = seen.recv() => {
                    let Some(next) = next else { return };
                    self.refresh(&mut schema).await;
                    if let Some((_, schema)) = &schema {
                        counted.add(next, schema, self.operations);
                    }
                }
                _ = ticks.tick() => self.tell(&mut counted).await,
            }
        }
    }

    /// Reads the supergraph again when another one is served.
    async fn refresh(&self, known: &mut Option<(String, ApiSchema)>) {
        let served = self.supergraph.served();
        if known.as_ref().is_some_and(|(version, _)| *version == served.version) {
            return;
        }
        let supergraph = served.supergraph();
        let read = tokio::task::spawn_blocking(move || ApiSchema::read(&supergraph.sdl).ok()).await;
        *known = read.ok().flatten().map(|schema| (served.version.clone(), schema));
    }

    /// Tells everything that was counted. What the registry does not take is dropped: use that matters comes again.
    async fn tell(&self, counted: &mut Counted) {
        while !counted.is_empty() {
            let operations = counted.take(&self.clock.now().to_rfc3339(), 1.0 / self.sampling);
            let count = operations.len() as u64;
            let told = timeout(self.timeout, self.post(operations)).await;
            let told = told.unwrap_or_else(|_| Err("it did not answer in time".to_owned()));
            let outcome = if told.is_ok() { "ok" } else { "error" };
            counter!("pulse_gateway_usage_reports_total", "outcome" => outcome).increment(1);
            if let Err(error) = told {
                counter!("pulse_gateway_usage_dropped_total").increment(count);
                tracing::warn!(registry = %self.uri, error, "what clients use could not be told");
            }
        }
    }

    async fn post(&self, operations: Vec<Json>) -> Result<(), String> {
        let input = json!({ "environment": self.environment, "operations": operations });
        let body = json!({ "query": REPORT, "variables": { "input": input } }).to_string();
        let mut request = Request::post(self.uri.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("pulse/", env!("CARGO_PKG_VERSION")));
        if !self.authorization.expose().is_empty() {
            let value = HeaderValue::from_str(self.authorization.expose());
            let mut value =
                value.map_err(|_| "gateway.usage.authorization is no text for a header".to_owned())?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        let request = request.body(Full::from(body)).map_err(|error| error.to_string())?;
        let response = self.client.request(request).await.map_err(|error| deepest(&error))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_LIMIT).collect().await;
        let body = body.map_err(|error| error.to_string())?.to_bytes();
        let answer: Json = serde_json::from_slice(&body).map_err(|_| format!("it answered with {status}"))?;
        match answer["errors"].get(0) {
            None => Ok(()),
            Some(error) => Err(error["message"].as_str().unwrap_or("an error without a text").to_owned()),
        }
    }
}

/// What is at the bottom of an error, such as a refused connection.
fn deepest(error: &(dyn std::error::Error + 'static)) -> String {
    error.source().map_or_else(|| error.to_string(), deepest)
}
