//! The projector as a service: one of the processes that could write the copy does, for as long as it lives.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pulse_events::Log;
use pulse_graphql::Service;
use pulse_store::{Connection, StoreError};
use tokio_util::sync::CancellationToken;

use super::projector::{ProjectionError, Projector, Step};

/// Names the advisory lock of who writes the copy. Who compares and repairs has the steps' lock alone.
const LEADER: i64 = 0x5055_4c53_4e35;
/// How long it waits for changes before it looks whether the copy is still there, or whether it is its turn.
const PAUSE: Duration = Duration::from_secs(5);
/// How long it waits after something has failed.
const AGAIN: Duration = Duration::from_secs(1);

/// What the service remembers from step to step.
#[derive(Default)]
struct Course {
    /// A transaction that holds the leader's lock, and does nothing else.
    leading: Option<Connection>,
    /// How far the copy was when it could last be asked.
    position: Option<i64>,
    /// Whether it was said that it does not go on.
    has_complained: bool,
}

#[async_trait]
impl Service for Projector {
    fn name(&self) -> &'static str {
        "entities.copy"
    }

    /// Whatever is broken off is done again by who comes next.
    async fn run(self: Arc<Self>, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.go_on() => {}
        }
    }
}

impl Projector {
    async fn go_on(&self) {
        let mut course = Course::default();
        loop {
            match self.round(&mut course).await {
                Ok(()) => course.has_complained = false,
                Err(error) => {
                    complain(&mut course, &error);
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    /// Does all that there is to do, and waits until there may be more.
    async fn round(&self, course: &mut Course) -> Result<(), ProjectionError> {
        if !self.leads(course).await? {
            tokio::time::sleep(PAUSE).await;
            return Ok(());
        }
        loop {
            let step = self.step().await;
            self.measure_lag(step.is_ok(), course).await;
            if matches!(step?, Step::Idle | Step::NotOurs) {
                break;
            }
        }
        let next = self.held.lock().await.as_ref().map(|held| held.position + 1);
        let reached = async {
            match next {
                Some(next) => self.tail.reaches(next).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = reached => {}
            () = tokio::time::sleep(PAUSE) => {}
        }
        Ok(())
    }

    /// Whether it is this process that writes the copy.
    async fn leads(&self, course: &mut Course) -> Result<bool, StoreError> {
        let mut connection = match course.leading.take() {
            Some(connection) => connection,
            None => self.store.system().await?,
        };
        // Who has the lock gets it again.
        let lock = sqlx::query_as("SELECT pg_try_advisory_xact_lock($1)").bind(LEADER);
        let (leads,): (bool,) = connection.fetch_one("graph.lead", lock).await?;
        course.leading = leads.then_some(connection);
        Ok(leads)
    }

    /// Tells metrics how far the copy is behind the log; also while Neo4j is away.
    async fn measure_lag(&self, is_up: bool, course: &mut Course) {
        metrics::gauge!("pulse_graph_copy_up").set(if is_up { 1.0 } else { 0.0 });
        if let Some(held) = self.held.lock().await.as_ref() {
            course.position = Some(held.position);
        }
        let Some(position) = course.position else { return };
        if let Ok(head) = Log::new(self.store.clone()).head().await {
            let behind = u32::try_from((head.position - position).max(0)).unwrap_or(u32::MAX);
            metrics::gauge!("pulse_graph_copy_lag_events").set(f64::from(behind));
        }
    }
}

/// Says once that it does not go on, however often it is tried.
fn complain(course: &mut Course, error: &ProjectionError) {
    if !std::mem::replace(&mut course.has_complained, true) {
        let error = error as &dyn std::error::Error;
        tracing::warn!(error, "the graph's copy in Neo4j does not go on; it is tried again until it does");
    }
}
