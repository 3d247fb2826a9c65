//! Importing a graph: streaming, in batches, safe to repeat.
//!
//! Each batch is one transaction of the same writes that the API makes, so a run that breaks off leaves whole batches,
//! and the same source again does the rest: what is so already is not touched. Records apply in their order. Files are read
//! twice, for entities and then for relationships, and how far they are stored is noted with each batch, from where the same
//! import goes on. What can be read once alone is stored as it comes: a relationship that comes before its entities waits, in
//! bounded memory, and is tried again at the end. Types that do not exist are created open, so that they allow any properties.

mod batch;
mod item;
mod options;
mod record;
mod rehearsal;
mod report;
mod source;

use std::sync::Arc;

use pulse_graph_formats::Item as Said;
pub use pulse_graph_formats::{Format, Limits, Mapping, MappingError, ReadError};
use pulse_store::{AuditFact, Store, StoreError};
use pulse_types::{Caller, OrgId, RequestId};

pub use options::{ImportError, ImportOptions, OnConflict, Place};
pub use report::{BadLine, Counts, Progress, Report};
pub use source::Source;

use batch::{Batch, BatchError, Done, Item, PlacedRelationship, Rules};
use record::{ImportRecord, Pass};
use rehearsal::Rehearsal;
use source::{Chunk, Placed};

use crate::entity;
use crate::entity_type::Validators;

/// A batch is also full at this many bytes of records.
const MAX_BATCH_BYTES: usize = 16 << 20;
/// How often a batch is tried when other writes are in the way.
const MAX_TRIES: u32 = 5;

/// Reads `source` into the graph of `org`. `progress` is told after each batch.
pub async fn import(
    store: &Store,
    org: OrgId,
    source: Source,
    options: &ImportOptions,
    progress: impl FnMut(Progress),
) -> Result<Report, ImportError> {
    let request = RequestId::new(store.clock().now());
    let rules = Rules { org, validators: Validators::default(), on_conflict: options.on_conflict };
    let mut import = Import {
        store,
        caller: Arc::new(Caller::system(org, request)),
        options,
        rules,
        report: Report::default(),
        record: None,
        rehearsal: options.is_dry_run.then(Rehearsal::default),
        pass: Pass::Everything,
        records: 0,
        bytes_before: 0,
        waiting: Vec::new(),
        waiting_bytes: 0,
        progress,
    };
    import.run(&source).await?;
    import.report.bad_lines.sort_by_key(|bad| (bad.file, bad.line));
    Ok(import.report)
}

struct Import<'a, P> {
    store: &'a Store,
    caller: Arc<Caller>,
    options: &'a ImportOptions,
    rules: Rules,
    report: Report,
    /// How far an import of files is.
    record: Option<ImportRecord>,
    rehearsal: Option<Rehearsal>,
    pass: Pass,
    /// Records of this pass that were looked at.
    records: u64,
    /// Bytes that were read in passes before this one.
    bytes_before: u64,
    /// Relationships whose entities have not come yet.
    waiting: Vec<PlacedRelationship>,
    waiting_bytes: usize,
    progress: P,
}

