//! Importing a graph from JSONL: streaming, in batches, safe to repeat.
//!
//! Each batch is one transaction of the same writes that the API makes, so a run that breaks off leaves whole batches,
//! and the same file again does the rest: what is so already is not touched. Lines apply in their order. A relationship
//! may come before its entities: it waits, in bounded memory, and is tried again at the end. Types that do not exist
//! are created open, so that they allow any properties.

mod batch;
mod line;
mod lines;
mod report;

use std::sync::Arc;

use pulse_store::{Store, StoreError};
use pulse_types::{Caller, OrgId, RequestId};
use tokio::io::AsyncBufRead;

pub use report::{BadLine, Counts, Progress, Report};

use batch::{Batch, Done, Item};
use lines::{Line, Lines};

use crate::entity_type::Validators;
use crate::relationship::RelationshipDraft;

/// How an import works.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// Lines in one transaction.
    pub batch_size: usize,
    /// Longer lines are bad.
    pub max_line_bytes: usize,
    /// Bytes of relationship lines that may wait for entities which come later in the file.
    pub max_waiting_bytes: usize,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self { batch_size: 2_000, max_line_bytes: 1 << 20, max_waiting_bytes: 64 << 20 }
    }
}

/// Why an import broke off. What was committed before stays; the same import again goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be read further.
    #[error("cannot read on after line {line}")]
    Read {
        /// The last line that was read.
        line: u64,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A batch cannot be stored.
    #[error("cannot store the lines up to {line}")]
    Store {
        /// The last line of the batch.
        line: u64,
        /// Why.
        #[source]
        source: StoreError,
    },
}

/// A batch is also full at this many bytes of lines.
const MAX_BATCH_BYTES: usize = 16 << 20;
/// How often a batch is tried when other writes are in the way.
const MAX_TRIES: u32 = 5;

/// Reads JSONL from `reader` into the graph of `org`. `progress` is told after each batch.
pub async fn import(
    store: &Store,
    org: OrgId,
    reader: impl AsyncBufRead + Unpin,
    options: &ImportOptions,
    progress: impl FnMut(Progress),
) -> Result<Report, ImportError> {
    let request = RequestId::new(store.clock().now());
    let mut import = Import {
        store,
        org,
        caller: Arc::new(Caller::system(org, request)),
        options,
        validators: Validators::default(),
        report: Report::default(),
        waiting: Vec::new(),
        waiting_bytes: 0,
        progress,
    };
    import.run(reader).await?;
    import.report.bad_lines.sort_by_key(|bad| bad.line);
    Ok(import.report)
}

struct Import<'a, P> {
    store: &'a Store,
    org: OrgId,
    caller: Arc<Caller>,
    options: &'a ImportOptions,
    validators: Validators,
    report: Report,
    /// Relationships whose entities have not come yet, with their line numbers and sizes.
    waiting: Vec<(u64, usize, RelationshipDraft)>,
    waiting_bytes: usize,
    progress: P,
}

impl<P: FnMut(Progress)> Import<'_, P> {
    async fn run(&mut self, reader: impl AsyncBufRead + Unpin) -> Result<(), ImportError> {
        let mut lines = Lines::new(reader, self.options.max_line_bytes);
        let mut batch = Batch::default();
        loop {
            let read =
                lines.next().await.map_err(|source| ImportError::Read { line: self.report.lines, source })?;
            let Some(line) = read else { break };
            self.report.lines += 1;
            let number = self.report.lines;
            let (parsed, size) = match line {
                Line::Text(text) => (line::parse(text, number), text.len()),
                Line::TooLong => {
                    let reason = format!("the line is longer than {} bytes", self.options.max_line_bytes);
                    (Err(reason), 0)
                }
            };
            match parsed {
                Ok(Some(item)) => self.add(&mut batch, (number, size, item), false).await?,
                Ok(None) => {}
                Err(reason) => self.report.bad(number, reason),
            }
            self.report.bytes = lines.bytes();
        }
        self.flush(&mut batch, false).await?;
        self.waiting_bytes = 0;
        for (number, size, draft) in std::mem::take(&mut self.waiting) {
            self.add(&mut batch, (number, size, Item::Relationship(draft)), true).await?;
        }
        self.flush(&mut batch, true).await
    }

    /// Adds an item to the batch; one that names the same as another begins a new batch, so that the later line holds.
    async fn add(
        &mut self,
        batch: &mut Batch,
        item: (u64, usize, Item),
        last: bool,
    ) -> Result<(), ImportError> {
        if batch.names(&item.2) {
            self.flush(batch, last).await?;
        }
        batch.push(item);
        if batch.len() >= self.options.batch_size || batch.bytes() >= MAX_BATCH_BYTES {
            self.flush(batch, last).await?;
        }
        Ok(())
    }

    async fn flush(&mut self, batch: &mut Batch, last: bool) -> Result<(), ImportError> {
        if batch.len() > 0 {
            let done = self.commit(batch).await?;
            self.count(done, last);
            batch.clear();
        }
        (self.progress)(self.report.progress());
        Ok(())
    }

    async fn commit(&self, batch: &Batch) -> Result<Done, ImportError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let session = self.store.session(Arc::clone(&self.caller));
            match batch.commit(&session, self.org, &self.validators).await {
                Err(StoreError::Contention { .. }) if tries < MAX_TRIES => {}
                Err(source) => return Err(ImportError::Store { line: batch.last_line(), source }),
                Ok(done) => return Ok(done),
            }
        }
    }

    fn count(&mut self, done: Done, last: bool) {
        self.report.add(&done);
        for (line, reason) in done.bad {
            self.report.bad(line, reason);
        }
        for (line, size, draft, reason) in done.unresolved {
            if last {
                self.report.bad(line, reason);
            } else if self.waiting_bytes + size > self.options.max_waiting_bytes {
                let way_out =
                    "and too many lines wait for later ones: put entities before their relationships";
                self.report.bad(line, format!("{reason}, {way_out}"));
            } else {
                self.waiting_bytes += size;
                self.waiting.push((line, size, draft));
            }
        }
    }
}
