//! The side that tells.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use futures::stream::{self, BoxStream, Stream, StreamExt};
use pulse_events::{Heard, Log, LogCursor, Tail};
use pulse_store::StoreError;
use pulse_types::Change;
use tokio::time::timeout;

use super::{FeedLine, FeedQuery};
use crate::server::{Served, refuse};

/// How long the feed is silent at most.
const BEAT: Duration = Duration::from_secs(1);

/// How long the log may say nothing before this process is no good to a gateway.
const DEAF: Duration = Duration::from_secs(15);

/// How long a gateway waits for a log whose end is not known yet, or that is not yet where the gateway was.
const PATIENCE: Duration = Duration::from_secs(3);

/// What a gateway may have missed at most to go on without a gap: what is in memory.
const RESUMED: usize = 20_000;

/// How far back "lately" goes at most, in seconds.
const LATELY: u32 = 3_600;

/// How many lines are written at once at most.
const CHUNK: usize = 256;

pub(crate) async fn changes(State(served): State<Arc<Served>>, Query(query): Query<FeedQuery>) -> Response {
    let lines = match begin(&served, &query).await {
        Ok(Some(lines)) => lines,
        Ok(None) => return unavailable("the event log is not read just now"),
        Err(error) => {
            tracing::warn!(%error, "the feed of changes does not begin");
            return unavailable("the event log cannot be read");
        }
    };
    let stop = served.stop.clone().cancelled_owned();
    let chunks = lines.ready_chunks(CHUNK).map(|lines| chunk(&lines)).take_until(stop);
    ([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(chunks)).into_response()
}

fn unavailable(problem: &str) -> Response {
    refuse(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", problem)
}

/// The lines that answer a gateway; `None` while the log's end is not known.
async fn begin(
    served: &Served,
    query: &FeedQuery,
) -> Result<Option<BoxStream<'static, FeedLine>>, StoreError> {
    let subgraph = &served.subgraph;
    let tail = &subgraph.tail;
    // It is listened before anything is read, so that nothing falls between.
    let heard = tail.everything();
    let Ok(end) = timeout(PATIENCE, tail.position()).await else { return Ok(None) };
    if tail.silent_for() > DEAF {
        return Ok(None);
    }
    let Some(here) = tail.cursor(end) else { return Ok(None) };
    let after = query.after.as_deref().and_then(|after| after.parse::<LogCursor>().ok());
    if let Some(after) = after.filter(|after| after.log == here.log)
        && let Some(missed) = missed(tail, after.position).await
    {
        let position = missed.last().map_or(after.position, |last| last.position);
        let first = missed.iter().map(|change| FeedLine::Change(told(change)));
        let first: Vec<_> = std::iter::once(FeedLine::Resumed(after.to_string())).chain(first).collect();
        return Ok(Some(stream::iter(first).chain(live(tail, heard, position)).boxed()));
    }
    let since = served.clock.now() - TimeDelta::seconds(query.lately.min(LATELY).into());
    let subjects: Vec<_> = query.subjects.split(',').filter(|subject| !subject.is_empty()).collect();
    let lately = Log::new(subgraph.store.clone()).since(since, &subjects).await?;
    let mut first: Vec<_> = lately.iter().map(|change| FeedLine::Lately(told(change))).collect();
    first.push(FeedLine::Gap(here.to_string()));
    Ok(Some(stream::iter(first).chain(live(tail, heard, end)).boxed()))
}

/// What is in memory behind a position; `None` when some of it is not, or the log does not get to that position at all.
async fn missed(tail: &Tail, position: i64) -> Option<Vec<Arc<Change>>> {
    // Another process may have seen more of the log than this one has.
    timeout(PATIENCE, tail.reaches(position)).await.ok()?;
    let missed = tail.remembered_after(position, RESUMED + 1)?;
    (missed.len() <= RESUMED).then_some(missed)
}

/// What is heard behind `position`, for as long as nothing of it is missed.
fn live(
    tail: &Tail,
    heard: BoxStream<'static, Heard>,
    position: i64,
) -> impl Stream<Item = FeedLine> + Send + use<> {
    stream::unfold((tail.clone(), heard), move |(tail, mut heard)| async move {
        loop {
            match timeout(BEAT, heard.next()).await {
                Ok(Some(Heard::Change(change))) if change.position <= position => {}
                Ok(Some(Heard::Change(change))) => {
                    return Some((FeedLine::Change(told(&change)), (tail, heard)));
                }
                // Whoever could not keep up comes back with its cursor.
                Ok(Some(Heard::Gap) | None) => return None,
                Err(_) if tail.silent_for() > DEAF => return None,
                Err(_) => return Some((FeedLine::Alive, (tail, heard))),
            }
        }
    })
}

/// What a gateway needs of a change: what it is about, not who made it.
fn told(change: &Change) -> Change {
    Change { changed: Vec::new(), actor: None, request: None, facts: Vec::new(), ..change.clone() }
}

fn chunk(lines: &[FeedLine]) -> Result<Bytes, serde_json::Error> {
    let mut chunk = Vec::with_capacity(256 * lines.len());
    for line in lines {
        serde_json::to_writer(&mut chunk, line)?;
        chunk.push(b'\n');
    }
    Ok(chunk.into())
}
