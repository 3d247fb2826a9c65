//! Entities: the things that the graph is about.

mod conditions;
mod draft;
pub(crate) mod filter;
pub(crate) mod groups;
pub(crate) mod list;
pub(crate) mod repo;
pub(crate) mod row;
mod save;

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::MaybeUndefined;
use pulse_graphql::{Error, Page};
use pulse_store::{AuditFact, Begun, IdempotencyKey, Session, StoreError, Write};
use pulse_types::{Caller, EntityId, OrgId, Permission, Refusal};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

pub(crate) use draft::EntityDraft;
use filter::EntityFilter;
use list::{EntityOrder, EntityOrderField, Listed};
pub(crate) use row::EntityRow;
pub(crate) use save::{Save, Types, save_in_tx};

use crate::check::Problem;
use crate::entity_type::Validators;
use crate::error::GraphError;
use crate::kept::{self, CountOf, ListKey};
use crate::relationship;
use crate::saved::{Saved, refuse_duplicates};
use crate::sight;

pub(crate) const SUBJECT: &str = "entities.entity";

/// How many entities a list counts the relationships of, to be in their order.
const MAX_SORTED: i64 = 10_000;

/// By what one entity is named.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum EntityRef {
    Id(EntityId),
    Key(String),
}

/// What to change of an entity; what is not there stays.
#[derive(Debug, Clone)]
pub(crate) struct EntityPatch {
    pub(crate) id: EntityId,
    pub(crate) type_name: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) description: MaybeUndefined<String>,
    pub(crate) confidence: Option<f64>,
    pub(crate) properties: Option<Map<String, Value>>,
    pub(crate) expected_version: Option<i64>,
}

/// The entity of that id or key, if there is one in the caller's organization.
pub(crate) async fn find(
    session: &Session,
    by: EntityRef,
) -> Result<Option<Arc<EntityRow>>, Error<GraphError>> {
    sight::may_read(session.caller())?;
    Ok(match by {
        EntityRef::Id(id) => session.read_through(&kept::ENTITIES, vec![id]).await?.remove(&id),
        EntityRef::Key(key) => {
            session.read_through(&kept::ENTITIES_BY_KEY, vec![key.clone()]).await?.remove(&key)
        }
    })
}

pub(crate) async fn list(
    session: &Session,
    filter: &EntityFilter,
    (order, page): (&EntityOrder, &Page),
    details: bool,
) -> Result<Vec<Listed>, Error<GraphError>> {
    sight::may_read(session.caller())?;
    // Says what is wrong with the page's cursor.
    list::list_query(filter, order, page, details).map_err(GraphError::from)?;
    if matches!(order.field, EntityOrderField::Relations(..)) {
        let counted = count(session, filter, order).await?;
        if counted > MAX_SORTED {
            let text = format!(
                "`orderBy.relations` sorts at most {MAX_SORTED} entities, and `filter` lets {counted} through: narrow it"
            );
            return Err(GraphError::Argument(Problem::new("orderBy.relations", text)).into());
        }
    }
    let filter = EntityFilter { within: sight::within(session), ..filter.clone() };
    let key = ListKey { filter, order: order.clone(), page: page.clone(), details };
    let name = kept::named(&key)?;
    let found = session.read_through(&kept::ENTITY_LIST, vec![name.clone()]).await?.remove(&name);
    Ok(found.iter().flat_map(|rows| rows.iter().cloned()).collect())
}

pub(crate) async fn count(
    session: &Session,
    filter: &EntityFilter,
    order: &EntityOrder,
) -> Result<i64, StoreError> {
    let filter = EntityFilter { within: sight::within(session), ..filter.clone() };
    let name = kept::named(&CountOf { filter, order: order.clone() })?;
    let found = session.read_through(&kept::ENTITY_COUNT, vec![name.clone()]).await?;
    Ok(found.get(&name).copied().unwrap_or_default())
}

pub(crate) async fn create(
    session: &Session,
    validators: &Validators,
    (draft, key): (EntityDraft, Option<IdempotencyKey>),
) -> Result<EntityRow, Error<GraphError>> {
    let org = sight::may_create(session.caller())?;
    draft.check().map_err(GraphError::Input)?;
    let mut write = match session.write_once("entities.createEntity", key.as_ref(), &draft).await? {
        Begun::New(write) => write,
        Begun::Repeated(response) => return repeated(session, response).await,
    };
    check_properties_in_tx(&mut write, validators, &draft).await?;
    if !repo::by_keys_in_tx(&mut write, &[&draft.key]).await?.is_empty() {
        let what = format!("an entity with the key {:?}", draft.key);
        return Err(GraphError::Exists {
            what,
            way_out: "change it with `updateEntity` or `upsertEntities`",
        }
        .into());
    }
    let saved = save_one_in_tx(&mut write, org, (&draft, None), session).await;
    let saved = saved.map_err(|error| unseen_key(session, error))?;
    let fact = fact("entity:create", saved.id, saved.version);
    write.commit_with(fact, &json!({ "id": saved.id })).await?;
    read_back(session, saved.id).await
}

