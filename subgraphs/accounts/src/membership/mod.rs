//! Memberships: who belongs to a tenant, with which role, and who may change that.

mod entity;
mod error;
mod repo;
mod settling;

use pulse_graphql::{Error, Page};
use pulse_store::{AuditFact, Event, EventKind, Session, StoreError, Write};
use pulse_types::{Caller, OrgId, Permission, Refusal, Role, Tag, UserId};
use serde_json::json;

pub(crate) use entity::MembershipRow;
pub(crate) use error::{MembersError, MembershipError};
pub(crate) use repo::{find_in_tx, lock_in_tx};
pub(crate) use settling::settle_in_tx;

use crate::access::{self, Ending};
use crate::organization;
use crate::unit;
use crate::user::{self, EmailAddress};

pub(crate) const SUBJECT: &str = "accounts.membership";

/// A page of the tenant's members in the order of joining, all or those of one role. `org` is whose members are asked
/// for; those of another tenant than the caller's are refused.
pub(crate) async fn page(
    session: &Session,
    org: OrgId,
    role: Option<Role>,
    page: &Page,
) -> Result<Vec<MembershipRow>, Error<MembersError>> {
    if session.caller().require(&Permission::MEMBER_READ)? != org {
        return Err(MembersError::OtherOrganization.into());
    }
    session.tag(|| tag(role));
    repo::page(session, org, role, page).await.map_err(|error| error.map_client(MembersError::from))
}

/// How many members the tenant has, of all roles or of one.
pub(crate) async fn count(session: &Session, org: OrgId, role: Option<Role>) -> Result<i64, StoreError> {
    session.tag(|| tag(role));
    repo::count(session, org, role).await
}

/// Makes a registered person a member of the tenant.
pub(crate) async fn add(
    session: &Session,
    email: &str,
    role: Role,
) -> Result<MembershipRow, Error<MembershipError>> {
    let org = session.caller().require(&Permission::MEMBER_MANAGE)?;
    require_to_give(session.caller(), role)?;
    let email = EmailAddress::try_new(email).map_err(MembershipError::from)?;
    let user = user::by_email(session, &email).await?.ok_or(MembershipError::UnknownAddress)?;
    let mut write = session.write().await?;
    let row = match insert_in_tx(&mut write, org, user, role).await {
        Err(error) if error.is_duplicate_of("memberships_pkey") => {
            return Err(MembershipError::AlreadyMember.into());
        }
        row => row?,
    };
    write.commit(fact("member:add", &row, row.version)).await?;
    Ok(row)
}

/// Gives a member another role.
pub(crate) async fn change_role(
    session: &Session,
    user: UserId,
    role: Role,
) -> Result<MembershipRow, Error<MembershipError>> {
    let caller = session.caller();
    let org = caller.require(&Permission::MEMBER_MANAGE)?;
    require_to_give(caller, role)?;
    let mut write = session.write().await?;
    repo::lock_in_tx(&mut write, org).await?;
    let row = repo::find_in_tx(&mut write, org, user).await?.ok_or(MembershipError::NotFound)?;
    require_right_over(caller, row.role.0)?;
    if row.role.0 == role {
        return Ok(row);
    }
    keep_an_owner_in_tx(&mut write, org, &row).await?;
    let before = json!({ "role": row.role.0.as_str() });
    let row = repo::change_role_in_tx(&mut write, org, (user, role), caller.actor()).await?;
    let event = Event { before, ..event(EventKind::Updated, &row, row.version, vec!["role"]) };
    tell_in_tx(&mut write, org, &row, event);
    write.commit(fact("member:change_role", &row, row.version)).await?;
    Ok(row)
}

