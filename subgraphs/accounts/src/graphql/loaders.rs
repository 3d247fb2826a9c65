//! Reads by key: one statement for all keys of one turn.

use std::collections::HashMap;

use pulse_graphql::{Batch, Loader};
use pulse_store::{CachedRead, Scope, Session, Space, StoreError, Tagging};
use pulse_types::{MachineId, OrgId, RoleId, UserId};

use crate::machine::{self, Kind, MachineRow};
use crate::organization::{self, Seen};
use crate::role::{self, RoleRow};
use crate::user::{self, UserRow};

/// The loaders of one request; they carry its caller.
pub(crate) struct Loaders {
    pub(super) users: Loader<UserId, Users>,
    pub(super) organizations: Loader<OrgId, Organizations>,
    pub(super) api_keys: Loader<MachineId, ApiKeys>,
    pub(super) roles: Loader<RoleId, Roles>,
}

impl Loaders {
    pub(crate) fn new(session: &Session) -> Self {
        Self {
            users: Loader::new(Users(session.clone())),
            organizations: Loader::new(Organizations(session.clone())),
            api_keys: Loader::new(ApiKeys(session.clone())),
            roles: Loader::new(Roles(session.clone())),
        }
    }
}

/// What is kept of people is each caller's own, and stays in the process.
static USERS: CachedRead<UserId, UserRow> = CachedRead {
    space: Space::new("accounts.user_by_id", 1).within_process(),
    scope: Scope::Caller,
    tagging: Tagging::By(|caller, id, _| user::tags_of(caller, *id)),
    load: |session, ids| Box::pin(async move { user::find(session, &ids).await }),
};

static ORGANIZATIONS: CachedRead<OrgId, Seen> = CachedRead {
    space: Space::new("accounts.organization_by_id", 1).within_process(),
    scope: Scope::Caller,
    tagging: Tagging::By(|caller, id, _| organization::tags_of(caller, *id)),
    load: |session, ids| Box::pin(organization::find(session, ids)),
};

/// Users that the caller may see.
pub(super) struct Users(Session);

impl Batch<UserId> for Users {
    type Value = UserRow;

    async fn load(&self, keys: Vec<UserId>) -> Result<HashMap<UserId, UserRow>, StoreError> {
        self.0.read_through(&USERS, keys).await
    }
}

/// Organizations that the caller may see.
pub(super) struct Organizations(Session);

impl Batch<OrgId> for Organizations {
    type Value = Seen;

    async fn load(&self, keys: Vec<OrgId>) -> Result<HashMap<OrgId, Seen>, StoreError> {
        self.0.read_through(&ORGANIZATIONS, keys).await
    }
}

/// API keys that the caller may see. They are not kept: being used changes them, and nobody is told.
pub(super) struct ApiKeys(Session);

impl Batch<MachineId> for ApiKeys {
    type Value = MachineRow;

    async fn load(&self, keys: Vec<MachineId>) -> Result<HashMap<MachineId, MachineRow>, StoreError> {
        machine::find(&self.0, Kind::ApiKey, &keys).await
    }
}

/// The tenant's own roles, for those who may see them.
pub(super) struct Roles(Session);

impl Batch<RoleId> for Roles {
    type Value = RoleRow;

    async fn load(&self, keys: Vec<RoleId>) -> Result<HashMap<RoleId, RoleRow>, StoreError> {
        role::find(&self.0, &keys).await
    }
}
