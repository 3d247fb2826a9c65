//! Client applications, and the operations that they publish before they send them.

mod entity;
mod error;
mod publish;
pub(crate) mod repo;
mod source;
mod valid;

use std::collections::{BTreeMap, HashSet};

use async_graphql::MaybeUndefined;
use pulse_graphql::Error;
use pulse_manifests::{ClientOperations, OperationKind, PublishedOperation, PublishedOperations};
use pulse_store::{AuditFact, Begun, Event, EventKind, IdempotencyKey, Session, StoreError};
use pulse_types::{ClientAppId, Permission};
use serde::Serialize;
use serde_json::json;
use sqlx::types::Json;

pub(crate) use entity::{ClientRow, ManifestRow, Mode, OperationRow};
pub(crate) use error::ClientAppError;
pub(crate) use publish::{Manifested, publish, retire};
pub(crate) use source::internal_routes;
pub use source::{OPERATIONS_PATH, OperationsQuestion, PublishedReader};
pub use valid::{Api, InvalidApi};

use crate::check::{SurfaceKind, SurfaceOperation};
use crate::target::{Target, check_environment};

/// What events of clients are about.
pub const SUBJECT: &str = "registry.client";

/// So many a tenant may have.
const MOST: i64 = 200;

/// So many operations of a client may be tools, and so long may be what one is good for.
const MOST_TOOLS: usize = 200;
const MAX_TOOL: usize = 2_000;

/// What a new client is made of.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct NewClient {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) mode: Option<Mode>,
}

/// What is to change of a client; what is not given stays.
#[derive(Debug, Clone, Default)]
pub(crate) struct ClientChange {
    pub(crate) description: Option<String>,
    pub(crate) mode: MaybeUndefined<Mode>,
    pub(crate) modes: Option<BTreeMap<String, Mode>>,
    pub(crate) tools: Option<BTreeMap<String, String>>,
    pub(crate) expected_version: Option<i64>,
}

/// Makes a client.
pub(crate) async fn create(
    session: &Session,
    new: NewClient,
    key: Option<String>,
) -> Result<ClientRow, Error<ClientAppError>> {
    let org = session.caller().require(&Permission::SCHEMA_MANAGE)?;
    check_name(&new.name)?;
    check_description(&new.description)?;
    let key = key.map(IdempotencyKey::try_new).transpose().map_err(ClientAppError::from)?;
    let mut write = match session.write_once("registry.createClientApp", key.as_ref(), &new).await? {
        Begun::New(write) => write,
        Begun::Repeated(response) => {
            let id: ClientAppId = serde_json::from_value(response["id"].clone()).map_err(Error::internal)?;
            let row = repo::find_many(session, &[id]).await?.pop();
            return Ok(row.ok_or(ClientAppError::NotFound(id))?);
        }
    };
    let id = ClientAppId::new(write.now());
    if repo::lock_by_name_in_tx(&mut write, &new.name).await?.is_some() {
        return Err(ClientAppError::Taken(new.name).into());
    }
    let row = repo::insert_in_tx(&mut write, (org, id), &new, MOST).await?;
    let row = row.ok_or(ClientAppError::TooMany { most: MOST, what: "client applications" })?;
    write.event(event(EventKind::Created, &row, vec![]));
    write.commit_with(fact("client:create", &row), &json!({ "id": id })).await?;
    Ok(row)
}

/// Changes a client.
pub(crate) async fn update(
    session: &Session,
    id: ClientAppId,
    change: ClientChange,
) -> Result<ClientRow, Error<ClientAppError>> {
    session.caller().require(&Permission::SCHEMA_MANAGE)?;
    let mut write = session.write().await?;
    let old = repo::lock_in_tx(&mut write, id).await?.ok_or(ClientAppError::NotFound(id))?;
    if let Some(expected) = change.expected_version.filter(|expected| *expected != old.version) {
        return Err(ClientAppError::VersionMismatch { expected, actual: old.version }.into());
    }
    let new = changed(&old, change)?;
    if new == old {
        return Ok(old);
    }
    repo::keep_in_tx(&mut write, id, session.caller().actor()).await?;
    let row = repo::update_in_tx(&mut write, &new).await?;
    let fields = [
        (old.description != row.description, "description"),
        (old.mode != row.mode, "mode"),
        (old.modes != row.modes, "environmentModes"),
        (old.tools != row.tools, "tools"),
    ];
    let fields = fields.into_iter().filter_map(|(differs, field)| differs.then_some(field)).collect();
    write.event(event(EventKind::Updated, &row, fields));
    write.commit(fact("client:update", &row)).await?;
    Ok(row)
}

/// Deletes a client with all that it published: whoever is bound to it can send nothing any more.
pub(crate) async fn delete(session: &Session, id: ClientAppId) -> Result<ClientAppId, Error<ClientAppError>> {
    session.caller().require(&Permission::SCHEMA_MANAGE)?;
    let mut write = session.write().await?;
    let row = repo::lock_in_tx(&mut write, id).await?.ok_or(ClientAppError::NotFound(id))?;
    repo::keep_in_tx(&mut write, id, session.caller().actor()).await?;
    repo::delete_in_tx(&mut write, id).await?;
    crate::usage::repo::undeclare_in_tx(&mut write, &row.name, None).await?;
    let row = ClientRow { version: row.version + 1, ..row };
    write.event(event(EventKind::Deleted, &row, vec![]));
    write.commit(fact("client:delete", &row)).await?;
    Ok(id)
}

