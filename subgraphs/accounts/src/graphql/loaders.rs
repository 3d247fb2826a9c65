//! Reads by key: one statement for all keys of one turn.

use std::collections::HashMap;

use pulse_graphql::{Batch, Loader};
use pulse_store::{Session, StoreError};
use pulse_types::{OrgId, UserId};

use crate::organization::{self, Seen};
use crate::user::{self, UserRow};

/// The loaders of one request; they carry its caller.
pub(crate) struct Loaders {
    pub(super) users: Loader<UserId, Users>,
    pub(super) organizations: Loader<OrgId, Organizations>,
}

impl Loaders {
    pub(crate) fn new(session: &Session) -> Self {
        Self {
            users: Loader::new(Users(session.clone())),
            organizations: Loader::new(Organizations(session.clone())),
        }
    }
}

/// Users that the caller may see.
pub(super) struct Users(Session);

impl Batch<UserId> for Users {
    type Value = UserRow;

    async fn load(&self, keys: Vec<UserId>) -> Result<HashMap<UserId, UserRow>, StoreError> {
        user::find(&self.0, &keys).await
    }
}

/// Organizations that the caller may see.
pub(super) struct Organizations(Session);

impl Batch<OrgId> for Organizations {
    type Value = Seen;

    async fn load(&self, keys: Vec<OrgId>) -> Result<HashMap<OrgId, Seen>, StoreError> {
        organization::find(&self.0, keys).await
    }
}
