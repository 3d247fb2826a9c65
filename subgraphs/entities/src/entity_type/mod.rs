//! Types of entities: what they are called and which properties their entities have.

mod repo;
mod row;
mod validator;

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::MaybeUndefined;
use jsonschema::Validator;
use pulse_graphql::{Error, Page};
use pulse_store::{AuditFact, Begun, Event, EventKind, IdempotencyKey, Session, StoreError, Write};
use pulse_types::{EntityTypeId, OrgId, Permission, Tag};
use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

pub(crate) use repo::list_query;
pub(crate) use row::EntityTypeRow;
pub(crate) use validator::{Validators, check_properties};

use crate::check::{self, Problem};
use crate::error::GraphError;
use crate::tags;

pub(crate) const SUBJECT: &str = "entities.entity_type";

/// What a new type is made of.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct NewEntityType {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) schema: Map<String, Value>,
}

/// What to change of a type; what is not there stays.
#[derive(Debug, Clone)]
pub(crate) struct EntityTypePatch {
    pub(crate) name: String,
    pub(crate) description: MaybeUndefined<String>,
    pub(crate) schema: Option<Map<String, Value>>,
    pub(crate) broken: BrokenEntities,
    pub(crate) expected_version: Option<i64>,
}

/// What becomes of a type's new schema when entities that are there do not fit it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, async_graphql::Enum)]
pub(crate) enum BrokenEntities {
    /// It is refused, with the number of those entities.
    Refuse,
    /// They are not looked at: it holds for each from its next change.
    Keep,
}

/// How many entities are compared with a new schema within one request, and how many of them are read at once.
const MAX_CHECKED: usize = 100_000;
const CHECKED_AT_ONCE: i64 = 1_000;

pub(crate) async fn find(session: &Session, names: &[String]) -> Result<Vec<EntityTypeRow>, StoreError> {
    session.tag_all(names.iter().map(|name| tags::of_type_name(name)));
    repo::by_names(session, names).await
}

pub(crate) async fn by_ids(
    session: &Session,
    ids: &[EntityTypeId],
) -> Result<Vec<EntityTypeRow>, StoreError> {
    session.tag_all(ids.iter().map(|id| Tag::row(SUBJECT, id.uuid())));
    repo::by_ids(session, ids).await
}

pub(crate) async fn list(session: &Session, page: &Page) -> Result<Vec<EntityTypeRow>, Error<GraphError>> {
    session.caller().require(&Permission::ENTITY_READ)?;
    let mut query = list_query(page).map_err(GraphError::from)?;
    session.tag(|| Tag::list(SUBJECT));
    Ok(session.fetch_all("types.list", query.build_query_as()).await?)
}

pub(crate) async fn count(session: Session) -> Result<i64, StoreError> {
    session.tag(|| Tag::list(SUBJECT));
    repo::count(&session).await
}

pub(crate) async fn create(
    session: &Session,
    new: NewEntityType,
    key: Option<IdempotencyKey>,
) -> Result<EntityTypeRow, Error<GraphError>> {
    let org = session.caller().require(&Permission::ENTITY_TYPE_MANAGE)?;
    check_new(&new).map_err(GraphError::Input)?;
    let mut write = match session.write_once("entities.createEntityType", key.as_ref(), &new).await? {
        Begun::New(write) => write,
        Begun::Repeated(_) => return existing(session, &new.name).await,
    };
    let Some(id) = insert_in_tx(&mut write, org, &new).await? else {
        let what = format!("an entity type {:?}", new.name);
        return Err(GraphError::Exists { what, way_out: "change it with `updateEntityType`" }.into());
    };
    let fact = fact("entity-type:create", id, 1);
    write.commit_with(fact, &json!({ "id": id })).await?;
    existing(session, &new.name).await
}

pub(crate) async fn update(
    session: &Session,
    patch: EntityTypePatch,
) -> Result<EntityTypeRow, Error<GraphError>> {
    session.caller().require(&Permission::ENTITY_TYPE_MANAGE)?;
    if let Some(schema) = &patch.schema {
        validator::compile(schema).map_err(GraphError::Input)?;
    }
    if let MaybeUndefined::Value(description) = &patch.description {
        check::description(description).map_err(GraphError::Input)?;
    }
    let mut write = session.write().await?;
    let mut row = existing_in_tx(&mut write, &patch.name, patch.expected_version).await?;
    let mut changed = Vec::new();
    let mut description = row.description.clone();
    patch.description.update_to(&mut description);
    if description != row.description {
        row.description = description;
        changed.push("description");
    }
    if let Some(schema) = patch.schema.filter(|schema| !check::same_object(schema, &row.schema)) {
        if patch.broken == BrokenEntities::Refuse {
            refuse_broken_in_tx(&mut write, session, (&row.name, &schema)).await?;
        }
        row.schema.0 = schema;
        changed.push("propertiesSchema");
    }
    if changed.is_empty() {
        return Ok(row);
    }
    if !repo::update_in_tx(&mut write, &row, session.caller().actor()).await? {
        return Err(StoreError::Contention { statement: "types.update" }.into());
    }
    let version = row.version + 1;
    write.event(event(EventKind::Updated, (row.id, &row.name), version, changed));
    write.commit(fact("entity-type:update", row.id, version)).await?;
    existing(session, &row.name).await
}