/// What all clients of the caller's tenant published for the API of Pulse, as gateways of an environment take it.
async fn published(session: &Session, environment: Option<&str>) -> Result<PublishedOperations, StoreError> {
    let (clients, rows) = repo::published(session, None).await?;
    let mut operations: BTreeMap<String, Vec<PublishedOperation>> = BTreeMap::new();
    let tools: BTreeMap<&str, &BTreeMap<String, String>> =
        clients.iter().map(|client| (client.name.as_str(), &client.tools.0)).collect();
    let mut seen = HashSet::new();
    for row in rows {
        let entity::PublishedRow { client, name: Some(name), operation_id: Some(id), kind, document } = row
        else {
            continue;
        };
        let (Some(kind), Some(document)) = (kind.as_deref().and_then(OperationKind::parse), document) else {
            continue;
        };
        // What several versions have is there once.
        if !seen.insert((client.clone(), id.clone(), pulse_manifests::TextHash::of(&document))) {
            continue;
        }
        let tool = tools.get(client.as_str()).and_then(|tools| tools.get(&name));
        let tool = tool.map(|what_for| what_for.as_str().into());
        let operation =
            PublishedOperation { id: id.into(), name: name.into(), kind, document: document.into(), tool };
        operations.entry(client).or_default().push(operation);
    }
    let clients = clients.into_iter().map(|client| {
        let own = environment.and_then(|environment| client.modes.get(environment).copied());
        let mode = own.or(client.mode).map(Into::into);
        let published = operations.remove(&client.name).unwrap_or_default();
        ClientOperations::new(client.name, mode, published)
    });
    Ok(PublishedOperations::new(clients))
}

/// What clients published for a graph, as faces of it that notice its changes.
pub(crate) async fn faces_of(session: &Session, graph: &Target) -> Result<Vec<SurfaceOperation>, StoreError> {
    let (clients, rows) = repo::published(session, Some(graph)).await?;
    let tools: BTreeMap<&str, &BTreeMap<String, String>> =
        clients.iter().map(|client| (client.name.as_str(), &client.tools.0)).collect();
    let mut faces = Vec::new();
    for entity::PublishedRow { client, name, document, .. } in rows {
        let (Some(operation), Some(document)) = (name, document) else { continue };
        if tools.get(client.as_str()).is_some_and(|tools| tools.contains_key(&operation)) {
            let (kind, name) = (SurfaceKind::McpTool, format!("{client}_{operation}"));
            faces.push(SurfaceOperation { kind, name, document: document.clone() });
        }
        let (kind, name) = (SurfaceKind::PublishedOperation, format!("{operation} of {client}"));
        faces.push(SurfaceOperation { kind, name, document });
    }
    Ok(faces)
}

fn changed(old: &ClientRow, change: ClientChange) -> Result<ClientRow, ClientAppError> {
    let ClientChange { description, mode, modes, tools, .. } = change;
    let mut new = old.clone();
    if let Some(description) = description {
        check_description(&description)?;
        new.description = description;
    }
    if !mode.is_undefined() {
        new.mode = mode.take();
    }
    if let Some(modes) = modes {
        let most = crate::variant::repo::MOST_ENVIRONMENTS;
        if i64::try_from(modes.len()).map_or(true, |count| count > most) {
            return Err(ClientAppError::TooMany { most, what: "environments" });
        }
        modes.keys().try_for_each(|environment| check_environment(environment))?;
        new.modes = Json(modes);
    }
    if let Some(tools) = tools {
        check_tools(&tools)?;
        new.tools = Json(tools);
    }
    Ok(new)
}

fn check_tools(tools: &BTreeMap<String, String>) -> Result<(), ClientAppError> {
    if tools.len() > MOST_TOOLS {
        return Err(ClientAppError::Tool(format!("a client has at most {MOST_TOOLS} tools")));
    }
    for (name, what_for) in tools {
        let is_name = (1..=200).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_name {
            let name: String = name.chars().take(64).collect();
            return Err(ClientAppError::Tool(format!("{name:?} is no name of an operation")));
        }
        let length = what_for.chars().count();
        if !(1..=MAX_TOOL).contains(&length) {
            let problem =
                format!("what {name} is good for has 1 to {MAX_TOOL} characters, this has {length}");
            return Err(ClientAppError::Tool(problem));
        }
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), ClientAppError> {
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if (1..=60).contains(&name.len()) && !name.starts_with('-') && name.bytes().all(is_part) {
        return Ok(());
    }
    Err(ClientAppError::Name(name.chars().take(60).collect()))
}

fn check_description(text: &str) -> Result<(), ClientAppError> {
    match text.chars().count() {
        0..=1000 => Ok(()),
        length => Err(ClientAppError::Description(length)),
    }
}

fn event(kind: EventKind, row: &ClientRow, changed: Vec<&'static str>) -> Event {
    Event {
        kind,
        subject: SUBJECT,
        key: row.id.uuid(),
        version: row.version,
        changed,
        attributes: json!({ "name": row.name }),
        before: json!(null),
    }
}

fn fact(action: &'static str, row: &ClientRow) -> AuditFact {
    AuditFact { action, subject: SUBJECT, key: Some(row.id.uuid()), version: Some(row.version), items: 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_headers_and_of_tools() {
        for good in ["web", "acme-2", "1", &"x".repeat(60)] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        for bad in ["", "-a", "Web", "a_b", "a b", "ä", &"x".repeat(61)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_tool_has_a_name_and_says_what_it_is_good_for() {
        let tools = |name: &str, what_for: &str| BTreeMap::from([(name.to_owned(), what_for.to_owned())]);
        assert_eq!(check_tools(&tools("ListJobs", "Lists jobs.")), Ok(()));
        for (name, what_for) in [("List Jobs", "x"), ("", "x"), ("A", ""), ("A", &"x".repeat(2001))] {
            assert!(check_tools(&tools(name, what_for)).is_err(), "{name}");
        }
    }
}
