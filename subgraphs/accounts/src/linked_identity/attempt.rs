//! People who were sent to an issuer: each attempt is good once, for minutes, for the browser that began it.

use chrono::TimeDelta;
use pulse_graphql::Error;
use pulse_sealing::{Place, Sealer};
use pulse_store::{AuditFact, Session, StoreError, Write};
use pulse_types::{Secret, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::IdentityError;
use crate::oidc::Sent;
use crate::throttle::{self, Attempt};
use crate::token::{RandomToken, TokenHash, TokenKind};

/// What an attempt is for.
pub(super) const SUBJECT: &str = "accounts.oidc_attempt";

/// Somebody who is on the way.
pub(crate) struct Begun {
    /// Where to send the browser.
    pub(crate) url: String,
    /// What the browser keeps, and shows with the answer.
    pub(crate) secret: Secret,
    /// Until when the answer is taken.
    pub(crate) expires_at: chrono::DateTime<chrono::Utc>,
}

/// Somebody who is back.
pub(super) struct Back {
    pub(super) provider: String,
    pub(super) redirect_uri: String,
    pub(super) nonce: String,
    pub(super) verifier: String,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    nonce: String,
    verifier: String,
}

/// Writes the attempt down, and forgets those that took too long.
pub(super) async fn begin(
    session: &Session,
    (sealer, lifetime): (&Sealer, std::time::Duration),
    (provider, redirect_uri, actor): (&str, &str, Option<UserId>),
    (sent, counted): (Sent, Option<&Attempt>),
) -> Result<Begun, Error<IdentityError>> {
    let Sent { url, state, nonce, verifier } = sent;
    let RandomToken { token: secret, hash: browser } = RandomToken::new(TokenKind::OneTime);
    let state = TokenHash::of(&Secret::new(state));
    let kept = serde_json::to_string(&Kept { nonce, verifier }).expect("two texts serialize");
    let locked = sealer.seal(&Secret::new(kept), place(state));
    let mut write = throttle::nobody(session).write().await?;
    let expires_at = write.now() + TimeDelta::from_std(lifetime).unwrap_or(TimeDelta::minutes(10));
    forget_in_tx(&mut write).await?;
    if let Some(counted) = counted {
        counted.count_in_tx(&mut write).await?.map_err(IdentityError::from)?;
    }
    let sql = "INSERT INTO accounts.oidc_attempts (state_hash, browser_hash, provider, actor, secrets, redirect_uri,
                   expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let insert = sqlx::query(sql)
        .bind(state.as_bytes().to_vec())
        .bind(browser.as_bytes().to_vec())
        .bind(provider)
        .bind(actor)
        .bind(locked)
        .bind(redirect_uri)
        .bind(expires_at);
    write.execute("oidc_attempts.insert", insert).await?;
    write.commit(fact("oidc:start")).await?;
    Ok(Begun { url: url.into(), secret, expires_at })
}

/// Takes the attempt that this state and this browser's secret belong to: nobody takes it again, however this one ends.
pub(super) async fn take(
    session: &Session,
    sealer: &Sealer,
    (state, secret): (&Secret, &Secret),
    actor: Option<UserId>,
) -> Result<Back, Error<IdentityError>> {
    let (state, browser) = (TokenHash::of(state), TokenHash::of(secret));
    let mut write = throttle::nobody(session).write().await?;
    let sql = "DELETE FROM accounts.oidc_attempts
                WHERE state_hash = $1 AND browser_hash = $2 AND actor IS NOT DISTINCT FROM $3 AND expires_at > $4
               RETURNING provider, redirect_uri, secrets";
    let take = sqlx::query_as(sql)
        .bind(state.as_bytes().to_vec())
        .bind(browser.as_bytes().to_vec())
        .bind(actor)
        .bind(write.now());
    let row: Option<(String, String, String)> = write.fetch_optional("oidc_attempts.take", take).await?;
    let (provider, redirect_uri, locked) = row.ok_or(IdentityError::Attempt)?;
    write.commit(fact("oidc:return")).await?;
    // Sealed with a key that is gone meanwhile: start again.
    let opened = sealer.open(&locked, place(state)).map_err(|_| IdentityError::Attempt)?;
    let Kept { nonce, verifier } = serde_json::from_str(opened.expose()).map_err(Error::internal)?;
    Ok(Back { provider, redirect_uri, nonce, verifier })
}

async fn forget_in_tx(write: &mut Write) -> Result<(), StoreError> {
    let forget = sqlx::query("DELETE FROM accounts.oidc_attempts WHERE expires_at <= $1").bind(write.now());
    write.execute("oidc_attempts.forget", forget).await.map(drop)
}

/// The row has no id of its own: the state's hash is as good.
fn place(state: TokenHash) -> Place {
    let (row, _) = state.as_bytes().split_first_chunk::<16>().expect("a hash has 32 bytes");
    Place { owner: Uuid::nil(), column: "accounts.oidc_attempts.secrets", row: Uuid::from_bytes(*row) }
}

pub(super) const fn fact(action: &'static str) -> AuditFact {
    AuditFact { action, subject: SUBJECT, key: None, version: None, items: 1 }
}
