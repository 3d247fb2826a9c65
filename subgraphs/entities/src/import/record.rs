//! How far an import is, in `entities.imports`.

use chrono::TimeDelta;
use pulse_store::{Session, StoreError, Write};
use pulse_types::OrgId;
use sqlx::types::Json;

use super::report::Report;

/// How long what has broken off, and was never gone on with, is remembered.
const REMEMBERED: TimeDelta = TimeDelta::days(30);

/// What part of a source is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    /// All of it, as it comes.
    Everything,
    Entities,
    Relationships,
}

/// The state of an import of files.
#[derive(Debug, Clone)]
pub(super) struct ImportRecord {
    pub(super) fingerprint: String,
    /// What is committed, if anything is.
    committed: Option<(Pass, u64)>,
}

impl Pass {
    const fn number(self) -> i16 {
        match self {
            Self::Everything | Self::Entities => 0,
            Self::Relationships => 1,
        }
    }
}

impl ImportRecord {
    /// Where the import has broken off, if it has, and what it had done.
    pub(super) async fn find(
        session: &Session,
        fingerprint: String,
    ) -> Result<(Self, Option<Report>), StoreError> {
        let find =
            sqlx::query_as("SELECT pass, records, report FROM entities.imports WHERE fingerprint = $1")
                .bind(&fingerprint);
        let found: Option<(i16, i64, Json<Report>)> = session.fetch_optional("imports.find", find).await?;
        let committed = found.as_ref().map(|(pass, records, _)| {
            let pass = if *pass == 0 { Pass::Entities } else { Pass::Relationships };
            (pass, records.unsigned_abs())
        });
        Ok((Self { fingerprint, committed }, found.map(|(_, _, Json(report))| report)))
    }

    pub(super) const fn committed(&self) -> Option<(Pass, u64)> {
        self.committed
    }

    /// Notes how far the import is when this write is committed; `false` when another process has gone on with it.
    pub(super) async fn note_in_tx(
        &self,
        write: &mut Write,
        org: OrgId,
        (pass, records): (Pass, u64),
        report: &Report,
    ) -> Result<bool, StoreError> {
        let now = write.now();
        let records = i64::try_from(records).unwrap_or(i64::MAX);
        let Some((last_pass, last_records)) = self.committed else {
            let insert = sqlx::query(
                "INSERT INTO entities.imports (org_id, fingerprint, pass, records, report, begun_at, updated_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT DO NOTHING",
            );
            let insert = insert.bind(org).bind(&self.fingerprint).bind(pass.number()).bind(records);
            let inserted = write.execute("imports.insert", insert.bind(Json(report)).bind(now)).await?;
            return Ok(inserted == 1);
        };
        let update = sqlx::query(
            "UPDATE entities.imports SET pass = $2, records = $3, report = $4, updated_at = $5
              WHERE fingerprint = $1 AND pass = $6 AND records = $7",
        );
        let update = update.bind(&self.fingerprint).bind(pass.number()).bind(records).bind(Json(report));
        let update = update.bind(now).bind(last_pass.number());
        let update = update.bind(i64::try_from(last_records).unwrap_or(i64::MAX));
        Ok(write.execute("imports.update", update).await? == 1)
    }

    /// What was noted is committed.
    pub(super) const fn noted(&mut self, pass: Pass, records: u64) {
        self.committed = Some((pass, records));
    }

    /// Forgets the import, which is done with, and others that nobody has gone on with for long.
    pub(super) async fn forget_in_tx(&self, write: &mut Write) -> Result<(), StoreError> {
        let old = write.now() - REMEMBERED;
        let delete = sqlx::query("DELETE FROM entities.imports WHERE fingerprint = $1 OR updated_at < $2");
        write.execute("imports.delete", delete.bind(&self.fingerprint).bind(old)).await.map(drop)
    }
}
