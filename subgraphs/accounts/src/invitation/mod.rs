//! Invitations: letters that ask somebody to become a member, whether the person has registered or not.
//!
//! Inviting answers the same for every address that is no member's. The token is made when the letter is sent, and is in no
//! other place; what is known of it is a hash.

mod answering;
mod entity;
mod error;
mod inviting;
mod letter;
mod repo;

use pulse_graphql::{Error, Page};
use pulse_store::{AuditFact, Event, EventKind, Session, StoreError, Write};
use pulse_types::{InvitationId, OrgId, Permission, Tag, UserId};
use serde_json::json;

pub(crate) use answering::{
    Answered, Ticket, accept, accept_by_letter_in_tx, accept_pending_in_tx, decline, invited, own, preview,
};
pub(crate) use entity::{InvitationRow, OwnInvitationRow, Preview, State};
pub(crate) use error::AnswerError;
pub(crate) use error::{InvitationsError, InvitingError};
pub(crate) use inviting::{Invitee, invite, invite_one, resend, revoke};
pub(crate) use letter::{Issued, issue};

const SUBJECT: &str = "accounts.invitation";

/// How many people are invited by one request.
const MAX_AT_ONCE: usize = 50;

/// How many invitations of a tenant wait for an answer.
const MAX_OPEN: i64 = 1_000;

/// How many units one invitation names.
const MAX_UNITS: usize = 20;

/// A page of the tenant's invitations, in the order of their making: all, or those in one of these states. Who is invited is
/// nobody's business but that of those who invite.
pub(crate) async fn page(
    session: &Session,
    states: &[State],
    page: &Page,
) -> Result<Vec<InvitationRow>, Error<InvitationsError>> {
    let org = session.caller().require(&Permission::MEMBER_MANAGE)?;
    session.tag(|| Tag::list(SUBJECT));
    repo::page(session, org, states, page).await.map_err(|error| error.map_client(InvitationsError::from))
}

/// How many there are.
pub(crate) async fn count(session: &Session, states: &[State]) -> Result<i64, StoreError> {
    let Ok(org) = session.caller().require(&Permission::MEMBER_MANAGE) else { return Ok(0) };
    session.tag(|| Tag::list(SUBJECT));
    repo::count(session, org, states).await
}

/// Ends an invitation in a write that acts in the tenant, and tells of it.
async fn end_in_tx(
    write: &mut Write,
    (org, row): (OrgId, &InvitationRow),
    (state, accepted_by): (State, Option<UserId>),
    actor: Option<UserId>,
) -> Result<(), StoreError> {
    repo::keep_in_tx(write, (org, row.id), actor).await?;
    repo::end_in_tx(write, (org, row.id), state, accepted_by).await?;
    write.event(event(EventKind::Updated, (row.id, row.version + 1), state));
    Ok(())
}

const fn fact(action: &'static str, id: InvitationId, version: i64) -> AuditFact {
    AuditFact { action, subject: SUBJECT, key: Some(id.uuid()), version: Some(version), items: 1 }
}

/// Says nothing of whom it is about.
fn event(kind: EventKind, (id, version): (InvitationId, i64), state: State) -> Event {
    Event {
        kind,
        subject: SUBJECT,
        key: id.uuid(),
        version,
        changed: vec!["state"],
        attributes: json!({ "state": state.as_str() }),
        before: json!(null),
    }
}
