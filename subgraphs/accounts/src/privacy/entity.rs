//! Rows of requests about persons.

use chrono::{DateTime, Utc};
use pulse_types::{OrgId, PrivacyRequestId, UserId};
use sqlx::FromRow;

/// How far a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type, async_graphql::Enum)]
#[sqlx(type_name = "text", rename_all = "lowercase")]
#[graphql(name = "PrivacyRequestStatus")]
pub(crate) enum RequestStatus {
    /// Its time has not come.
    Waiting,
    /// Those who have something of the person are at it.
    Running,
    /// All of it is done.
    Completed,
    /// It was taken back.
    Cancelled,
}

/// A request about a person.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct RequestRow {
    pub(crate) id: PrivacyRequestId,
    pub(crate) person: Option<UserId>,
    pub(crate) tenant: Option<OrgId>,
    pub(crate) status: RequestStatus,
    pub(crate) due_at: DateTime<Utc>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) finished_at: Option<DateTime<Utc>>,
    pub(crate) expires_at: Option<DateTime<Utc>>,
    pub(crate) bytes: Option<i64>,
}

/// What stands against erasing somebody.
#[derive(Debug, Clone, Copy, FromRow)]
pub(crate) struct Obstacles {
    /// The person is a member of another organization.
    pub(crate) elsewhere: bool,
    /// The person is the only owner of an organization that has other members.
    pub(crate) sole_owner: bool,
}
