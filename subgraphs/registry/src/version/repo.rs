//! Rows of `registry.schema_versions` and `registry.parts`.

use std::collections::HashMap;

use pulse_graphql::{Error, Page};
use pulse_store::{Session, StoreError, Write};
use pulse_types::{CompositionId, OrgId, SchemaVersionId, Tag, UserId};
use sqlx::{Postgres, QueryBuilder};

use super::{NewVersion, PartRow, PartSdl, SUBJECT, VersionError, VersionRow, VersionState};
use crate::composer;
use crate::target::Target;

macro_rules! columns {
    () => {
        "v.id, v.environment, v.variant, v.subgraph, v.number, v.state, v.url, v.sdl_hash, v.revision, v.message, v.actor,
         v.created_at"
    };
}

macro_rules! select {
    ($tail:literal) => {
        concat!("SELECT ", columns!(), " FROM registry.schema_versions AS v WHERE ", $tail)
    };
}

/// Of which subgraph of which variant.
#[derive(Debug, Clone)]
pub(crate) struct VersionList {
    pub(crate) target: Target,
    pub(crate) subgraph: Option<String>,
}

pub(crate) async fn find_many(
    session: &Session,
    ids: &[SchemaVersionId],
) -> Result<Vec<VersionRow>, StoreError> {
    session.tag_all(ids.iter().map(|id| Tag::row(SUBJECT, id.uuid())));
    session.fetch_all("schema_versions.find_many", sqlx::query_as(select!("v.id = ANY ($1)")).bind(ids)).await
}

/// The schemas of these versions.
pub(crate) async fn sdls(
    session: &Session,
    ids: &[SchemaVersionId],
) -> Result<HashMap<SchemaVersionId, String>, StoreError> {
    let query = sqlx::query_as("SELECT id, sdl FROM registry.schema_versions WHERE id = ANY ($1)").bind(ids);
    let rows: Vec<(SchemaVersionId, String)> = session.fetch_all("schema_versions.sdls", query).await?;
    Ok(rows.into_iter().collect())
}

fn tag(list: &VersionList) -> Tag {
    let tag = Tag::list(SUBJECT).with("environment", &list.target.environment);
    tag.with("variant", &list.target.variant)
}

/// A page, the newest first.
pub(crate) async fn page(
    session: &Session,
    list: &VersionList,
    page: &Page,
) -> Result<Vec<VersionRow>, Error<VersionError>> {
    session.tag(|| tag(list));
    let mut query = page_query("", list, page)?;
    Ok(session.fetch_all("schema_versions.page", query.build_query_as()).await?)
}

/// The statement of [`page`], after `verb`: nothing, or `EXPLAIN `.
pub(crate) fn page_query(
    verb: &str,
    list: &VersionList,
    page: &Page,
) -> Result<QueryBuilder<Postgres>, VersionError> {
    let mut query = QueryBuilder::new(verb);
    query.push(select!("true"));
    push_filter(&mut query, list);
    if let Some(cursor) = &page.from {
        let (number,): (i64,) = cursor.values()?;
        query.push(if page.backwards { " AND v.number > " } else { " AND v.number < " }).push_bind(number);
    }
    query.push(if page.backwards { " ORDER BY v.number LIMIT " } else { " ORDER BY v.number DESC LIMIT " });
    query.push_bind(page.limit());
    Ok(query)
}

fn push_filter(query: &mut QueryBuilder<Postgres>, list: &VersionList) {
    let VersionList { target, subgraph } = list;
    query.push(" AND v.environment = ").push_bind(target.environment.clone());
    query.push(" AND v.variant = ").push_bind(target.variant.clone());
    if let Some(subgraph) = subgraph {
        query.push(" AND v.subgraph = ").push_bind(subgraph.clone());
    }
}

pub(crate) async fn count(session: &Session, list: &VersionList) -> Result<i64, StoreError> {
    session.tag(|| tag(list));
    let mut query = QueryBuilder::new("SELECT count(*) FROM registry.schema_versions AS v WHERE true");
    push_filter(&mut query, list);
    let (count,): (i64,) = session.fetch_one("schema_versions.count", query.build_query_as()).await?;
    Ok(count)
}

/// What a composition is made of, with the schemas.
pub(crate) async fn parts(session: &Session, composition: CompositionId) -> Result<Vec<PartSdl>, StoreError> {
    let query = sqlx::query_as(
        "SELECT v.id, v.variant, v.subgraph, v.url, v.sdl, v.sdl_hash
           FROM registry.parts AS p JOIN registry.schema_versions AS v ON v.org_id = p.org_id AND v.id = p.version_id
          WHERE p.composition_id = $1 ORDER BY v.subgraph",
    );
    session.fetch_all("parts.sdls", query.bind(composition)).await
}

/// What these compositions are made of, by the names of the subgraphs.
pub(crate) async fn parts_of_many(
    session: &Session,
    compositions: &[CompositionId],
) -> Result<HashMap<CompositionId, Vec<VersionRow>>, StoreError> {
    let query = sqlx::query_as(concat!(
        "SELECT p.composition_id, ",
        columns!(),
        " FROM registry.parts AS p JOIN registry.schema_versions AS v ON v.org_id = p.org_id AND v.id = p.version_id
          WHERE p.composition_id = ANY ($1) ORDER BY v.subgraph"
    ));
    let rows: Vec<PartRow> = session.fetch_all("parts.versions", query.bind(compositions)).await?;
    let mut parts: HashMap<CompositionId, Vec<VersionRow>> = HashMap::new();
    for PartRow { composition_id, version } in rows {
        parts.entry(composition_id).or_default().push(version);
    }
    Ok(parts)
}

pub(crate) async fn insert_in_tx(
    write: &mut Write,
    (org, id): (OrgId, SchemaVersionId),
    new: &NewVersion,
    (number, state): (i64, VersionState),
    actor: Option<UserId>,
) -> Result<VersionRow, StoreError> {
    let sql = concat!(
        "INSERT INTO registry.schema_versions AS v (org_id, id, environment, variant, subgraph, number, state, url, sdl,
             sdl_hash, revision, message, actor, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) RETURNING ",
        columns!()
    );
    let query = sqlx::query_as(sql)
        .bind(org)
        .bind(id)
        .bind(&new.target.environment)
        .bind(&new.target.variant)
        .bind(&new.subgraph)
        .bind(number)
        .bind(state.as_str())
        .bind(&new.url)
        .bind(&new.sdl)
        .bind(composer::hash(&new.sdl))
        .bind(&new.revision)
        .bind(&new.message)
        .bind(actor)
        .bind(write.now());
    write.fetch_one("schema_versions.insert", query).await
}

/// Says what a composition is made of.
pub(crate) async fn insert_parts_in_tx(
    write: &mut Write,
    (org, composition): (OrgId, CompositionId),
    parts: &[(String, SchemaVersionId)],
) -> Result<(), StoreError> {
    let (names, ids): (Vec<_>, Vec<_>) = parts.iter().cloned().unzip();
    let query = sqlx::query(
        "INSERT INTO registry.parts (org_id, composition_id, subgraph, version_id)
         SELECT $1, $2, * FROM unnest($3::text[], $4::uuid[])",
    );
    let query = query.bind(org).bind(composition).bind(names).bind(ids);
    write.execute("parts.insert", query).await.map(drop)
}
