//! A person's sessions, and ending those that are not wanted.

use chrono::{DateTime, TimeDelta, Utc};
use pulse_graphql::{Error, Page, PageError};
use pulse_store::{EventKind, Session, StoreError};
use pulse_types::{SessionId, Tag, UserId};

use super::entity::{EndReason, SessionRow};
use super::{SUBJECT, SessionError, end_all_in_tx, event, fact, repo, signed_in};
use crate::Config;

/// A page of the caller's sessions that can go on, the newest last.
pub(crate) async fn page(
    session: &Session,
    config: &Config,
    page: &Page,
) -> Result<Vec<SessionRow>, Error<PageError>> {
    let user = session.caller().require_user()?;
    tag(session, user);
    repo::page(session, user, used_since(session, config), page).await
}

/// How many there are.
pub(crate) async fn count(session: &Session, config: &Config) -> Result<i64, StoreError> {
    let Some(user) = session.caller().user() else { return Ok(0) };
    tag(session, user);
    repo::count(session, user, used_since(session, config)).await
}

/// Ends one of the caller's sessions. Ending it twice is no error.
pub(crate) async fn end_one(session: &Session, id: SessionId) -> Result<SessionId, Error<SessionError>> {
    let user = session.caller().require_user()?;
    let mut write = session.write().await?;
    match repo::lock_in_tx(&mut write, (user, id)).await? {
        None => Err(SessionError::NoSuchSession.into()),
        Some(true) => Ok(id),
        Some(false) => {
            repo::end_in_tx(&mut write, (user, id), EndReason::Ended).await?;
            write.event(event(EventKind::Deleted, (user, id)));
            write.commit(fact("session:end", id)).await?;
            Ok(id)
        }
    }
}

/// Ends the caller's sessions but the one that asks; which.
pub(crate) async fn end_others(session: &Session) -> Result<Vec<SessionId>, Error<SessionError>> {
    let (user, current) = signed_in(session.caller())?;
    let mut write = session.write().await?;
    let ended = end_all_in_tx(&mut write, user, Some(current), EndReason::Ended).await?;
    write.commit(fact("session:end_others", current)).await?;
    Ok(ended)
}

/// A session that was last refreshed before then has no refresh token that is good.
fn used_since(session: &Session, config: &Config) -> DateTime<Utc> {
    let lifetime = TimeDelta::from_std(config.refresh_token_lifetime).unwrap_or(TimeDelta::days(30));
    session.store().clock().now() - lifetime
}

fn tag(session: &Session, user: UserId) {
    session.tag(|| Tag::list(SUBJECT).with("user", user.to_string()));
}
