//! Seals anew what was sealed with a key of before, so that the key can be taken away.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pulse_graphql::Service;
use pulse_sealing::{OpenError, Place, Sealer};
use pulse_store::{AuditFact, Store, StoreError, Write};
use pulse_types::{Caller, IdentityProviderId, OrgId, RequestId, UserId};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{factor, identity_provider, signing_keys, user};

/// How often it is looked: another process may still seal with the key of before.
const PAUSE: Duration = Duration::from_hours(1);

/// How many secrets are found by one statement.
const AT_ONCE: i64 = 100;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Resealed {
    /// Secrets that are sealed with the key of now, and were not.
    pub sealed: u64,
    /// Secrets that could not be opened: their key is not configured, or they were changed.
    pub failed: u64,
}

/// Seals secrets of accounts with the key of now: clients of issuers, people's apps, keys that sign tokens. Each by itself, so that
/// it can be broken off at any time and gone on with; what is done is not found again.
pub struct Resealer {
    store: Store,
    sealer: Sealer,
}

/// Secrets of one column: where those are that do not begin so, and how one is read and kept by whom it belongs to.
struct Column {
    find: &'static str,
    read: &'static str,
    keep: &'static str,
    place: fn(Uuid, Uuid) -> Place,
    /// Whether the owner is a tenant; else a person.
    of_tenant: bool,
    fact: (&'static str, &'static str),
}

const COLUMNS: [Column; 2] = [
    Column {
        find: "SELECT org_id, id FROM accounts.identity_providers
                WHERE id > $2 AND NOT starts_with(client_secret, $1) ORDER BY id LIMIT $3",
        read: "SELECT client_secret FROM accounts.identity_providers
                WHERE org_id = $1 AND id = $2 AND client_secret IS NOT NULL FOR NO KEY UPDATE",
        keep: "UPDATE accounts.identity_providers SET client_secret = $3 WHERE org_id = $1 AND id = $2",
        place: |org, id| identity_provider::place((OrgId::from_uuid(org), IdentityProviderId::from_uuid(id))),
        of_tenant: true,
        fact: ("identity_provider:reseal", identity_provider::SUBJECT),
    },
    Column {
        find: "SELECT user_id, user_id FROM accounts.totp_factors
                WHERE user_id > $2 AND NOT starts_with(secret, $1) ORDER BY user_id LIMIT $3",
        read: "SELECT secret FROM accounts.totp_factors WHERE user_id = $1 AND user_id = $2 FOR NO KEY UPDATE",
        keep: "UPDATE accounts.totp_factors SET secret = $3 WHERE user_id = $1 AND user_id = $2",
        place: |user, _| factor::place(UserId::from_uuid(user)),
        of_tenant: false,
        fact: ("factor:reseal", user::SUBJECT),
    },
];

impl Resealer {
    /// Seals what is stored in `store` with the newest key of `sealer`.
    pub const fn new(store: Store, sealer: Sealer) -> Self {
        Self { store, sealer }
    }

    /// Seals all that need it. `progress` hears after each how many were done.
    pub async fn reseal(&self, mut progress: impl FnMut(Resealed) + Send) -> Result<Resealed, StoreError> {
        let keys = signing_keys::reseal(&self.store, &self.sealer).await?;
        let mut all = Resealed { sealed: keys, failed: 0 };
        progress(all);
        for column in &COLUMNS {
            let mut behind = Uuid::nil();
            loop {
                let found = self.sealed_otherwise(column, behind).await?;
                let Some((_, last)) = found.last() else { break };
                behind = *last;
                for (owner, id) in found {
                    match self.seal_one(column, (owner, id)).await? {
                        Ok(sealed) => all.sealed += u64::from(sealed),
                        Err(error) => {
                            let (action, _) = column.fact;
                            tracing::error!(action, %id, %error, "a secret cannot be sealed anew");
                            all.failed += 1;
                        }
                    }
                    progress(all);
                }
            }
        }
        Ok(all)
    }

    /// Whose secrets there are, and in which rows; of the secrets nothing.
    async fn sealed_otherwise(&self, column: &Column, behind: Uuid) -> Result<Vec<(Uuid, Uuid)>, StoreError> {
        let find = sqlx::query_as(column.find).bind(self.sealer.beginning()).bind(behind).bind(AT_ONCE);
        let mut connection = self.store.privacy().await?;
        let found = connection.fetch_all("resealing.find", find).await?;
        connection.commit().await?;
        Ok(found)
    }

    /// Whether it was still there.
    async fn seal_one(
        &self,
        column: &Column,
        (owner, id): (Uuid, Uuid),
    ) -> Result<Result<bool, OpenError>, StoreError> {
        let mut write = self.write_for(column, owner).await?;
        let read = sqlx::query_as(column.read).bind(owner).bind(id);
        let row: Option<(String,)> = write.fetch_optional("resealing.read", read).await?;
        let Some((stored,)) = row.filter(|(stored,)| !stored.starts_with(&self.sealer.beginning())) else {
            return Ok(Ok(false));
        };
        let place = (column.place)(owner, id);
        let secret = match self.sealer.open(&stored, place) {
            Ok(secret) => secret,
            Err(error) => return Ok(Err(error)),
        };
        let keep = sqlx::query(column.keep).bind(owner).bind(id).bind(self.sealer.seal(&secret, place));
        write.execute("resealing.keep", keep).await?;
        let (action, subject) = column.fact;
        write.commit(AuditFact { action, subject, key: Some(id), version: None, items: 1 }).await?;
        Ok(Ok(true))
    }

    async fn write_for(&self, column: &Column, owner: Uuid) -> Result<Write, StoreError> {
        let request = RequestId::new(self.store.clock().now());
        if column.of_tenant {
            let caller = Caller::system(OrgId::from_uuid(owner), request);
            return self.store.session(Arc::new(caller)).write().await;
        }
        let mut write = self.store.session(Arc::new(Caller::process(request))).write().await?;
        write.act_as(UserId::from_uuid(owner)).await?;
        Ok(write)
    }
}

#[async_trait]
impl Service for Resealer {
    fn name(&self) -> &'static str {
        "accounts.reseal"
    }

    async fn run(self: Arc<Self>, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let resealed = tokio::select! {
                () = stop.cancelled() => return,
                resealed = self.reseal(|_| {}) => resealed,
            };
            if let Err(error) = resealed {
                tracing::warn!(%error, "secrets were not all sealed anew; it is tried again in an hour");
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }
}
