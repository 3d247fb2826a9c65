//! What the client wrapper counts.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use tracing::Instrument;

use crate::StoreError;

/// Statements that a [`crate::Store`] has run.
#[derive(Debug, Default)]
pub struct Statistics {
    statements: AtomicU64,
}

impl Statistics {
    /// How many statements were run since the start, those that begin and end transactions not counted.
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// Runs one statement inside its span, counts and measures it, and classifies its failure.
    pub(crate) async fn measure<T>(
        &self,
        statement: &'static str,
        run: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, StoreError> {
        self.statements.fetch_add(1, Ordering::Relaxed);
        let started = Instant::now();
        let result = run.instrument(tracing::debug_span!("db", statement)).await;
        metrics::histogram!("pulse_db_statement_seconds", "statement" => statement)
            .record(started.elapsed().as_secs_f64());
        result.map_err(|error| {
            let error = StoreError::classify(statement, error);
            metrics::counter!("pulse_db_errors_total", "statement" => statement, "kind" => error.kind())
                .increment(1);
            error
        })
    }
}
