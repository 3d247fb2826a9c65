//! The streams of this process's gateway, as the subgraph `operations` knows them: reported to it, and ended when it says so.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use futures::StreamExt;
use futures::stream::BoxStream;
use http_body_util::{BodyExt, Limited};
use pulse_gateway::ports::Heard;
use pulse_gateway::remote::SubgraphProcess;
use pulse_gateway::{OpenStream, StreamDirectory, StreamFilter, StreamKind};
use pulse_operations::{OpenedStream, STREAMS_ENDED, STREAMS_PATH, StreamReport, report_streams};
use pulse_store::Store;
use pulse_types::{Change, ProcessId, StreamId};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::apart::Places;

/// Reports are no closer than this.
const PAUSE: Duration = Duration::from_secs(1);

/// A gateway with nothing to report says that it is there, well before its lease is over.
const RENEWED: Duration = Duration::from_secs(30);

/// How many streams are reported at once.
const BATCH: usize = 2_000;

/// By how much clocks may differ.
const CLOCKS_SECONDS: i64 = 5;

/// Who takes reports.
#[async_trait]
pub(super) trait Reports: Send + Sync {
    /// Whether the gateway's earlier reports are known; the error says why this one was not taken.
    async fn report(&self, report: &StreamReport) -> Result<bool, String>;
}

/// The subgraph in this process.
pub(super) struct ToStore(pub(super) Store);

#[async_trait]
impl Reports for ToStore {
    async fn report(&self, report: &StreamReport) -> Result<bool, String> {
        report_streams(&self.0, report).await.map_err(|error| error.to_string())
    }
}

/// The subgraph in another process.
pub(super) struct ToProcess(pub(super) watch::Receiver<Places>);

#[async_trait]
impl Reports for ToProcess {
    async fn report(&self, report: &StreamReport) -> Result<bool, String> {
        let places = Arc::clone(&self.0.borrow());
        let place = places.iter().find(|place| place.name() == "operations");
        let place: &SubgraphProcess = place.ok_or_else(|| "it is nowhere".to_owned())?;
        let body = serde_json::to_vec(report).map_err(|error| error.to_string())?;
        let answer = async {
            let response = place.post(STREAMS_PATH, body.into()).await.map_err(|error| error.to_string())?;
            if !response.status().is_success() {
                return Err(format!("it answered {}", response.status()));
            }
            let body = Limited::new(response.into_body(), 1024).collect().await;
            let body = body.map_err(|error| error.to_string())?.to_bytes();
            serde_json::from_slice(&body).map_err(|error| error.to_string())
        };
        timeout(RENEWED, answer).await.map_err(|_| "it does not answer".to_owned())?
    }
}

/// Reports what is opened and ended in `directory`, for ever.
pub(super) async fn report(directory: StreamDirectory, reports: Arc<dyn Reports>, gateway: ProcessId) {
    let mut changed = directory.changes();
    let mut known = None;
    loop {
        changed.mark_unchanged();
        let open = directory.list(&StreamFilter::default());
        match tell(&open, known.as_ref(), reports.as_ref(), gateway).await {
            Ok(true) => known = Some(open.iter().map(|stream| stream.id).collect::<HashSet<_>>()),
            Ok(false) => known = None,
            Err(error) => {
                tracing::debug!(error, "the streams of this gateway are not reported");
                // What of it was taken is not known; it does no harm to say it again.
                known = None;
            }
        }
        sleep(PAUSE).await;
        if known.is_some() {
            tokio::select! {
                () = sleep(RENEWED) => {}
                changed = changed.changed() => if changed.is_err() { return },
            }
        }
    }
}

/// Tells what is different from what is `known`, or everything if nothing is; whether it is known now.
async fn tell(
    open: &[OpenStream],
    known: Option<&HashSet<uuid::Uuid>>,
    reports: &dyn Reports,
    gateway: ProcessId,
) -> Result<bool, String> {
    let opened: Vec<_> = open
        .iter()
        .filter(|stream| known.is_none_or(|known| !known.contains(&stream.id)))
        .filter_map(opened)
        .collect();
    let there: HashSet<_> = open.iter().map(|stream| stream.id).collect();
    let ended = known.into_iter().flatten().filter(|id| !there.contains(id));
    let mut report = StreamReport {
        gateway: gateway.uuid(),
        anew: known.is_none(),
        opened: Vec::new(),
        ended: ended.copied().map(StreamId::from_uuid).collect(),
    };
    let mut batches = opened.chunks(BATCH);
    loop {
        report.opened = batches.next().unwrap_or_default().to_vec();
        if !reports.report(&report).await? {
            return Ok(false);
        }
        (report.anew, report.ended) = (false, Vec::new());
        if batches.len() == 0 {
            return Ok(true);
        }
    }
}

/// A stream of somebody in a tenant.
fn opened(stream: &OpenStream) -> Option<OpenedStream> {
    let OpenStream { id, caller, kind, transport, operation, hash, since, events: _ } = stream;
    Some(OpenedStream {
        id: StreamId::from_uuid(*id),
        tenant: caller.org?,
        user: caller.user(),
        machine: caller.machine(),
        session: caller.session,
        is_live_query: *kind == StreamKind::LiveQuery,
        transport: (*transport).to_owned(),
        operation: operation.clone(),
        hash: hash.clone(),
        since: *since,
    })
}

/// Ends streams of `directory` when a change says so, for as long as changes are heard of.
pub(super) async fn end(directory: StreamDirectory, mut changes: BoxStream<'static, Heard>) {
    while let Some(heard) = changes.next().await {
        let Heard::Change(change) = heard else { continue };
        if *change.subject == *STREAMS_ENDED
            && let Some((filter, reason)) = meant(&change)
        {
            directory.end(&filter, reason);
        }
    }
}

/// Which streams a change ends, and why. None without a tenant, or of which nothing else is said.
fn meant(change: &Change) -> Option<(StreamFilter, &str)> {
    let text = |name: &str| change.attributes.get(name).and_then(serde_json::Value::as_str);
    let filter = StreamFilter {
        id: text("stream").and_then(|id| id.parse().ok()),
        org: Some(change.tenant?),
        user: text("user").and_then(|id| id.parse().ok()),
        machine: text("machine").and_then(|id| id.parse().ok()),
        session: text("session").and_then(|id| id.parse().ok()),
        operation: text("operation").map(ToOwned::to_owned),
        opened_until: Some(change.at + TimeDelta::seconds(CLOCKS_SECONDS)),
    };
    let says_which = filter.id.is_some()
        || filter.user.is_some()
        || filter.machine.is_some()
        || filter.session.is_some()
        || filter.operation.is_some();
    says_which.then_some((filter, text("reason").unwrap_or_default()))
}
