//! Sessions that an issuer has vouched for. Those of an organization's own issuer stay in that organization.

use pulse_graphql::Error;
use pulse_store::{EventKind, Session, StoreError, Write};
use pulse_types::{Caller, IdentityId, OrgId, Refusal, SessionId, UserId};

use super::entity::EndReason;
use super::{SignedIn, event, fact, give_token_in_tx, grant, repo};
use crate::authority::Authority;
use crate::organization::Seen;
use crate::user::UserRow;

/// By whom a session is begun.
pub(crate) struct VouchedBy<'a> {
    /// Who the person is there.
    pub(crate) identity: IdentityId,
    /// What the API calls the issuer.
    pub(crate) provider: &'a str,
    /// The organization that it stays in; `None` if it need not.
    pub(crate) confined_to: Option<OrgId>,
}

/// Begins a session in a write that acts as the person, and commits it.
pub(crate) async fn begin<E>(
    mut write: Write,
    authority: &Authority,
    (row, caller): (UserRow, &Caller),
    organization: Option<Seen>,
    VouchedBy { identity, provider, confined_to }: VouchedBy<'_>,
) -> Result<SignedIn, Error<E>> {
    let id = SessionId::new(write.now());
    let key = (row.id, id);
    let in_organization = organization.as_ref().map(|seen| seen.organization.id);
    if !repo::insert_in_tx(&mut write, key, in_organization).await? {
        return Err(Refusal::Unauthenticated.into());
    }
    repo::use_in_tx(&mut write, key, caller.origin.as_deref()).await?;
    let sql =
        "INSERT INTO accounts.session_origins (user_id, session_id, identity_id, provider, organization)
               VALUES ($1, $2, $3, $4, $5)";
    let insert = sqlx::query(sql).bind(row.id).bind(id).bind(identity).bind(provider).bind(confined_to);
    write.execute("session_origins.insert", insert).await?;
    // A session belongs to a person, in whatever tenant the write acts by now.
    write.event_of_no_tenant(event(EventKind::Created, key));
    let token = give_token_in_tx(&mut write, authority, key).await?;
    let now = write.now();
    write.commit(fact("session:create", id)).await?;
    grant(authority, (row, id), organization, (Some(token), now)).await
}

/// The organization that the session stays in, if it must stay in one.
pub(super) async fn of(
    person: &Session,
    (user, session): (UserId, SessionId),
) -> Result<Option<OrgId>, StoreError> {
    let sql = "SELECT organization FROM accounts.session_origins
                WHERE user_id = $1 AND session_id = $2 AND organization IS NOT NULL";
    let find = sqlx::query_as(sql).bind(user).bind(session);
    let row: Option<(OrgId,)> = person.fetch_optional("session_origins.organization", find).await?;
    Ok(row.map(|(organization,)| organization))
}

/// The same of the caller's session.
pub(crate) async fn confinement(session: &Session) -> Result<Option<OrgId>, StoreError> {
    match (session.caller().user(), session.caller().session) {
        (Some(user), Some(id)) => of(session, (user, id)).await,
        _ => Ok(None),
    }
}

/// What the API calls the issuer by which the caller's session was begun, if one was.
pub(crate) async fn provider_of(session: &Session) -> Result<Option<String>, StoreError> {
    let (Some(user), Some(id)) = (session.caller().user(), session.caller().session) else {
        return Ok(None);
    };
    let sql = "SELECT provider FROM accounts.session_origins WHERE user_id = $1 AND session_id = $2";
    let find = sqlx::query_as(sql).bind(user).bind(id);
    let row: Option<(String,)> = session.fetch_optional("session_origins.provider", find).await?;
    Ok(row.map(|(provider,)| provider))
}

/// Ends the person's sessions that were begun by an identity, but for the one that goes on.
pub(crate) async fn end_begun_by_in_tx(
    write: &mut Write,
    user: UserId,
    identity: IdentityId,
    goes_on: Option<SessionId>,
) -> Result<(), StoreError> {
    let sql = "UPDATE accounts.sessions SET ended_at = $4, end_reason = $5
                WHERE user_id = $1 AND ended_at IS NULL AND id IS DISTINCT FROM $3
                  AND id IN (SELECT session_id FROM accounts.session_origins WHERE user_id = $1 AND identity_id = $2)
               RETURNING id";
    let now = write.now();
    let update = sqlx::query_as(sql).bind(user).bind(identity).bind(goes_on).bind(now);
    let rows: Vec<(SessionId,)> =
        write.fetch_all("sessions.end_begun_by", update.bind(EndReason::Ended.as_str())).await?;
    for (id,) in rows {
        write.event(event(EventKind::Deleted, (user, id)));
        write.audit(fact("session:end", id));
    }
    // What waits for a second factor would become another one.
    let sql = "DELETE FROM accounts.sign_in_challenges WHERE user_id = $1 AND identity_id = $2";
    let delete = sqlx::query(sql).bind(user).bind(identity);
    write.execute("sign_in_challenges.delete_begun_by", delete).await.map(drop)
}
