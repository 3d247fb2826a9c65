//! Publishing what a version of a client sends, and retiring it.

use chrono::NaiveDate;
use pulse_graphql::Error;
use pulse_manifests::{Manifest, ManifestOperation, TextHash};
use pulse_schema::{ApiSchema, operation_coordinates, operation_signature};
use pulse_store::{EventKind, Session};
use pulse_types::{OperationManifestId, Permission};
use sha2::{Digest, Sha256};

use super::repo::Lists;
use crate::target::Target;
use crate::usage::{self, OperationKind, Reported};
use crate::{composition, variant};

use super::{Api, ClientAppError, ClientRow, ManifestRow, event, fact, repo};

/// So many operations all manifests of a tenant may have together.
const MOST_OPERATIONS: i64 = 50_000;

/// What came of publishing.
pub(crate) struct Manifested {
    pub(crate) client: ClientRow,
    pub(crate) manifest: ManifestRow,
    /// Whether it was published before, just so.
    pub(crate) is_unchanged: bool,
}

/// Publishes the operations of a version of a client. All of them must be valid, or none is published.
pub(crate) async fn publish(
    session: &Session,
    api: &Api,
    graph: Option<Target>,
    (client, label, text): (&str, String, &str),
) -> Result<Manifested, Error<ClientAppError>> {
    let org = session.caller().require(&Permission::SCHEMA_PUBLISH)?;
    let length = label.chars().count();
    if !(1..=100).contains(&length) {
        return Err(ClientAppError::Version(length).into());
    }
    let operations = Manifest::parse(text).map_err(ClientAppError::from)?.into_operations();
    let digest = digest(&operations);
    let (operations, declared) = match &graph {
        None => (api.check(operations).await?, Vec::new()),
        Some(graph) => fit_for(session, graph, (client, &label), operations).await?,
    };
    let mut write = session.write().await?;
    let row = repo::lock_by_name_in_tx(&mut write, client).await?;
    let row = row.ok_or_else(|| ClientAppError::Unknown(client.chars().take(60).collect()))?;
    if let Some(known) = repo::manifest_in_tx(&mut write, row.id, &label).await? {
        if known.digest != digest {
            return Err(ClientAppError::Published(label).into());
        }
        return Ok(Manifested { client: row, manifest: known, is_unchanged: true });
    }
    let count = i32::try_from(operations.len()).map_err(Error::internal)?;
    if repo::operations_in_tx(&mut write).await? + i64::from(count) > MOST_OPERATIONS {
        let what = "published operations: retire versions that are no longer in use";
        return Err(ClientAppError::TooMany { most: MOST_OPERATIONS, what }.into());
    }
    let manifest = ManifestRow {
        id: OperationManifestId::new(write.now()),
        client_id: row.id,
        number: row.manifests + 1,
        label,
        environment: graph.as_ref().map(|graph| graph.environment.clone()),
        variant: graph.map(|graph| graph.variant),
        digest,
        operations: count,
        actor: session.caller().actor(),
        created_at: write.now(),
    };
    repo::insert_manifest_in_tx(&mut write, org, (&manifest, &lists(operations))).await?;
    if let Some(environment) = &manifest.environment
        && !usage::declare_in_tx(&mut write, org, environment, &declared).await?
    {
        let what = "different operations in an environment";
        return Err(ClientAppError::TooMany { most: MOST_OPERATIONS, what }.into());
    }
    repo::keep_in_tx(&mut write, row.id, session.caller().actor()).await?;
    let new = ClientRow { manifests: manifest.number, ..row };
    let client = repo::update_in_tx(&mut write, &new).await?;
    write.event(event(EventKind::Updated, &client, vec!["manifests"]));
    write.commit(fact("client:publish", &client)).await?;
    Ok(Manifested { client, manifest, is_unchanged: false })
}

/// Lets through operations that can be sent to a graph of the tenant's, with what they use of it.
async fn fit_for(
    session: &Session,
    graph: &Target,
    (client, label): (&str, &str),
    operations: Vec<ManifestOperation>,
) -> Result<(Vec<ManifestOperation>, Vec<Reported>), Error<ClientAppError>> {
    let supergraph = supergraph_of(session, graph).await?;
    let api = supergraph.clone();
    let operations = Api::new(move || clients_see(&api)).check(operations).await?;
    let named = (client.to_owned(), label.to_owned());
    let day = session.store().clock().now().date_naive();
    let work = move || {
        let declared = declared(&supergraph, &operations, named, day);
        (operations, declared)
    };
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)
}

