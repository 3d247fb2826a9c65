//! Rows of `registry.checks`.

use pulse_graphql::{Error, Page};
use pulse_store::{Session, StoreError, Write};
use pulse_types::{CompositionId, OrgId, SchemaCheckId, Tag, UserId};
use sqlx::types::Json;
use sqlx::{Postgres, QueryBuilder};

use super::{CheckResult, CheckRow, NewCheck, SUBJECT, Verdict};
use crate::composer;
use crate::version::VersionError;

macro_rules! columns {
    () => {
        "id, environment, variant, subgraph, against, verdict, sdl_hash, revision, result, actor, created_at"
    };
}

macro_rules! select {
    ($tail:literal) => {
        concat!("SELECT ", columns!(), " FROM registry.checks WHERE ", $tail)
    };
}

/// Which checks.
#[derive(Debug, Clone)]
pub(crate) struct CheckList {
    pub(crate) environment: String,
    pub(crate) subgraph: Option<String>,
}

pub(crate) async fn find(session: &Session, id: SchemaCheckId) -> Result<Option<CheckRow>, StoreError> {
    session.tag(|| Tag::row(SUBJECT, id.uuid()));
    session.fetch_optional("checks.find", sqlx::query_as(select!("id = $1")).bind(id)).await
}

fn tag(list: &CheckList) -> Tag {
    Tag::list(SUBJECT).with("environment", &list.environment)
}

/// A page, the newest first.
pub(crate) async fn page(
    session: &Session,
    list: &CheckList,
    page: &Page,
) -> Result<Vec<CheckRow>, Error<VersionError>> {
    session.tag(|| tag(list));
    let mut query = page_query("", list, page)?;
    Ok(session.fetch_all("checks.page", query.build_query_as()).await?)
}

/// The statement of [`page`], after `verb`: nothing, or `EXPLAIN `.
pub(crate) fn page_query(
    verb: &str,
    list: &CheckList,
    page: &Page,
) -> Result<QueryBuilder<Postgres>, VersionError> {
    let mut query = QueryBuilder::new(verb);
    query.push(select!("environment = ")).push_bind(list.environment.clone());
    if let Some(subgraph) = &list.subgraph {
        query.push(" AND subgraph = ").push_bind(subgraph.clone());
    }
    if let Some(cursor) = &page.from {
        let (id,): (SchemaCheckId,) = cursor.values()?;
        query.push(if page.backwards { " AND id > " } else { " AND id < " }).push_bind(id);
    }
    query.push(if page.backwards { " ORDER BY id LIMIT " } else { " ORDER BY id DESC LIMIT " });
    query.push_bind(page.limit());
    Ok(query)
}

pub(crate) async fn count(session: &Session, list: &CheckList) -> Result<i64, StoreError> {
    session.tag(|| tag(list));
    let mut query = QueryBuilder::new("SELECT count(*) FROM registry.checks WHERE environment = ");
    query.push_bind(list.environment.clone());
    if let Some(subgraph) = &list.subgraph {
        query.push(" AND subgraph = ").push_bind(subgraph.clone());
    }
    let (count,): (i64,) = session.fetch_one("checks.count", query.build_query_as()).await?;
    Ok(count)
}

pub(crate) async fn insert_in_tx(
    write: &mut Write,
    (org, id): (OrgId, SchemaCheckId),
    new: &NewCheck,
    (against, verdict, result): (Option<CompositionId>, Verdict, &CheckResult),
    actor: Option<UserId>,
) -> Result<CheckRow, StoreError> {
    let sql = concat!(
        "INSERT INTO registry.checks (org_id, id, environment, variant, subgraph, against, verdict, sdl_hash, revision,
             result, actor, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING ",
        columns!()
    );
    let query = sqlx::query_as(sql)
        .bind(org)
        .bind(id)
        .bind(&new.target.environment)
        .bind(&new.target.variant)
        .bind(&new.subgraph)
        .bind(against)
        .bind(verdict.as_str())
        .bind(composer::hash(&new.sdl))
        .bind(&new.revision)
        .bind(Json(result))
        .bind(actor)
        .bind(write.now());
    write.fetch_one("checks.insert", query).await
}
