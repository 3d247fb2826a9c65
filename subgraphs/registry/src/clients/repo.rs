//! Rows of clients and of what they published.

use pulse_graphql::{Error, Page};
use pulse_store::{Session, StoreError, Write};
use pulse_types::{ClientAppId, OperationManifestId, OrgId, Tag, UserId};
use sqlx::{Postgres, QueryBuilder};

use super::entity::PublishedRow;
use super::{ClientAppError, ClientRow, ManifestRow, NewClient, OperationRow, SUBJECT};
use crate::target::Target;

macro_rules! columns {
    () => {
        "id, name, description, mode, modes, tools, manifests, version, created_at, updated_at"
    };
}

macro_rules! select {
    ($tail:literal) => {
        concat!("SELECT ", columns!(), " FROM registry.clients WHERE ", $tail)
    };
}

const MANIFEST: &str =
    "id, client_id, number, label, environment, variant, digest, operations, actor, created_at";

pub(crate) async fn find_many(session: &Session, ids: &[ClientAppId]) -> Result<Vec<ClientRow>, StoreError> {
    session.tag_all(ids.iter().map(|id| Tag::row(SUBJECT, id.uuid())));
    session.fetch_all("clients.find_many", sqlx::query_as(select!("id = ANY ($1)")).bind(ids)).await
}

pub(crate) async fn by_name(session: &Session, name: &str) -> Result<Option<ClientRow>, StoreError> {
    session.tag(|| Tag::list(SUBJECT));
    session.fetch_optional("clients.by_name", sqlx::query_as(select!("name = $1")).bind(name)).await
}

/// A page in the order of names.
pub(crate) async fn page(session: &Session, page: &Page) -> Result<Vec<ClientRow>, Error<ClientAppError>> {
    session.tag(|| Tag::list(SUBJECT));
    let mut query = page_query("", page)?;
    Ok(session.fetch_all("clients.page", query.build_query_as()).await?)
}

/// The statement of [`page`], after `verb`: nothing, or `EXPLAIN `.
pub(crate) fn page_query(verb: &str, page: &Page) -> Result<QueryBuilder<Postgres>, ClientAppError> {
    let mut query = QueryBuilder::new(verb);
    query.push(select!("true"));
    if let Some(cursor) = &page.from {
        let (name,): (String,) = cursor.values()?;
        query.push(if page.backwards { " AND name < " } else { " AND name > " }).push_bind(name);
    }
    query.push(if page.backwards { " ORDER BY name DESC LIMIT " } else { " ORDER BY name LIMIT " });
    query.push_bind(page.limit());
    Ok(query)
}

pub(crate) async fn count(session: &Session) -> Result<i64, StoreError> {
    session.tag(|| Tag::list(SUBJECT));
    let query = sqlx::query_as("SELECT count(*) FROM registry.clients");
    let (count,): (i64,) = session.fetch_one("clients.count", query).await?;
    Ok(count)
}

/// Inserts it, unless the tenant has `limit` already or one of that name.
pub(super) async fn insert_in_tx(
    write: &mut Write,
    (org, id): (OrgId, ClientAppId),
    new: &NewClient,
    limit: i64,
) -> Result<Option<ClientRow>, StoreError> {
    let sql = concat!(
        "INSERT INTO registry.clients (org_id, id, name, description, mode, modes, tools, manifests, version, created_at,
             updated_at)
         SELECT $1, $2, $3, $4, $5, '{}', '{}', 0, 1, $6, $6
          WHERE (SELECT count(*) FROM registry.clients) < $7
         ON CONFLICT (org_id, name) DO NOTHING RETURNING ",
        columns!()
    );
    let query = sqlx::query_as(sql)
        .bind(org)
        .bind(id)
        .bind(&new.name)
        .bind(&new.description)
        .bind(new.mode)
        .bind(write.now())
        .bind(limit);
    write.fetch_optional("clients.insert", query).await
}

/// The row, which no other write changes until this one ends.
pub(super) async fn lock_in_tx(write: &mut Write, id: ClientAppId) -> Result<Option<ClientRow>, StoreError> {
    write.fetch_optional("clients.lock", sqlx::query_as(select!("id = $1 FOR UPDATE")).bind(id)).await
}

