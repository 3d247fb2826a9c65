//! Organizations: making them, changing them, and finding those that one belongs to.

mod entity;
mod error;
mod repo;
mod slug;

use std::collections::HashMap;

use pulse_graphql::{Error, Page, PageError};
use pulse_store::{AuditFact, Event, EventKind, Session, StoreError, Write};
use pulse_types::{Caller, OrgId, Permission, Refusal, Role, Tag, UserId};
use serde::{Deserialize, Serialize};
use serde_json::json;

pub(crate) use entity::{OrganizationRow, OwnOrganizationRow, StoredRole};
pub use error::OrganizationError;
pub(crate) use slug::{InvalidSlug, Slug};

use crate::creation::Creation;
use crate::membership;
use crate::name::Name;

pub(crate) const SUBJECT: &str = "accounts.organization";

/// An organization as its members see it, whatever tenant they act in. Its changes, told in no tenant, have the `user`
/// whose membership changed, or null when the organization did.
const OWN: &str = "accounts.own_organization";

/// An organization, and the role that the caller has in it when it is a member.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Seen {
    pub(crate) organization: OrganizationRow,
    pub(crate) role: Option<Role>,
}

impl From<OwnOrganizationRow> for Seen {
    fn from(OwnOrganizationRow { organization, role, joined_at: _ }: OwnOrganizationRow) -> Self {
        Self { organization, role: Some(role.0) }
    }
}

/// What is to be changed; `None` stays.
#[derive(Debug, Clone, Default)]
pub(crate) struct OrganizationChange {
    pub(crate) slug: Option<Slug>,
    pub(crate) name: Option<Name>,
}

/// All organizations that the caller is a member of, the one joined first before the others.
pub(crate) async fn own(session: &Session) -> Result<Vec<OwnOrganizationRow>, StoreError> {
    tag_memberships(session);
    let rows = repo::own(session).await?;
    tag_rows(session, rows.iter().map(|row| row.organization.id));
    Ok(rows)
}

/// A page of the organizations that the caller is a member of, in the order of joining.
pub(crate) async fn own_page(
    session: &Session,
    page: &Page,
) -> Result<Vec<OwnOrganizationRow>, Error<PageError>> {
    session.caller().require_user()?;
    tag_memberships(session);
    let rows = repo::own_page(session, page).await?;
    tag_rows(session, rows.iter().map(|row| row.organization.id));
    Ok(rows)
}

/// How many organizations the caller is a member of.
pub(crate) async fn own_count(session: &Session) -> Result<i64, StoreError> {
    tag_memberships(session);
    repo::own_count(session).await
}

/// The tenant that the caller acts in.
pub(crate) async fn current(session: &Session) -> Result<Option<Seen>, Error> {
    let id = session.caller().require(&Permission::ORGANIZATION_READ)?;
    Ok(find(session, vec![id]).await?.remove(&id))
}

/// Those of these organizations that the caller may see: a person those that it is a member of, Pulse itself its tenant.
/// The tenant needs `organization:read`.
pub(crate) async fn find(session: &Session, mut ids: Vec<OrgId>) -> Result<HashMap<OrgId, Seen>, StoreError> {
    let caller = session.caller();
    if caller.require(&Permission::ORGANIZATION_READ).is_err() {
        ids.retain(|id| Some(*id) != caller.org);
    }
    let seen: Vec<Seen> = if caller.user().is_some() {
        tag_memberships(session);
        tag_rows(session, ids.iter().copied());
        repo::own_by_ids(session, &ids).await?.into_iter().map(Seen::from).collect()
    } else {
        session.tag_all(ids.iter().map(|id| Tag::row(SUBJECT, id.uuid())));
        let rows = repo::tenant(session, &ids).await?;
        rows.into_iter().map(|organization| Seen { organization, role: None }).collect()
    };
    Ok(seen.into_iter().map(|seen| (seen.organization.id, seen)).collect())
}

/// What an answer of [`find`] about one of the organizations is made of.
pub(crate) fn tags_of(caller: &Caller, id: OrgId) -> Vec<Tag> {
    match caller.user() {
        Some(user) => vec![Tag::list(OWN).with("user", user.to_string()), Tag::row(OWN, id.uuid())],
        None => vec![Tag::row(SUBJECT, id.uuid())],
    }
}

/// The organization of this slug, if the caller is a member.
pub(crate) async fn find_by_slug(session: &Session, slug: &str) -> Result<Option<Seen>, Error> {
    session.caller().require_user()?;
    // Any organization may get this slug.
    session.tag(|| Tag::list(OWN));
    let seen = repo::own_by_slug(session, slug).await?.map(Seen::from);
    let caller = session.caller();
    let hidden =
        |id: OrgId| Some(id) == caller.org && caller.require(&Permission::ORGANIZATION_READ).is_err();
    Ok(seen.filter(|seen| !hidden(seen.organization.id)))
}

