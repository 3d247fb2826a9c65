//! Seals what is stored in plain, or under a key of before.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pulse_graphql::Service;
use pulse_sealing::{OpenError, Sealer};
use pulse_store::{Connection, Store, StoreError};
use pulse_types::{OrgId, WebhookId};
use sqlx::FromRow;
use tokio_util::sync::CancellationToken;

use super::secret;
use crate::dispatch::repo::inside;

/// How often it is looked: another process may still be one that stores them in plain.
const PAUSE: Duration = Duration::from_hours(1);

/// How many webhooks are found by one statement.
const AT_ONCE: i64 = 100;

/// Seals the signing secrets of one database with the key of now. It changes nothing that a webhook's owner could see, so
/// it is neither a version nor an audit fact.
pub struct Resealer {
    store: Store,
    sealer: Sealer,
}

#[derive(FromRow)]
struct Stored {
    secret: String,
    previous_secret: Option<String>,
}

impl Resealer {
    /// Seals what is stored in `store` with the newest key of `sealer`.
    pub const fn new(store: Store, sealer: Sealer) -> Self {
        Self { store, sealer }
    }

    /// Seals all that need it; how many webhooks could not be, for want of a key.
    pub async fn reseal(&self) -> Result<usize, StoreError> {
        let (mut after, mut failed) = (WebhookId::from_uuid(uuid::Uuid::nil()), 0);
        loop {
            let found = self.unsealed(after).await?;
            let Some((last, _)) = found.last() else { return Ok(failed) };
            after = *last;
            for (webhook, tenant) in found {
                if let Err(error) = self.reseal_one(tenant, webhook).await? {
                    tracing::error!(%webhook, %error, "a webhook's signing secret cannot be read: nothing is sent to it");
                    failed += 1;
                }
            }
        }
    }

    async fn unsealed(&self, after: WebhookId) -> Result<Vec<(WebhookId, OrgId)>, StoreError> {
        let query = sqlx::query_as(
            "SELECT webhook, tenant FROM operations.dispatch
              WHERE webhook > $1 AND key_id IS DISTINCT FROM $2 ORDER BY webhook LIMIT $3",
        );
        let query = query.bind(after).bind(self.sealer.key_id().as_str()).bind(AT_ONCE);
        let mut connection = self.store.system().await?;
        let found = connection.fetch_all("dispatch.unsealed", query).await?;
        connection.commit().await?;
        Ok(found)
    }

    async fn reseal_one(&self, tenant: OrgId, id: WebhookId) -> Result<Result<(), OpenError>, StoreError> {
        let mut connection = inside(&self.store, tenant).await?;
        let lock = sqlx::query_as(
            "SELECT secret, previous_secret FROM operations.webhooks WHERE id = $1 FOR NO KEY UPDATE",
        );
        let stored: Option<Stored> =
            connection.fetch_optional("webhooks.lock_secrets", lock.bind(id)).await?;
        // Deleted meanwhile.
        let Some(stored) = stored else { return Ok(Ok(())) };
        match self.sealed_anew(&stored, (tenant, id)) {
            Ok(sealed) => self.keep(connection, id, sealed).await.map(Ok),
            Err(error) => Ok(Err(error)),
        }
    }

    fn sealed_anew(&self, stored: &Stored, key: (OrgId, WebhookId)) -> Result<Stored, OpenError> {
        let anew = |text: &str| {
            let secret = secret::open(&self.sealer, text, key)?;
            Ok(secret::seal(&self.sealer, &secret, key))
        };
        let previous_secret = stored.previous_secret.as_deref().map(anew).transpose()?;
        Ok(Stored { secret: anew(&stored.secret)?, previous_secret })
    }

    async fn keep(
        &self,
        mut connection: Connection,
        id: WebhookId,
        sealed: Stored,
    ) -> Result<(), StoreError> {
        let update =
            sqlx::query("UPDATE operations.webhooks SET secret = $2, previous_secret = $3 WHERE id = $1");
        let update = update.bind(id).bind(sealed.secret).bind(sealed.previous_secret);
        connection.execute("webhooks.reseal", update).await?;
        let mark = sqlx::query("UPDATE operations.dispatch SET key_id = $2 WHERE webhook = $1");
        let mark = mark.bind(id).bind(self.sealer.key_id().as_str());
        connection.execute("dispatch.resealed", mark).await?;
        connection.commit().await
    }
}

#[async_trait]
impl Service for Resealer {
    fn name(&self) -> &'static str {
        "operations.reseal"
    }

    async fn run(self: Arc<Self>, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if let Err(error) = self.reseal().await {
                tracing::warn!(%error, "signing secrets were not all sealed; it is tried again in an hour");
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }
}
