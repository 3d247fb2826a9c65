//! Idempotency of what belongs to no tenant when it is made. What is made inside a tenant uses `Session::write_once`.

use pulse_store::{IdempotencyKey, InvalidIdempotencyKey, StoreError, Write};
use pulse_types::UserId;
use serde::Serialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// One creation by one person, repeatable under one key.
#[derive(Debug, Clone)]
pub(crate) struct Creation {
    operation: &'static str,
    key: String,
    request: Vec<u8>,
}

impl Creation {
    /// `request` is all that was asked for, without secrets.
    pub(crate) fn try_new(
        operation: &'static str,
        key: String,
        request: &impl Serialize,
    ) -> Result<Self, InvalidIdempotencyKey> {
        IdempotencyKey::try_new(key.clone())?;
        let json = serde_json::to_vec(request).expect("plain values serialize");
        Ok(Self { operation, key, request: Sha256::digest(json).to_vec() })
    }

    /// Takes the key for `created`, or finds what was made under it before. A request with the same key that is still
    /// running is waited for.
    pub(crate) async fn claim_in_tx(
        &self,
        write: &mut Write,
        user: UserId,
        created: Uuid,
    ) -> Result<Option<Uuid>, StoreError> {
        let sql = "INSERT INTO accounts.creations (user_id, operation, key, request, created, at)
                   VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
        let insert = sqlx::query(sql).bind(user).bind(self.operation).bind(&self.key).bind(&self.request);
        let insert = insert.bind(created).bind(write.now());
        if write.execute("creations.claim", insert).await? == 1 {
            Ok(None)
        } else {
            self.made_before_in_tx(write, user).await
        }
    }

    /// What this person made under this key, if anything.
    pub(crate) async fn made_before_in_tx(
        &self,
        write: &mut Write,
        user: UserId,
    ) -> Result<Option<Uuid>, StoreError> {
        let sql = "SELECT request, created FROM accounts.creations WHERE user_id = $1 AND operation = $2 AND key = $3";
        let find = sqlx::query_as(sql).bind(user).bind(self.operation).bind(&self.key);
        match write.fetch_optional::<(Vec<u8>, Uuid)>("creations.find", find).await? {
            Some((request, created)) if request == self.request => Ok(Some(created)),
            Some(_) => Err(StoreError::KeyReused),
            None => Ok(None),
        }
    }
}
