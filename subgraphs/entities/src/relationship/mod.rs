//! Relationships: what connects two entities.

mod draft;
pub(crate) mod list;
pub(crate) mod of_entities;
pub(crate) mod repo;
pub(crate) mod row;
mod save;

use pulse_graphql::{Error, Page};
use pulse_store::{AuditFact, Begun, EventKind, IdempotencyKey, Session, StoreError, Write};
use pulse_types::{EntityId, Permission, RelationshipId, UserId};
use serde::Deserialize;
use serde_json::{Map, Value, json};

pub(crate) use draft::{Ends, RelationshipDraft, Resolved, no_end};
use list::RelationshipFilter;
pub(crate) use row::RelationshipRow;
pub(crate) use save::{outcomes_in_tx, save_in_tx};

use crate::entity::refuse;
use crate::error::GraphError;
use crate::saved::{Outcome, Saved, refuse_duplicates};
use crate::{sight, tags};

pub(crate) const SUBJECT: &str = "entities.relationship";

/// What to change of a relationship; `None` leaves it.
#[derive(Debug, Clone)]
pub(crate) struct RelationshipPatch {
    pub(crate) id: RelationshipId,
    pub(crate) confidence: Option<f64>,
    pub(crate) properties: Option<Map<String, Value>>,
    pub(crate) expected_version: Option<i64>,
}

pub(crate) async fn list(
    session: &Session,
    filter: &RelationshipFilter,
    page: &Page,
) -> Result<Vec<RelationshipRow>, Error<GraphError>> {
    session.caller().require(&Permission::RELATIONSHIP_READ)?;
    let filter = &RelationshipFilter { within: sight::within(session), ..filter.clone() };
    let mut query = list::list_query(filter, page).map_err(GraphError::from)?;
    session.tag(|| tags::of_relationships(filter));
    Ok(session.fetch_all("relationships.list", query.build_query_as()).await?)
}

pub(crate) async fn count(session: &Session, filter: &RelationshipFilter) -> Result<i64, StoreError> {
    session.tag(|| tags::of_relationships(filter));
    let filter = &RelationshipFilter { within: sight::within(session), ..filter.clone() };
    let (count,) = session
        .fetch_one("relationships.count", list::count_query(filter).build_query_as::<(i64,)>())
        .await?;
    Ok(count)
}

pub(crate) async fn create(
    session: &Session,
    draft: RelationshipDraft,
    key: Option<IdempotencyKey>,
) -> Result<RelationshipRow, Error<GraphError>> {
    let org = session.caller().require(&Permission::RELATIONSHIP_WRITE)?;
    draft.check().map_err(GraphError::Input)?;
    let mut write = match session.write_once("entities.createRelationship", key.as_ref(), &draft).await? {
        Begun::New(write) => write,
        Begun::Repeated(response) => return repeated(session, response).await,
    };
    let ends = Ends::load_in_tx(&mut write, std::iter::once(&draft)).await?;
    let resolved = ends.resolve(&draft).map_err(GraphError::Input)?;
    let identity = (resolved.source, resolved.type_name, resolved.target);
    if !repo::by_identity_in_tx(&mut write, &[identity]).await?.is_empty() {
        let what = format!("a relationship {:?} from that source to that target", draft.type_name);
        let way_out = "change it with `updateRelationship` or `upsertRelationships`";
        return Err(GraphError::Exists { what, way_out }.into());
    }
    let saved = save_in_tx(&mut write, (org, session.caller().actor()), &[resolved]).await?;
    let saved = saved.first().expect("one draft is saved as one relationship");
    write.commit_with(fact("relationship:create", saved.id, 1), &json!({ "id": saved.id })).await?;
    read_back(session, saved.id).await
}

pub(crate) async fn update(
    session: &Session,
    patch: RelationshipPatch,
) -> Result<RelationshipRow, Error<GraphError>> {
    let org = session.caller().require(&Permission::RELATIONSHIP_WRITE)?;
    let mut write = session.write().await?;
    let row = existing_in_tx(&mut write, patch.id, patch.expected_version).await?;
    let draft = RelationshipDraft {
        type_name: row.type_name.clone(),
        source: crate::entity::EntityRef::Id(row.source_id),
        target: crate::entity::EntityRef::Id(row.target_id),
        confidence: patch.confidence.unwrap_or(row.confidence),
        properties: patch.properties.or_else(|| row.properties.clone()).unwrap_or_default(),
    };
    draft.check().map_err(GraphError::Input)?;
    let resolved = Resolved {
        type_name: &draft.type_name,
        source: row.source_id,
        target: row.target_id,
        confidence: draft.confidence,
        properties: &draft.properties,
    };
    let saved = save_in_tx(&mut write, (org, session.caller().actor()), &[resolved]).await?;
    let saved = saved.first().expect("one draft is saved as one relationship");
    if saved.outcome == Outcome::Unchanged {
        return Ok(row);
    }
    write.commit(fact("relationship:update", saved.id, saved.version)).await?;
    read_back(session, saved.id).await
}