impl<P: FnMut(Progress)> Import<'_, P> {
    async fn run(&mut self, source: &Source) -> Result<(), ImportError> {
        if !source.is_again() {
            let mut batch = self.pass(source, (Pass::Everything, 0)).await?;
            self.waiting_bytes = 0;
            for PlacedRelationship { place, size, draft } in std::mem::take(&mut self.waiting) {
                self.add(&mut batch, (place, size, Item::Relationship(draft)), true).await?;
            }
            return self.flush(&mut batch, true).await;
        }
        let (begin, skip) = self.begin(source).await?;
        let skip = if begin == Pass::Entities {
            self.pass(source, (Pass::Entities, skip)).await?;
            0
        } else {
            skip
        };
        self.bytes_before = source.size();
        self.pass(source, (Pass::Relationships, skip)).await?;
        self.end().await
    }

    /// Where to begin: behind what the same import has committed before it broke off.
    async fn begin(&mut self, source: &Source) -> Result<(Pass, u64), ImportError> {
        let start = (Pass::Entities, 0);
        if self.options.is_dry_run {
            return Ok(start);
        }
        let fingerprint = source.fingerprint(self.options)?;
        let session = self.store.session(Arc::clone(&self.caller));
        let found = ImportRecord::find(&session, fingerprint).await;
        let (record, report) = found.map_err(|error| stored(Place::default(), error))?;
        let committed = record.committed();
        self.record = Some(record);
        match (committed, report) {
            (Some(committed), Some(report)) if !self.options.from_start => {
                self.report = Report { has_gone_on: true, ..report };
                Ok(committed)
            }
            _ => Ok(start),
        }
    }

    /// Reads the source once, behind `skip` records, and stores what is of this pass; what is left waits in the batch.
    async fn pass(&mut self, source: &Source, (pass, skip): (Pass, u64)) -> Result<Batch, ImportError> {
        (self.pass, self.records) = (pass, skip);
        let mut batch = Batch::default();
        let mut read = source.read(self.options.limits, skip);
        while let Some(chunk) = read.recv().await {
            let Chunk { records, lines, bytes } = chunk?;
            self.report.bytes = bytes;
            for placed in records {
                self.look_at(&mut batch, placed).await?;
            }
            self.report.lines = lines;
        }
        self.flush(&mut batch, pass != Pass::Everything).await?;
        Ok(batch)
    }

    async fn look_at(&mut self, batch: &mut Batch, placed: Placed) -> Result<(), ImportError> {
        let Placed { place, line, record } = placed;
        (self.records, self.report.lines) = (self.records + 1, line);
        let said = match (self.pass, record.item) {
            (Pass::Entities, Ok(Said::Relationship(_)))
            | (Pass::Relationships, Ok(Said::Entity(_)) | Err(_)) => {
                return Ok(());
            }
            (_, Ok(said)) => item::draft(said).map_err(|problem| problem.text),
            (_, Err(reason)) => Err(reason),
        };
        match said {
            Ok(item) => self.add(batch, (place, record.size, item), self.pass != Pass::Everything).await,
            Err(reason) => {
                self.report.bad(place, reason);
                Ok(())
            }
        }
    }

    /// Adds an item to the batch; one that names the same as another begins a new batch, so that the later one holds.
    async fn add(
        &mut self,
        batch: &mut Batch,
        (place, size, item): (Place, usize, Item),
        last: bool,
    ) -> Result<(), ImportError> {
        if batch.names(&item) {
            // This one is not done with when that batch is.
            self.records -= 1;
            let flushed = self.flush(batch, last).await;
            self.records += 1;
            flushed?;
        }
        batch.push(place, size, item);
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
        let bytes = self.bytes_before + self.report.bytes;
        let Report { lines, bad_line_count: bad_lines, .. } = self.report;
        (self.progress)(Progress { lines, bytes, bad_lines });
        Ok(())
    }

    async fn commit(&mut self, batch: &Batch) -> Result<Done, ImportError> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.try_commit(batch).await {
                Err(BatchError::Store(StoreError::Contention { .. })) if tries < MAX_TRIES => {}
                Err(BatchError::Store(source)) => return Err(stored(batch.last(), source)),
                Err(BatchError::Conflict(place, what)) => return Err(ImportError::Conflict { place, what }),
                Err(BatchError::Elsewhere) => return Err(ImportError::Elsewhere),
                Ok(done) => return Ok(done),
            }
        }
    }

    /// Stores a batch and how far the import is by it, in one transaction; none when there is nothing to change.
    async fn try_commit(&mut self, batch: &Batch) -> Result<Done, BatchError> {
        let mut write = self.store.session(Arc::clone(&self.caller)).write().await?;
        if let Some(rehearsal) = &mut self.rehearsal {
            return rehearsal.batch_in_tx(&mut write, &self.rules, batch).await;
        }
        let done = batch.store_in_tx(&mut write, &self.rules).await?;
        let Some(fact) = done.fact() else { return Ok(done) };
        if let Some(record) = &self.record {
            let mut report = self.report.clone();
            report.add(&done);
            for (placed, reason) in &done.unresolved {
                report.bad(placed.place, reason.clone());
            }
            let place = (self.pass, self.records);
            if !record.note_in_tx(&mut write, self.rules.org, place, &report).await? {
                return Err(BatchError::Elsewhere);
            }
        }
        write.commit(fact).await?;
        if let Some(record) = &mut self.record {
            record.noted(self.pass, self.records);
        }
        Ok(done)
    }

    fn count(&mut self, done: Done, last: bool) {
        self.report.add(&done);
        for (placed, reason) in done.unresolved {
            if last {
                self.report.bad(placed.place, reason);
            } else if self.waiting_bytes + placed.size > self.options.max_waiting_bytes {
                let way_out =
                    "and too many lines wait for later ones: put entities before their relationships";
                self.report.bad(placed.place, format!("{reason}, {way_out}"));
            } else {
                self.waiting_bytes += placed.size;
                self.waiting.push(placed);
            }
        }
    }

    /// Forgets how far the import is: it has come to its end.
    async fn end(&mut self) -> Result<(), ImportError> {
        let Some(record) = self.record.take().filter(|record| record.committed().is_some()) else {
            return Ok(());
        };
        let failed = |error| stored(Place::default(), error);
        let mut write = self.store.session(Arc::clone(&self.caller)).write().await.map_err(failed)?;
        record.forget_in_tx(&mut write).await.map_err(failed)?;
        let items = i32::try_from(self.report.changed()).unwrap_or(i32::MAX);
        let (action, subject) = ("entity:import_end", entity::SUBJECT);
        write.commit(AuditFact { action, subject, key: None, version: None, items }).await.map_err(failed)
    }
}

const fn stored(place: Place, source: StoreError) -> ImportError {
    ImportError::Store { place, source }
}
