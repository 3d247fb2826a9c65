//! `AuditExport`.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use pulse_audit::{Format, Shown};
use pulse_graphql::{ContextExt, Error};
use pulse_sealing::Sealer;
use pulse_types::{AuditExportId, UserId};
use uuid::Uuid;

use crate::audit::AuditError;
use crate::audit::export::{self, ExportRow, ExportStatus, NewExport};

/// How an export is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum AuditExportFormat {
    /// A JSON object on each line.
    JsonLines,
    /// Comma-separated values with a header. What a spreadsheet would take for a formula has a `'` before it.
    Csv,
}

/// Which facts are shown. All that is given must hold. The others stand in the file as digests alone, so that it can be verified.
#[derive(Debug, Default, InputObject)]
pub(crate) struct AuditExportFilter {
    /// Done by this person.
    actor_id: Option<UserId>,
    /// This was done, such as `member:add`.
    action: Option<String>,
    /// Done to such a thing, such as `accounts.membership`.
    subject: Option<String>,
    /// Done to this one.
    key: Option<ID>,
}

/// What to export.
#[derive(InputObject)]
pub(crate) struct ExportAuditEventsInput {
    /// Not before this time.
    from: DateTime<Utc>,
    /// Before this time, which is not ahead.
    to: DateTime<Utc>,
    /// Only these.
    filter: Option<AuditExportFilter>,
    /// How to write it.
    format: AuditExportFormat,
    /// Makes it safe to repeat the request: the same key with the same input exports once.
    idempotency_key: Option<String>,
}

/// The export that was begun.
#[derive(SimpleObject)]
pub(crate) struct ExportAuditEventsPayload {
    /// Ask for `auditExport` until it is completed.
    export: AuditExport,
}

/// A file with what was done in the organization in a range of time, and with what proves that nothing of it is missing.
pub(crate) struct AuditExport(ExportRow);

/// A file with what was done in the organization in a range of time, and with what proves that nothing of it is missing:
/// `pulse audit verify --file`.
#[Object]
impl AuditExport {
    /// The export's id.
    async fn id(&self) -> AuditExportId {
        self.0.id
    }

    /// Who asked for it; null for somebody who was erased.
    async fn requester_id(&self) -> Option<UserId> {
        self.0.requester
    }

    /// The beginning of the range.
    async fn from(&self) -> DateTime<Utc> {
        self.0.from_at
    }

    /// The end of the range, which is not in it.
    async fn to(&self) -> DateTime<Utc> {
        self.0.to_at
    }

    /// How far it is.
    async fn status(&self) -> ExportStatus {
        self.0.status
    }

    /// How many facts the file shows; null before it is there.
    async fn facts(&self) -> Option<i64> {
        self.0.facts
    }

    /// The size of the file in bytes; null before it is there.
    async fn size(&self) -> Option<i64> {
        self.0.bytes
    }

    /// When it was asked for.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it was completed or failed.
    async fn finished_at(&self) -> Option<DateTime<Utc>> {
        self.0.finished_at
    }

    /// When the file is deleted; null before it is there, and after.
    async fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.0.expires_at
    }

    /// Where to get the file: a path on this server, signed for you alone and good for 15 minutes. Send your access token with
    /// the request, as with any other. Null before the file is there, after it was deleted, and for programs.
    async fn download_path(&self, ctx: &Context<'_>) -> Option<String> {
        export::link(ctx.session(), ctx.part::<Sealer>(), &self.0)
    }
}

#[derive(Default)]
pub(crate) struct AuditExportQuery;

#[Object]
impl AuditExportQuery {
    /// An export of the organization's audit; null when there is none with this id. Needs `audit:read`.
    async fn audit_export(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The export's id.")] id: AuditExportId,
    ) -> Option<Result<AuditExport, Error>> {
        export::get(ctx.session(), id).await.map(|row| row.map(AuditExport)).transpose()
    }
}

#[derive(Default)]
pub(crate) struct AuditExportMutation;

#[Object]
impl AuditExportMutation {
    /// Has what was done in the organization written to a file, in the order of its chain. Needs `audit:read`, and is audited.
    async fn export_audit_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to export.")] input: ExportAuditEventsInput,
    ) -> Result<ExportAuditEventsPayload, Error<AuditError>> {
        let ExportAuditEventsInput { from, to, filter, format, idempotency_key } = input;
        let AuditExportFilter { actor_id, action, subject, key } = filter.unwrap_or_default();
        // What is no id is the id of nothing.
        let key = key.map(|key| key.parse::<Uuid>().unwrap_or_default());
        let shown = Shown { actor_id: actor_id.map(UserId::uuid), action, subject, key };
        let format = match format {
            AuditExportFormat::JsonLines => Format::JsonLines,
            AuditExportFormat::Csv => Format::Csv,
        };
        let new = NewExport { from, to, shown, format };
        let row = export::begin(ctx.session(), new, idempotency_key).await?;
        Ok(ExportAuditEventsPayload { export: AuditExport(row) })
    }
}