pub(super) async fn lock_by_name_in_tx(
    write: &mut Write,
    name: &str,
) -> Result<Option<ClientRow>, StoreError> {
    let query = sqlx::query_as(select!("name = $1 FOR UPDATE")).bind(name);
    write.fetch_optional("clients.lock_by_name", query).await
}

/// Keeps the row as it is in the history, before it changes or goes.
pub(super) async fn keep_in_tx(
    write: &mut Write,
    id: ClientAppId,
    actor: Option<UserId>,
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "INSERT INTO registry.history (org_id, subject, id, version, value, at, actor)
         SELECT org_id, 'registry.client', id, version, to_jsonb(c) - 'org_id', $2, $3
           FROM registry.clients AS c WHERE id = $1",
    );
    let query = query.bind(id).bind(write.now()).bind(actor);
    write.execute("clients.keep", query).await.map(drop)
}

/// Writes what may have changed, as the next version.
pub(super) async fn update_in_tx(write: &mut Write, new: &ClientRow) -> Result<ClientRow, StoreError> {
    let sql = concat!(
        "UPDATE registry.clients SET description = $2, mode = $3, modes = $4, tools = $5, manifests = $6,
                version = version + 1, updated_at = $7
          WHERE id = $1 RETURNING ",
        columns!()
    );
    let query = sqlx::query_as(sql)
        .bind(new.id)
        .bind(&new.description)
        .bind(new.mode)
        .bind(&new.modes)
        .bind(&new.tools)
        .bind(new.manifests)
        .bind(write.now());
    write.fetch_one("clients.update", query).await
}

/// Deletes it, with all that it published.
pub(super) async fn delete_in_tx(write: &mut Write, id: ClientAppId) -> Result<(), StoreError> {
    let query = sqlx::query("DELETE FROM registry.clients WHERE id = $1").bind(id);
    write.execute("clients.delete", query).await.map(drop)
}

pub(super) async fn manifest_in_tx(
    write: &mut Write,
    client: ClientAppId,
    label: &str,
) -> Result<Option<ManifestRow>, StoreError> {
    let sql = format!("SELECT {MANIFEST} FROM registry.manifests WHERE client_id = $1 AND label = $2");
    let query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(client).bind(label.to_owned());
    write.fetch_optional("manifests.find", query).await
}

/// How many operations all manifests of the tenant have together.
pub(super) async fn operations_in_tx(write: &mut Write) -> Result<i64, StoreError> {
    let query = sqlx::query_as("SELECT coalesce(sum(operations), 0)::bigint FROM registry.manifests");
    let (count,): (i64,) = write.fetch_one("manifests.operations", query).await?;
    Ok(count)
}

/// What a manifest is made of: names, ids, kinds, hashes and texts, in one order.
pub(super) struct Lists {
    pub(super) names: Vec<String>,
    pub(super) ids: Vec<String>,
    pub(super) kinds: Vec<String>,
    pub(super) hashes: Vec<Vec<u8>>,
    pub(super) documents: Vec<String>,
}

/// Inserts a manifest, its operations, and those of their texts that the client did not publish before.
pub(super) async fn insert_manifest_in_tx(
    write: &mut Write,
    org: OrgId,
    (row, lists): (&ManifestRow, &Lists),
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "WITH manifest AS (
             INSERT INTO registry.manifests (org_id, id, client_id, number, label, digest, operations, actor, created_at,
                 environment, variant)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $15, $16)
         ), texts AS (
             INSERT INTO registry.documents (org_id, client_id, hash, document)
             SELECT DISTINCT ON (hash) $1, $3, hash, document
               FROM unnest($13::bytea[], $14::text[]) AS t (hash, document)
             ON CONFLICT DO NOTHING
         )
         INSERT INTO registry.manifest_operations (org_id, manifest_id, name, operation_id, kind, hash)
         SELECT $1, $2, name, id, kind, hash
           FROM unnest($10::text[], $11::text[], $12::text[], $13::bytea[]) AS t (name, id, kind, hash)",
    );
    let query = query
        .bind(org)
        .bind(row.id)
        .bind(row.client_id)
        .bind(row.number)
        .bind(&row.label)
        .bind(&row.digest)
        .bind(row.operations)
        .bind(row.actor)
        .bind(row.created_at)
        .bind(&lists.names)
        .bind(&lists.ids)
        .bind(&lists.kinds)
        .bind(&lists.hashes)
        .bind(&lists.documents)
        .bind(&row.environment)
        .bind(&row.variant);
    write.execute("manifests.insert", query).await.map(drop)
}