/// A graph as it is now.
async fn supergraph_of(session: &Session, graph: &Target) -> Result<String, Error<ClientAppError>> {
    let none = || {
        let Target { environment, variant } = graph.clone();
        ClientAppError::NoGraph { environment, variant }
    };
    let row = variant::repo::find(session, graph).await?;
    let current = row.and_then(|row| row.current).ok_or_else(none)?;
    let supergraph = composition::repo::supergraphs(session, &[current]).await?.remove(&current);
    Ok(supergraph.ok_or_else(none)?)
}

fn clients_see(supergraph: &str) -> Result<String, String> {
    pulse_schema::api_schema(supergraph)
        .map_err(|problems| problems.first().map(|problem| format!("{problem:?}")).unwrap_or_default())
}

/// What the operations of a version of a client use of a graph.
fn declared(
    supergraph: &str,
    operations: &[ManifestOperation],
    (client, version): (String, String),
    day: NaiveDate,
) -> Vec<Reported> {
    let Ok(schema) = ApiSchema::read(supergraph) else { return Vec::new() };
    let used = |operation: &ManifestOperation| {
        let coordinates = operation_coordinates(&schema, &operation.document, None, None).ok()?;
        Some(Reported {
            signature: operation_signature(&operation.document),
            name: operation.name.clone(),
            kind: match operation.kind {
                pulse_manifests::OperationKind::Query => OperationKind::Query,
                pulse_manifests::OperationKind::Mutation => OperationKind::Mutation,
                pulse_manifests::OperationKind::Subscription => OperationKind::Subscription,
            },
            client_name: client.clone(),
            client_version: version.clone(),
            day,
            requests: 0,
            errors: 0,
            coordinates: coordinates.into_iter().collect(),
        })
    };
    operations.iter().filter_map(used).collect()
}

/// Takes back what a version of a client published. What other versions have of it stays.
pub(crate) async fn retire(
    session: &Session,
    (client, label): (&str, &str),
) -> Result<ClientRow, Error<ClientAppError>> {
    session.caller().require(&Permission::SCHEMA_MANAGE)?;
    let mut write = session.write().await?;
    let row = repo::lock_by_name_in_tx(&mut write, client).await?;
    let row = row.ok_or_else(|| ClientAppError::Unknown(client.chars().take(60).collect()))?;
    let manifest = repo::manifest_in_tx(&mut write, row.id, label).await?;
    let manifest = manifest.ok_or_else(|| ClientAppError::NoVersion {
        client: row.name.clone(),
        version: label.chars().take(100).collect(),
    })?;
    repo::retire_in_tx(&mut write, &manifest).await?;
    usage::repo::undeclare_in_tx(&mut write, &row.name, Some(&manifest.label)).await?;
    repo::keep_in_tx(&mut write, row.id, session.caller().actor()).await?;
    let client = repo::update_in_tx(&mut write, &row).await?;
    write.event(event(EventKind::Updated, &client, vec!["manifests"]));
    write.commit(fact("client:retire", &client)).await?;
    Ok(client)
}

/// What tells one manifest from another: ids and texts of its operations, in the order of their names.
fn digest(operations: &[ManifestOperation]) -> Vec<u8> {
    let mut digest = Sha256::new();
    for operation in operations {
        digest.update(&operation.id);
        digest.update([0]);
        digest.update(&operation.document);
        digest.update([0]);
    }
    digest.finalize().to_vec()
}

fn lists(operations: Vec<ManifestOperation>) -> Lists {
    let mut lists = Lists {
        names: Vec::new(),
        ids: Vec::new(),
        kinds: Vec::new(),
        hashes: Vec::new(),
        documents: Vec::new(),
    };
    for ManifestOperation { id, name, kind, document } in operations {
        lists.hashes.push(TextHash::of(&document).as_bytes().to_vec());
        lists.names.push(name);
        lists.ids.push(id);
        lists.kinds.push(kind.as_str().to_owned());
        lists.documents.push(document);
    }
    lists
}