pub(crate) async fn delete(
    session: &Session,
    id: RelationshipId,
    expected_version: Option<i64>,
) -> Result<(), Error<GraphError>> {
    session.caller().require(&Permission::RELATIONSHIP_DELETE)?;
    let mut write = session.write().await?;
    let row = existing_in_tx(&mut write, id, expected_version).await?;
    let gone = repo::delete_in_tx(&mut write, session.caller().actor(), &row).await?;
    tell_gone(&mut write, &gone);
    write.commit(fact("relationship:delete", id, row.version + 1)).await?;
    Ok(())
}

/// Makes the relationships be as the drafts say, all or none.
pub(crate) async fn upsert(
    session: &Session,
    drafts: Vec<RelationshipDraft>,
    key: Option<IdempotencyKey>,
) -> Result<Vec<Saved<RelationshipId>>, Error<GraphError>> {
    let org = session.caller().require(&Permission::RELATIONSHIP_WRITE)?;
    let mut problems = refuse_duplicates("source", &drafts, RelationshipDraft::identity);
    for (index, draft) in drafts.iter().enumerate() {
        problems.extend(draft.check().err().map(|problem| (index, problem)));
    }
    refuse(problems)?;
    let mut write = match session.write_once("entities.upsertRelationships", key.as_ref(), &drafts).await? {
        Begun::New(write) => write,
        Begun::Repeated(response) => return serde_json::from_value(response).map_err(Error::internal),
    };
    let ends = Ends::load_in_tx(&mut write, drafts.iter()).await?;
    let (mut resolved, mut problems) = (Vec::with_capacity(drafts.len()), Vec::new());
    for (index, draft) in drafts.iter().enumerate() {
        match ends.resolve(draft) {
            Ok(draft) => resolved.push(draft),
            Err(problem) => problems.push((index, problem)),
        }
    }
    refuse(problems)?;
    let saved = save_in_tx(&mut write, (org, session.caller().actor()), &resolved).await?;
    let items = i32::try_from(saved.len()).unwrap_or(i32::MAX);
    let fact = AuditFact { action: "relationship:upsert", subject: SUBJECT, key: None, version: None, items };
    write.commit_with(fact, &serde_json::to_value(&saved).map_err(Error::internal)?).await?;
    Ok(saved)
}

/// Deletes an entity's relationships of both directions; how many there were.
pub(crate) async fn delete_of_in_tx(
    write: &mut Write,
    actor: Option<UserId>,
    entity: EntityId,
) -> Result<usize, StoreError> {
    let gone = repo::delete_of_in_tx(write, actor, entity).await?;
    for one in &gone {
        tell_gone(write, one);
    }
    Ok(gone.len())
}

fn tell_gone(write: &mut Write, (id, version, type_name, source, target): &repo::Gone) {
    let what = (EventKind::Deleted, *id, version + 1);
    write.event(save::event(what, vec![], (type_name, *source, *target)));
}

async fn existing_in_tx(
    write: &mut Write,
    id: RelationshipId,
    expected_version: Option<i64>,
) -> Result<RelationshipRow, Error<GraphError>> {
    let row = repo::by_id_in_tx(write, id).await?.ok_or_else(|| not_found(id))?;
    match expected_version {
        Some(expected) if expected != row.version => {
            Err(GraphError::Changed { expected, current: row.version }.into())
        }
        _ => Ok(row),
    }
}

async fn repeated(session: &Session, response: Value) -> Result<RelationshipRow, Error<GraphError>> {
    #[derive(Deserialize)]
    struct Created {
        id: RelationshipId,
    }
    let Created { id } = serde_json::from_value(response).map_err(Error::internal)?;
    read_back(session, id).await
}

async fn read_back(session: &Session, id: RelationshipId) -> Result<RelationshipRow, Error<GraphError>> {
    repo::by_ids(session, &[id]).await?.pop().ok_or_else(|| not_found(id).into())
}

fn not_found(id: RelationshipId) -> GraphError {
    GraphError::NotFound { what: "relationship", by: format!("with the id {id}") }
}

fn fact(action: &'static str, id: RelationshipId, version: i64) -> AuditFact {
    AuditFact { action, subject: SUBJECT, key: Some(id.uuid()), version: Some(version), items: 1 }
}