/// Deletes a manifest, and the texts that no other one of its client has.
pub(super) async fn retire_in_tx(write: &mut Write, row: &ManifestRow) -> Result<(), StoreError> {
    let delete = sqlx::query("DELETE FROM registry.manifests WHERE id = $1").bind(row.id);
    write.execute("manifests.retire", delete).await?;
    let sweep = sqlx::query(
        "DELETE FROM registry.documents AS d
          WHERE d.client_id = $1 AND NOT EXISTS (
                SELECT FROM registry.manifest_operations AS o
                  JOIN registry.manifests AS m ON m.org_id = o.org_id AND m.id = o.manifest_id
                 WHERE m.client_id = $1 AND o.hash = d.hash)",
    );
    write.execute("documents.sweep", sweep.bind(row.client_id)).await.map(drop)
}

/// The manifests of a client, the newest first.
pub(crate) async fn manifests(
    session: &Session,
    client: ClientAppId,
) -> Result<Vec<ManifestRow>, StoreError> {
    session.tag(|| Tag::row(SUBJECT, client.uuid()));
    let sql = format!("SELECT {MANIFEST} FROM registry.manifests WHERE client_id = $1 ORDER BY number DESC");
    let query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(client);
    session.fetch_all("manifests.of_client", query).await
}

/// The operations of a manifest in the order of their names, after `after`.
pub(crate) async fn operations(
    session: &Session,
    (client, manifest): (ClientAppId, OperationManifestId),
    (after, limit): (&str, i64),
) -> Result<Vec<OperationRow>, StoreError> {
    session.tag(|| Tag::row(SUBJECT, client.uuid()));
    let query = sqlx::query_as(
        "SELECT o.name, o.operation_id, o.kind, d.document
           FROM registry.manifest_operations AS o
           JOIN registry.documents AS d ON d.org_id = o.org_id AND d.client_id = $1 AND d.hash = o.hash
          WHERE o.manifest_id = $2 AND o.name > $3 ORDER BY o.name LIMIT $4",
    );
    let query = query.bind(client).bind(manifest).bind(after.to_owned()).bind(limit);
    session.fetch_all("manifest_operations.of_manifest", query).await
}

/// The clients, and what they published for a graph of the tenant's, or for the API of Pulse; the newest first.
pub(super) async fn published(
    session: &Session,
    graph: Option<&Target>,
) -> Result<(Vec<ClientRow>, Vec<PublishedRow>), StoreError> {
    let clients = session.fetch_all("clients.all", sqlx::query_as(select!("true"))).await?;
    let query = sqlx::query_as(
        "SELECT c.name AS client, o.name, o.operation_id, o.kind, d.document
           FROM registry.clients AS c
           JOIN registry.manifests AS m ON m.org_id = c.org_id AND m.client_id = c.id
           JOIN registry.manifest_operations AS o ON o.org_id = m.org_id AND o.manifest_id = m.id
           JOIN registry.documents AS d ON d.org_id = c.org_id AND d.client_id = c.id AND d.hash = o.hash
          WHERE m.environment IS NOT DISTINCT FROM $1 AND m.variant IS NOT DISTINCT FROM $2
          ORDER BY c.name, m.number DESC, o.name",
    );
    let query = query.bind(graph.map(|graph| graph.environment.clone()));
    let query = query.bind(graph.map(|graph| graph.variant.clone()));
    Ok((clients, session.fetch_all("clients.published", query).await?))
}
