//! Reads by key: one statement for all keys of one turn.

use std::collections::HashMap;
use std::sync::Arc;

use pulse_graphql::{Batch, Loader};
use pulse_store::{CachedRead, Scope, Session, Space, StoreError, Tagging};
use pulse_types::{MachineId, OrgId, Permission, RoleId, Tag, UserId};

use crate::machine::{self, Kind, MachineRow};
use crate::organization::{self, Seen};
use crate::role::{self, RoleRow};
use crate::unit::{self, Inside, ListedMember, Slice, Tree, UnitMemberRow};
use crate::user::{self, UserRow};

/// The loaders of one request; they carry its caller.
pub(crate) struct Loaders {
    session: Session,
    pub(super) users: Loader<UserId, Users>,
    pub(super) organizations: Loader<OrgId, Organizations>,
    pub(super) api_keys: Loader<MachineId, ApiKeys>,
    pub(super) roles: Loader<RoleId, Roles>,
    pub(super) units: Loader<OrgId, Units>,
    pub(super) unit_members: Loader<(Inside, Slice), UnitMembers>,
    pub(super) unit_member_counts: Arc<Loader<Inside, UnitMemberCounts>>,
    pub(super) units_of: Loader<UserId, UnitsOf>,
    members: Loader<UserId, Members>,
}

impl Loaders {
    pub(crate) fn new(session: &Session) -> Self {
        Self {
            session: session.clone(),
            users: Loader::new(Users(session.clone())),
            organizations: Loader::new(Organizations(session.clone())),
            api_keys: Loader::new(ApiKeys(session.clone())),
            roles: Loader::new(Roles(session.clone())),
            units: Loader::new(Units(session.clone())),
            unit_members: Loader::new(UnitMembers(session.clone())),
            unit_member_counts: Arc::new(Loader::new(UnitMemberCounts(session.clone()))),
            units_of: Loader::new(UnitsOf(session.clone())),
            members: Loader::new(Members(session.clone())),
        }
    }

    /// A member of the tenant, for a caller who may see this one, be it by its rights in the tenant or on a unit.
    pub(super) async fn member(&self, id: UserId) -> Result<Option<UserRow>, StoreError> {
        if self.session.caller().require(&Permission::MEMBER_READ).is_ok() {
            self.users.load(id).await
        } else {
            self.members.load(id).await
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

/// Units are the same for everybody in the tenant; what of them a caller sees is asked after reading.
static UNITS: CachedRead<OrgId, Tree> = CachedRead {
    space: Space::new("accounts.units", 1).within_process(),
    scope: Scope::Tenant,
    tagging: Tagging::By(|_, _, _| vec![Tag::list(unit::SUBJECT)]),
    load: |session, orgs| Box::pin(unit::trees(session, orgs)),
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

/// The units of tenants. They are read as a whole: whoever asks for one mostly asks for what is around it.
pub(super) struct Units(Session);

impl Batch<OrgId> for Units {
    type Value = Tree;

    async fn load(&self, keys: Vec<OrgId>) -> Result<HashMap<OrgId, Tree>, StoreError> {
        self.0.read_through(&UNITS, keys).await
    }
}

/// Pages of units' members, for a caller who may see these.
pub(super) struct UnitMembers(Session);

impl Batch<(Inside, Slice)> for UnitMembers {
    type Value = Vec<ListedMember>;

    async fn load(
        &self,
        keys: Vec<(Inside, Slice)>,
    ) -> Result<HashMap<(Inside, Slice), Vec<ListedMember>>, StoreError> {
        unit::pages(&self.0, keys).await
    }
}

/// How many members units have, for a caller who may know.
pub(super) struct UnitMemberCounts(Session);

impl Batch<Inside> for UnitMemberCounts {
    type Value = i64;

    async fn load(&self, keys: Vec<Inside>) -> Result<HashMap<Inside, i64>, StoreError> {
        unit::count_members(&self.0, keys).await
    }
}

/// The units that people belong to in the tenant, whatever the caller may see of them.
pub(super) struct UnitsOf(Session);

impl Batch<UserId> for UnitsOf {
    type Value = Vec<UnitMemberRow>;

    async fn load(&self, keys: Vec<UserId>) -> Result<HashMap<UserId, Vec<UnitMemberRow>>, StoreError> {
        unit::of_people(&self.0, &keys).await
    }
}

/// Members of the tenant, for a caller who may see these.
pub(super) struct Members(Session);

impl Batch<UserId> for Members {
    type Value = UserRow;

    async fn load(&self, keys: Vec<UserId>) -> Result<HashMap<UserId, UserRow>, StoreError> {
        user::find_members(&self.0, &keys).await
    }
}