pub(crate) async fn update(
    session: &Session,
    validators: &Validators,
    patch: EntityPatch,
) -> Result<EntityRow, Error<GraphError>> {
    let org = sight::may_some(session.caller(), &Permission::ENTITY_WRITE)?;
    let mut write = session.write().await?;
    let row =
        existing_in_tx(&mut write, (patch.id, patch.expected_version), &Permission::ENTITY_WRITE, session)
            .await?;
    let mut draft = EntityDraft::of(row.clone());
    let EntityPatch { id: _, type_name, name, description, confidence, properties, expected_version: _ } =
        patch;
    draft.type_name = type_name.unwrap_or(draft.type_name);
    draft.name = name.unwrap_or(draft.name);
    description.update_to(&mut draft.description);
    draft.confidence = confidence.unwrap_or(draft.confidence);
    draft.properties = properties.unwrap_or(draft.properties);
    if draft.changes(&row).is_empty() {
        return Ok(row);
    }
    draft.check().map_err(GraphError::Input)?;
    check_properties_in_tx(&mut write, validators, &draft).await?;
    let saved = save_one_in_tx(&mut write, org, (&draft, Some(&row)), session).await?;
    write.commit(fact("entity:update", saved.id, saved.version)).await?;
    read_back(session, saved.id).await
}

/// Deletes an entity with its relationships, or refuses when it has some; the number of relationships deleted.
pub(crate) async fn delete(
    session: &Session,
    (id, expected_version): (EntityId, Option<i64>),
    refuse_if_related: bool,
) -> Result<usize, Error<GraphError>> {
    sight::may_some(session.caller(), &Permission::ENTITY_DELETE)?;
    let mut write = session.write().await?;
    let row = existing_in_tx(&mut write, (id, expected_version), &Permission::ENTITY_DELETE, session).await?;
    let actor = session.caller().actor();
    let relationships = relationship::delete_of_in_tx(&mut write, actor, id).await?;
    if refuse_if_related && relationships > 0 {
        let what = format!("the entity {:?} has {relationships} relationships and", row.key);
        return Err(GraphError::InUse {
            what,
            way_out: "delete them first, or send `refuseIfRelated: false`",
        }
        .into());
    }
    if relationships > 0 {
        session.caller().require(&Permission::RELATIONSHIP_DELETE)?;
    }
    match repo::delete_in_tx(&mut write, actor, &row).await {
        // All that the caller sees of them are gone.
        Err(StoreError::Reference { .. }) if session.caller().is_narrowed() => {
            let what =
                format!("the entity {:?} has relationships to entities that you do not see, and", row.key);
            let way_out = "ask somebody who sees them to delete it";
            return Err(GraphError::InUse { what, way_out }.into());
        }
        deleted => deleted.map_err(repo::raced)?,
    }
    write.event(save::deleted(&row));
    write.commit(fact("entity:delete", id, row.version + 1)).await?;
    Ok(relationships)
}

/// Makes the entities be as the drafts say, all or none.
pub(crate) async fn upsert(
    session: &Session,
    validators: &Validators,
    (drafts, key): (Vec<EntityDraft>, Option<IdempotencyKey>),
) -> Result<Vec<Saved<EntityId>>, Error<GraphError>> {
    let org = sight::may_some(session.caller(), &Permission::ENTITY_WRITE)?;
    let mut problems = refuse_duplicates("key", &drafts, |draft| draft.key.clone());
    for (index, draft) in drafts.iter().enumerate() {
        problems.extend(draft.check().err().map(|problem| (index, problem)));
    }
    refuse(problems)?;
    let mut write = match session.write_once("entities.upsertEntities", key.as_ref(), &drafts).await? {
        Begun::New(write) => write,
        Begun::Repeated(response) => return serde_json::from_value(response).map_err(Error::internal),
    };
    let types = Types::load_in_tx(&mut write, validators, &drafts).await?;
    let problems = drafts.iter().enumerate();
    refuse(problems.filter_map(|(index, draft)| Some((index, types.check(draft).err()?))).collect())?;
    let existing = existing_by_key_in_tx(&mut write, &drafts).await?;
    let items: Vec<_> = drafts.iter().map(|draft| (draft, existing.get(&draft.key))).collect();
    require_on_each(session.caller(), &items)?;
    let saved = save_in_tx(&mut write, (org, session.caller().actor()), &items).await;
    let saved = saved.map_err(|error| unseen_key(session, error))?;
    let fact = batch_fact("entity:upsert", saved.len());
    write.commit_with(fact, &serde_json::to_value(&saved).map_err(Error::internal)?).await?;
    Ok(saved)
}