/// The tenant of that slug, whoever asks: for an operator.
pub(crate) async fn id_by_slug(session: &Session, slug: &str) -> Result<Option<OrgId>, StoreError> {
    repo::id_by_slug(session, slug).await
}

/// One that the caller is a member of, whatever tenant it acts in.
pub(crate) async fn own_one(session: &Session, id: OrgId) -> Result<Option<Seen>, StoreError> {
    Ok(repo::own_by_ids(session, &[id]).await?.pop().map(Seen::from))
}

/// Makes an organization that the caller owns.
pub(crate) async fn create(
    session: &Session,
    slug: &str,
    name: &str,
    key: Option<String>,
) -> Result<Seen, Error<OrganizationError>> {
    let user = session.caller().require_user()?;
    let slug = Slug::try_new(slug).map_err(OrganizationError::from)?;
    let name = Name::try_new(name).map_err(OrganizationError::from)?;
    let creation = key.map(|key| Creation::try_new("accounts.createOrganization", key, &(&slug, &name)));
    let creation = creation.transpose().map_err(OrganizationError::from)?;
    let mut write = session.write().await?;
    let id = OrgId::new(write.now());
    if let Some(creation) = creation
        && let Some(made) = creation.claim_in_tx(&mut write, user, id.uuid()).await?
    {
        drop(write);
        let seen = repo::own_by_ids(session, &[OrgId::from_uuid(made)]).await?.pop().map(Seen::from);
        // It may have been left since.
        return seen.ok_or(Error::Store(StoreError::KeyReused));
    }
    write.act_in(id).await?;
    let organization = match repo::insert_in_tx(&mut write, id, (&slug, &name)).await {
        Err(error) if error.is_duplicate_of("organizations_slug") => {
            return Err(OrganizationError::SlugTaken(slug.as_str().to_owned()).into());
        }
        row => row?,
    };
    write.event(event(EventKind::Created, &organization, vec!["slug", "name"]));
    membership::insert_in_tx(&mut write, id, user, Role::Owner).await?;
    write.commit(fact("organization:create", &organization)).await?;
    Ok(Seen { organization, role: Some(Role::Owner) })
}

/// Changes the tenant that the caller acts in.
pub(crate) async fn update(
    session: &Session,
    change: OrganizationChange,
) -> Result<Seen, Error<OrganizationError>> {
    let id = session.caller().require(&Permission::ORGANIZATION_MANAGE)?;
    let seen = find(session, vec![id]).await?.remove(&id).ok_or(Refusal::NoOrganization)?;
    let fields = [(change.slug.is_some(), "slug"), (change.name.is_some(), "name")];
    let changed: Vec<_> = fields.into_iter().filter_map(|(given, field)| given.then_some(field)).collect();
    if changed.is_empty() {
        return Ok(seen);
    }
    let mut write = session.write().await?;
    let organization = match repo::update_in_tx(&mut write, id, &change, session.caller().actor()).await {
        Err(error) if error.is_duplicate_of("organizations_slug") => {
            let slug = change.slug.map(|slug| slug.as_str().to_owned()).unwrap_or_default();
            return Err(OrganizationError::SlugTaken(slug).into());
        }
        row => row?.ok_or(Refusal::NoOrganization)?,
    };
    write.event_of_no_tenant(Event {
        subject: OWN,
        attributes: json!({ "user": null }),
        ..event(EventKind::Updated, &organization, changed.clone())
    });
    write.event(event(EventKind::Updated, &organization, changed));
    write.commit(fact("organization:update", &organization)).await?;
    Ok(Seen { organization, ..seen })
}

/// Tells a person of a change of its membership, wherever it acts.
pub(crate) fn tell_member(write: &mut Write, (org, user): (OrgId, UserId), event: &Event) {
    write.event_of_no_tenant(Event {
        subject: OWN,
        key: org.uuid(),
        attributes: json!({ "user": user }),
        before: json!(null),
        ..event.clone()
    });
}

/// The organizations that the caller is a member of, and its roles in them.
fn tag_memberships(session: &Session) {
    if let Some(user) = session.caller().user() {
        session.tag(|| Tag::list(OWN).with("user", user.to_string()));
    }
}

fn tag_rows(session: &Session, ids: impl Iterator<Item = OrgId>) {
    session.tag_all(ids.map(|id| Tag::row(OWN, id.uuid())));
}

fn fact(action: &'static str, row: &OrganizationRow) -> AuditFact {
    let (key, version) = (Some(row.id.uuid()), Some(row.version));
    AuditFact { action, subject: SUBJECT, key, version, items: 1 }
}

fn event(kind: EventKind, row: &OrganizationRow, changed: Vec<&'static str>) -> Event {
    Event {
        kind,
        subject: SUBJECT,
        key: row.id.uuid(),
        version: row.version,
        changed,
        attributes: json!({}),
        before: json!(null),
    }
}
