//! `AuditEntry`, and what is stored about persons.

#![expect(clippy::too_many_arguments, reason = "each argument of a field is one of its function")]

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use pulse_graphql::{Connection, ContextExt, Cursor, Error, Page, PageLimits, Total};
use pulse_privacy::Entry;
use pulse_types::UserId;
use uuid::Uuid;

use crate::audit::{self, AuditError, AuditList, AuditRow};

/// Something that was done in the organization.
#[derive(SimpleObject)]
pub(crate) struct AuditEntry {
    /// Its id in the audit.
    id: ID,
    /// When it was done.
    at: DateTime<Utc>,
    /// The person who did it; null for Pulse itself, and for somebody who was erased.
    actor_id: Option<UserId>,
    /// What was done, such as `member:add`.
    action: String,
    /// To what, such as `accounts.membership`.
    subject: String,
    /// To which one; null for a batch, and for somebody who was erased.
    key: Option<ID>,
    /// The version that held before, which the owner's history has; null where there is none.
    previous_version: Option<i64>,
    /// The version that holds since.
    version: Option<i64>,
    /// How many things it was done to: 1, or the size of the batch.
    items: i32,
    /// The request by which it was done, which the logs name too.
    request_id: ID,
    /// The network address that the request came from, or its digest, as the settings say; null for Pulse itself.
    address: Option<String>,
}

impl From<AuditRow> for AuditEntry {
    fn from(row: AuditRow) -> Self {
        let AuditRow { id, at, actor, action, subject, key, version, items, request, address } = row;
        Self {
            id: id.into(),
            at,
            actor_id: actor,
            action,
            subject,
            key: key.map(ID::from),
            previous_version: version.filter(|version| *version > 1).map(|version| version - 1),
            version,
            items,
            request_id: request.into(),
            address,
        }
    }
}

/// Which facts. All that is given must hold.
#[derive(Debug, Default, InputObject)]
pub(crate) struct AuditEntryFilter {
    /// Done by this person.
    actor_id: Option<UserId>,
    /// This was done, such as `member:add`.
    action: Option<String>,
    /// Done to such a thing, such as `accounts.membership`.
    subject: Option<String>,
    /// Done to this one.
    key: Option<ID>,
    /// Not before this time.
    from: Option<DateTime<Utc>>,
    /// Before this time.
    to: Option<DateTime<Utc>>,
}

/// A column of the database that holds something of persons.
#[derive(SimpleObject)]
pub(crate) struct PersonalColumn {
    /// The table, as `schema.table`.
    table: String,
    /// Whose rows it holds: `tenant`, `person` or `platform`.
    table_class: String,
    /// The column.
    column: String,
    /// What it holds of persons: `NAME`, `CONTACT`, `CREDENTIAL`, `SUBJECT` (who it is), `CONTENT` or `ADDRESS`.
    class: String,
    /// What it is.
    description: String,
    /// Whether persons get it in an export of their data.
    is_exported: bool,
    /// What is done with the table when a person is erased, as SQL in which `$1` is the person.
    erasing: Vec<String>,
}

impl From<Entry> for PersonalColumn {
    fn from(entry: Entry) -> Self {
        let Entry { table, class, column, pii, description, exported, erasing } = entry;
        let (table_class, class) = (class.to_owned(), pii.to_owned());
        Self { table, table_class, column, class, description, is_exported: exported, erasing }
    }
}

/// Queries about the audit.
#[derive(Default)]
pub(crate) struct AuditQuery;

#[Object]
impl AuditQuery {
    /// What was done in the organization, the newest first. Needs `audit:read`, and is audited itself.
    async fn audit_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only these.")] filter: Option<AuditEntryFilter>,
        #[graphql(desc = "At most so many from the start, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Begin after this cursor.")] after: Option<String>,
        #[graphql(desc = "At most so many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "End before this cursor.")] before: Option<String>,
    ) -> Result<Connection<AuditEntry>, Error<AuditError>> {
        let page = Page::try_new((first, after), (last, before), PageLimits::USUAL);
        let page = page.map_err(AuditError::from)?;
        let AuditEntryFilter { actor_id, action, subject, key, from, to } = filter.unwrap_or_default();
        // What is no id is the id of nothing.
        let key = key.map(|key| key.parse::<Uuid>().unwrap_or_default());
        let wanted = AuditList { actor: actor_id, action, subject, key, from, to };
        let rows = audit::page(ctx.session(), &wanted, &page).await?;
        let total = Total::new(move |session| {
            let wanted = wanted.clone();
            async move { audit::count(&session, &wanted).await }
        });
        Ok(page.connection(rows, total, |row| (Cursor::new(&(row.id,)), AuditEntry::from(row))))
    }

    /// What is stored about persons and where, by the declarations of the database itself. Needs `audit:read`.
    async fn privacy_inventory(&self, ctx: &Context<'_>) -> Result<Vec<PersonalColumn>, Error> {
        Ok(audit::inventory(ctx.session()).await?.into_iter().map(PersonalColumn::from).collect())
    }
}