/// Whether the caller may change each of the entities that there are, and create the others.
fn require_on_each(caller: &Caller, items: &[(&EntityDraft, Option<&EntityRow>)]) -> Result<(), Refusal> {
    items.iter().try_for_each(|(_, row)| match row {
        Some(row) => sight::require_on(caller, &Permission::ENTITY_WRITE, row.id),
        None => sight::may_create(caller).map(drop),
    })
}

/// What to say where a key that was looked for and not found is taken all the same: by an entity that this caller does not see,
/// or that another write has just made.
fn unseen_key(session: &Session, error: StoreError) -> Error<GraphError> {
    match error {
        StoreError::Contention { statement: repo::INSERT } if session.caller().is_narrowed() => {
            let what = "an entity with that key, which you may not see".to_owned();
            GraphError::Exists { what, way_out: "choose another key" }.into()
        }
        error => error.into(),
    }
}

pub(crate) async fn existing_by_key_in_tx(
    write: &mut Write,
    drafts: &[EntityDraft],
) -> Result<HashMap<String, EntityRow>, StoreError> {
    let keys: Vec<_> = drafts.iter().map(|draft| draft.key.as_str()).collect();
    let rows = repo::by_keys_in_tx(write, &keys).await?;
    Ok(rows.into_iter().map(|row| (row.key.clone(), row)).collect())
}

pub(crate) fn refuse(mut problems: Vec<(usize, Problem)>) -> Result<(), GraphError> {
    problems.sort_by_key(|(index, _)| *index);
    if problems.is_empty() { Ok(()) } else { Err(GraphError::Items(problems)) }
}

pub(crate) fn batch_fact(action: &'static str, items: usize) -> AuditFact {
    let items = i32::try_from(items).unwrap_or(i32::MAX);
    AuditFact { action, subject: SUBJECT, key: None, version: None, items }
}

async fn check_properties_in_tx(
    write: &mut Write,
    validators: &Validators,
    draft: &EntityDraft,
) -> Result<(), Error<GraphError>> {
    let types = Types::load_in_tx(write, validators, std::slice::from_ref(draft)).await?;
    Ok(types.check(draft).map_err(GraphError::Input)?)
}

async fn save_one_in_tx(
    write: &mut Write,
    org: OrgId,
    item: (&EntityDraft, Option<&EntityRow>),
    session: &Session,
) -> Result<Saved<EntityId>, StoreError> {
    let saved = save_in_tx(write, (org, session.caller().actor()), &[item]).await?;
    Ok(saved.into_iter().next().expect("one draft is saved as one entity"))
}

/// The entity, for who sees it and has the permission on it.
async fn existing_in_tx(
    write: &mut Write,
    (id, expected_version): (EntityId, Option<i64>),
    permission: &Permission,
    session: &Session,
) -> Result<EntityRow, Error<GraphError>> {
    let row = repo::by_ids_in_tx(write, &[id]).await?.pop().ok_or_else(|| not_found(id))?;
    sight::require_on(session.caller(), permission, id)?;
    match expected_version {
        Some(expected) if expected != row.version => {
            Err(GraphError::Changed { expected, current: row.version }.into())
        }
        _ => Ok(row),
    }
}

async fn repeated(session: &Session, response: Value) -> Result<EntityRow, Error<GraphError>> {
    #[derive(Deserialize)]
    struct Created {
        id: EntityId,
    }
    let Created { id } = serde_json::from_value(response).map_err(Error::internal)?;
    read_back(session, id).await
}

async fn read_back(session: &Session, id: EntityId) -> Result<EntityRow, Error<GraphError>> {
    repo::by_ids(session, &[id]).await?.pop().ok_or_else(|| not_found(id).into())
}

fn not_found(id: EntityId) -> GraphError {
    GraphError::NotFound { what: "entity", by: format!("with the id {id}") }
}

fn fact(action: &'static str, id: EntityId, version: i64) -> AuditFact {
    AuditFact { action, subject: SUBJECT, key: Some(id.uuid()), version: Some(version), items: 1 }
}
