//! Consumer groups: each reads the log from its own place, one process at a time, and moves on only together with what it
//! did.

mod admin;
mod runner;

use async_trait::async_trait;
use pulse_store::{Connection, StoreError};
use pulse_types::{Change, OrgId};

pub use admin::{DeadLetter, Group, Groups};
pub use runner::{GroupOptions, GroupRunner, Step};

/// Where a group that is new begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// With what retention has left.
    Oldest,
    /// With what is committed from now on.
    Now,
}

/// What a consumer group does with the changes that it reads.
///
/// A batch and the group's new position are committed together: what a handler writes through [`Handling`] happens exactly
/// once for each change. What it does elsewhere may happen again after a crash.
#[async_trait]
pub trait Consumer: Send + Sync + 'static {
    /// The group's name, `subgraph.what`. Its position is stored under it.
    fn name(&self) -> &'static str;

    /// Where the group begins when it is new.
    fn begin(&self) -> Begin {
        Begin::Now
    }

    /// Whether a change is handed to the group at all.
    fn wants(&self, change: &Change) -> bool;

    /// Handles changes, which come in the log's order. A batch that fails is handed in again, one change at a time.
    async fn handle(&self, changes: &[&Change], handling: &mut Handling<'_>) -> Result<(), ConsumerError>;

    /// What was handled is committed: others that wait for it in this process may be told.
    fn committed(&self) {}
}

/// Why changes could not be handled. The text is kept with the group.
#[derive(Debug, thiserror::Error)]
pub enum ConsumerError {
    /// Trying again may help.
    #[error("{0}")]
    Retry(String),
    /// Trying again cannot help: the change goes to the dead letters.
    #[error("{0}")]
    Fatal(String),
    /// The database did not do what was asked. An outage counts as no attempt.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ConsumerError {
    /// As those may read it whose event it is.
    fn shown(&self) -> String {
        match self {
            Self::Retry(reason) | Self::Fatal(reason) => reason.clone(),
            Self::Store(error) => format!("the database did not do it ({})", error.kind()),
        }
    }
}

/// The transaction in which a batch is handled.
pub struct Handling<'a> {
    connection: &'a mut Connection,
    /// The tenant that it acts in now; `None` for none.
    tenant: Option<OrgId>,
    as_app: bool,
}

impl<'a> Handling<'a> {
    fn new(connection: &'a mut Connection) -> Self {
        Self { connection, tenant: None, as_app: false }
    }

    /// On platform tables, across tenants.
    pub async fn system(&mut self) -> Result<&mut Connection, StoreError> {
        if self.as_app {
            let set = sqlx::query(
                "SELECT set_config('role', 'pulse_system', true), set_config('pulse.org_id', '', true)",
            );
            self.connection.execute("handling.system", set).await?;
            (self.as_app, self.tenant) = (false, None);
        }
        Ok(self.connection)
    }

    /// On the rows of one tenant, behind its walls.
    pub async fn tenant(&mut self, tenant: OrgId) -> Result<&mut Connection, StoreError> {
        if self.tenant != Some(tenant) {
            let set = sqlx::query(
                "SELECT set_config('pulse.org_id', $1, true), set_config('role', 'pulse_app', true)",
            );
            self.connection.execute("handling.tenant", set.bind(tenant.to_string())).await?;
            (self.as_app, self.tenant) = (true, Some(tenant));
        }
        Ok(self.connection)
    }
}