pub(crate) async fn delete(
    session: &Session,
    name: &str,
    expected_version: Option<i64>,
) -> Result<EntityTypeId, Error<GraphError>> {
    session.caller().require(&Permission::ENTITY_TYPE_MANAGE)?;
    let mut write = session.write().await?;
    let row = existing_in_tx(&mut write, name, expected_version).await?;
    match repo::delete_in_tx(&mut write, &row, session.caller().actor()).await {
        Ok(true) => {}
        Ok(false) => return Err(StoreError::Contention { statement: "types.delete" }.into()),
        Err(StoreError::Reference { .. }) => {
            let what = format!("the entity type {name:?}");
            return Err(GraphError::InUse { what, way_out: "delete its entities first" }.into());
        }
        Err(error) => return Err(error.into()),
    }
    let version = row.version + 1;
    write.event(event(EventKind::Deleted, (row.id, &row.name), version, vec![]));
    write.commit(fact("entity-type:delete", row.id, version)).await?;
    Ok(row.id)
}

/// The compiled schemas of the types that are named, as far as they exist.
pub(crate) async fn rules_in_tx(
    write: &mut Write,
    validators: &Validators,
    names: &[String],
) -> Result<HashMap<String, Arc<Validator>>, StoreError> {
    let mut rules = HashMap::new();
    for row in repo::shared_by_names_in_tx(write, names).await? {
        let validator = validators.of(&row).map_err(|problem| StoreError::Inconsistent {
            table: "entities.types",
            column: "schema",
            row: row.id.to_string(),
            problem: problem.text,
        })?;
        rules.insert(row.name, validator);
    }
    Ok(rules)
}

/// Creates a type that allows any properties, unless there is one of that name; whether it did.
pub(crate) async fn open_in_tx(write: &mut Write, org: OrgId, name: &str) -> Result<bool, StoreError> {
    let new = NewEntityType { name: name.to_owned(), description: None, schema: Map::new() };
    Ok(insert_in_tx(write, org, &new).await?.is_some())
}

async fn insert_in_tx(
    write: &mut Write,
    org: OrgId,
    new: &NewEntityType,
) -> Result<Option<EntityTypeId>, StoreError> {
    let id = EntityTypeId::new(write.now());
    let texts = (new.name.as_str(), new.description.as_deref());
    if !repo::insert_in_tx(write, (org, id), texts, &new.schema).await? {
        return Ok(None);
    }
    let changed = vec!["name", "description", "propertiesSchema"];
    write.event(event(EventKind::Created, (id, &new.name), 1, changed));
    Ok(Some(id))
}

/// Refuses a schema that entities of the type do not fit. None is written meanwhile that was compared with the one before.
async fn refuse_broken_in_tx(
    write: &mut Write,
    session: &Session,
    (name, schema): (&str, &Map<String, Value>),
) -> Result<(), Error<GraphError>> {
    if session.caller().is_narrowed() {
        let why = "entities that you may not see might not fit the schema".to_owned();
        return Err(GraphError::Unchecked { why }.into());
    }
    let validator = validator::compile(schema).map_err(GraphError::Input)?;
    let (mut checked, mut broken, mut example) = (0, 0, None);
    let mut after = Uuid::nil();
    loop {
        let rows = repo::properties_in_tx(write, name, (after, CHECKED_AT_ONCE)).await?;
        let Some((last, ..)) = rows.last() else { break };
        after = last.uuid();
        checked += rows.len();
        if checked > MAX_CHECKED {
            let why = format!("there are more than {MAX_CHECKED} entities to compare with the schema");
            return Err(GraphError::Unchecked { why }.into());
        }
        for (_, key, properties) in &rows {
            if let Err(problem) = check_properties(&validator, name, properties) {
                broken += 1;
                example.get_or_insert_with(|| (key.clone(), problem));
            }
        }
    }
    let Some((key, problem)) = example else { return Ok(()) };
    let (field, text) = problem.parts.into_iter().next().unwrap_or((problem.field, problem.text));
    let example = format!("{key:?} ({field}: {text})");
    Err(GraphError::Broken { broken, checked, example }.into())
}

fn check_new(new: &NewEntityType) -> Result<(), Problem> {
    check::type_name("name", &new.name)?;
    new.description.as_deref().map_or(Ok(()), check::description)?;
    validator::compile(&new.schema).map(drop)
}

async fn existing(session: &Session, name: &str) -> Result<EntityTypeRow, Error<GraphError>> {
    let row = repo::by_names(session, &[name.to_owned()]).await?.pop();
    row.ok_or_else(|| not_found(name).into())
}

async fn existing_in_tx(
    write: &mut Write,
    name: &str,
    expected_version: Option<i64>,
) -> Result<EntityTypeRow, Error<GraphError>> {
    let row = repo::for_change_in_tx(write, name).await?.ok_or_else(|| not_found(name))?;
    match expected_version {
        Some(expected) if expected != row.version => {
            Err(GraphError::Changed { expected, current: row.version }.into())
        }
        _ => Ok(row),
    }
}

fn not_found(name: &str) -> GraphError {
    let name: String = name.chars().take(100).collect();
    GraphError::NotFound { what: "entity type", by: format!("{name:?}") }
}

fn event(
    kind: EventKind,
    (id, name): (EntityTypeId, &str),
    version: i64,
    changed: Vec<&'static str>,
) -> Event {
    Event {
        kind,
        subject: SUBJECT,
        key: id.uuid(),
        version,
        changed,
        attributes: json!({ "name": name }),
        before: json!(null),
    }
}

fn fact(action: &'static str, id: EntityTypeId, version: i64) -> AuditFact {
    AuditFact { action, subject: SUBJECT, key: Some(id.uuid()), version: Some(version), items: 1 }
}
