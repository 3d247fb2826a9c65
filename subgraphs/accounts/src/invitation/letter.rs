//! What the letter of an invitation says.

use chrono::{DateTime, Utc};
use pulse_store::{Session, StoreError};
use pulse_types::{InvitationId, OrgId, Role, Secret};

use super::answering::inviter_name;
use super::entity::State;
use super::{fact, repo};
use crate::organization;
use crate::token::{RandomToken, TokenKind};
use crate::user::EmailAddress;

/// What is written to whoever is invited.
pub(crate) struct Issued {
    pub(crate) to: EmailAddress,
    pub(crate) token: Secret,
    pub(crate) organization: String,
    pub(crate) inviter: Option<String>,
    pub(crate) role: Role,
    pub(crate) expires_at: DateTime<Utc>,
}

/// Makes the token of a letter, in a session of the tenant. The one before it is good no more. `None` when the invitation has
/// changed since the letter was asked for, or was answered.
pub(crate) async fn issue(
    tenant: &Session,
    (org, id): (OrgId, InvitationId),
    version: i64,
) -> Result<Option<Issued>, StoreError> {
    let Some(seen) = organization::find(tenant, vec![org]).await?.remove(&org) else { return Ok(None) };
    let mut write = tenant.write().await?;
    let Some(row) = repo::lock_in_tx(&mut write, (org, id), None).await? else { return Ok(None) };
    let to = EmailAddress::try_new(&row.email).ok();
    let is_wanted = row.state_at(write.now()) == State::Open && row.version == version;
    let Some(to) = to.filter(|_| is_wanted) else { return Ok(None) };
    let RandomToken { token, hash } = RandomToken::new(TokenKind::Invitation);
    repo::set_hash_in_tx(&mut write, (org, id), hash).await?;
    write.commit(fact("invitation:send", id, version)).await?;
    let inviter = inviter_name(tenant, row.inviter).await?;
    // Two connections at once are more than there may be for each of many letters.
    tenant.forget().await;
    let organization = seen.organization.name;
    Ok(Some(Issued { to, token, organization, inviter, role: row.role.0, expires_at: row.expires_at }))
}