/// Ends a membership: somebody else's with `member:manage`, one's own in any case.
pub(crate) async fn remove(session: &Session, user: UserId) -> Result<(), Error<MembershipError>> {
    let caller = session.caller();
    let leaves = caller.user() == Some(user);
    let org =
        caller.require(if leaves { &Permission::ORGANIZATION_READ } else { &Permission::MEMBER_MANAGE })?;
    let mut write = session.write().await?;
    repo::lock_in_tx(&mut write, org).await?;
    let row = repo::find_in_tx(&mut write, org, user).await?.ok_or(MembershipError::NotFound)?;
    if !leaves {
        require_right_over(caller, row.role.0)?;
    }
    let removed = end_in_tx(&mut write, org, &row, caller.actor()).await?;
    write.commit(removed).await?;
    Ok(())
}

/// Ends a membership with all that holds by it, in a write that has the tenant's members for itself; the fact of it.
pub(crate) async fn end_in_tx(
    write: &mut Write,
    org: OrgId,
    row: &MembershipRow,
    actor: Option<UserId>,
) -> Result<AuditFact, Error<MembershipError>> {
    let user = row.user_id;
    keep_an_owner_in_tx(write, org, row).await?;
    unit::leave_all_in_tx(write, (org, user), actor).await?;
    access::end_in_tx(write, org, Ending::User(user), actor).await?;
    let row = repo::delete_in_tx(write, org, user, actor).await?;
    let version = row.version + 1;
    tell_in_tx(write, org, &row, event(EventKind::Deleted, &row, version, vec![]));
    Ok(fact("member:remove", &row, version))
}

/// Makes somebody a member, in a write that acts in the organization.
pub(crate) async fn insert_in_tx(
    write: &mut Write,
    org: OrgId,
    user: UserId,
    role: Role,
) -> Result<MembershipRow, StoreError> {
    let row = repo::insert_in_tx(write, org, user, role).await?;
    let event = event(EventKind::Created, &row, row.version, vec!["role"]);
    tell_in_tx(write, org, &row, event);
    Ok(row)
}

/// The same of somebody who joins by itself, with the fact of it.
pub(crate) async fn join_in_tx(
    write: &mut Write,
    org: OrgId,
    user: UserId,
    role: Role,
) -> Result<MembershipRow, StoreError> {
    let row = insert_in_tx(write, org, user, role).await?;
    write.audit(fact("member:join", &row, row.version));
    Ok(row)
}

/// Tells the organization, and the person.
fn tell_in_tx(write: &mut Write, org: OrgId, row: &MembershipRow, event: Event) {
    organization::tell_member(write, (org, row.user_id), &event);
    write.event(event);
}

/// What a list of members is made of.
fn tag(role: Option<Role>) -> Tag {
    let all = Tag::list(SUBJECT);
    match role {
        Some(role) => all.with("role", role.as_str()),
        None => all,
    }
}

/// Nobody gives a role of which they lack something.
pub(crate) fn require_to_give(caller: &Caller, role: Role) -> Result<(), Refusal> {
    role.permissions().iter().try_for_each(|permission| caller.require(permission).map(drop))
}

/// Owners are made and unmade by those who may manage the organization, who are owners, alone.
pub(crate) fn require_right_over(caller: &Caller, role: Role) -> Result<(), Refusal> {
    match role {
        Role::Owner => caller.require(&Permission::ORGANIZATION_MANAGE).map(drop),
        Role::Admin | Role::Member | Role::Viewer => Ok(()),
    }
}

async fn keep_an_owner_in_tx(
    write: &mut Write,
    org: OrgId,
    row: &MembershipRow,
) -> Result<(), Error<MembershipError>> {
    if row.role.0 == Role::Owner && !repo::other_owner_exists_in_tx(write, org, row.user_id).await? {
        return Err(MembershipError::LastOwner.into());
    }
    Ok(())
}

fn fact(action: &'static str, row: &MembershipRow, version: i64) -> AuditFact {
    AuditFact { action, subject: SUBJECT, key: Some(row.user_id.uuid()), version: Some(version), items: 1 }
}

fn event(kind: EventKind, row: &MembershipRow, version: i64, changed: Vec<&'static str>) -> Event {
    let attributes = json!({ "role": row.role.0.as_str() });
    Event {
        kind,
        subject: SUBJECT,
        key: row.user_id.uuid(),
        version,
        changed,
        attributes,
        before: json!(null),
    }
}
