//! Rows of `registry.compositions`.

use std::collections::HashMap;

use pulse_graphql::{Error, Page};
use pulse_store::{Session, StoreError, Write};
use pulse_types::{CompositionId, OrgId, Tag, UserId};
use sqlx::types::Json;
use sqlx::{Postgres, QueryBuilder};

use super::{CompositionReport, CompositionRow, NewComposition, SUBJECT};
use crate::composer;
use crate::target::Target;
use crate::version::VersionError;

macro_rules! columns {
    () => {
        "id, environment, variant, number, state, cause, subgraph, restored, supergraph_hash, breaking, dangerous, safe,
         actor, created_at"
    };
}

macro_rules! select {
    ($tail:literal) => {
        concat!("SELECT ", columns!(), " FROM registry.compositions WHERE ", $tail)
    };
}

pub(crate) async fn find_many(
    session: &Session,
    ids: &[CompositionId],
) -> Result<Vec<CompositionRow>, StoreError> {
    session.tag_all(ids.iter().map(|id| Tag::row(SUBJECT, id.uuid())));
    session.fetch_all("compositions.find_many", sqlx::query_as(select!("id = ANY ($1)")).bind(ids)).await
}

/// The composition of that number.
pub(crate) async fn find_number(
    session: &Session,
    target: &Target,
    number: i64,
) -> Result<Option<CompositionRow>, StoreError> {
    let query = sqlx::query_as(select!("environment = $1 AND variant = $2 AND number = $3"));
    let query = query.bind(&target.environment).bind(&target.variant).bind(number);
    session.fetch_optional("compositions.find_number", query).await
}

/// The one that was served before this one, with another supergraph.
pub(crate) async fn find_before(
    session: &Session,
    target: &Target,
    current: CompositionId,
) -> Result<Option<CompositionRow>, StoreError> {
    let query = sqlx::query_as(concat!(
        "WITH now AS (SELECT number AS at, supergraph_hash AS hash FROM registry.compositions WHERE id = $3)
         SELECT ",
        columns!(),
        " FROM registry.compositions, now
          WHERE environment = $1 AND variant = $2 AND number < now.at AND state = 'COMPOSED'
            AND supergraph_hash <> now.hash
          ORDER BY number DESC LIMIT 1"
    ));
    let query = query.bind(&target.environment).bind(&target.variant).bind(current);
    session.fetch_optional("compositions.find_before", query).await
}

/// The supergraphs of these compositions, of those that have one.
pub(crate) async fn supergraphs(
    session: &Session,
    ids: &[CompositionId],
) -> Result<HashMap<CompositionId, String>, StoreError> {
    let query = sqlx::query_as(
        "SELECT id, supergraph FROM registry.compositions WHERE id = ANY ($1) AND supergraph IS NOT NULL",
    );
    let rows: Vec<(CompositionId, String)> =
        session.fetch_all("compositions.supergraphs", query.bind(ids)).await?;
    Ok(rows.into_iter().collect())
}

/// What is said of these compositions.
pub(crate) async fn reports(
    session: &Session,
    ids: &[CompositionId],
) -> Result<Vec<CompositionReport>, StoreError> {
    let query =
        sqlx::query_as("SELECT id, diagnostics, changes FROM registry.compositions WHERE id = ANY ($1)");
    session.fetch_all("compositions.reports", query.bind(ids)).await
}

fn tag(target: &Target) -> Tag {
    Tag::list(SUBJECT).with("environment", &target.environment).with("variant", &target.variant)
}

/// A page, the newest first.
pub(crate) async fn page(
    session: &Session,
    target: &Target,
    page: &Page,
) -> Result<Vec<CompositionRow>, Error<VersionError>> {
    session.tag(|| tag(target));
    let mut query = page_query("", target, page)?;
    Ok(session.fetch_all("compositions.page", query.build_query_as()).await?)
}

/// The statement of [`page`], after `verb`: nothing, or `EXPLAIN `.
pub(crate) fn page_query(
    verb: &str,
    target: &Target,
    page: &Page,
) -> Result<QueryBuilder<Postgres>, VersionError> {
    let mut query = QueryBuilder::new(verb);
    query.push(select!("environment = ")).push_bind(target.environment.clone());
    query.push(" AND variant = ").push_bind(target.variant.clone());
    if let Some(cursor) = &page.from {
        let (number,): (i64,) = cursor.values()?;
        query.push(if page.backwards { " AND number > " } else { " AND number < " }).push_bind(number);
    }
    query.push(if page.backwards { " ORDER BY number LIMIT " } else { " ORDER BY number DESC LIMIT " });
    query.push_bind(page.limit());
    Ok(query)
}

pub(crate) async fn count(session: &Session, target: &Target) -> Result<i64, StoreError> {
    session.tag(|| tag(target));
    let query =
        sqlx::query_as("SELECT count(*) FROM registry.compositions WHERE environment = $1 AND variant = $2");
    let query = query.bind(&target.environment).bind(&target.variant);
    let (count,): (i64,) = session.fetch_one("compositions.count", query).await?;
    Ok(count)
}

pub(crate) async fn insert_in_tx(
    write: &mut Write,
    (org, id): (OrgId, CompositionId),
    new: &NewComposition<'_>,
    number: i64,
    actor: Option<UserId>,
) -> Result<CompositionRow, StoreError> {
    let NewComposition { target, cause, subgraph, restored, composed } = new;
    let sql = concat!(
        "INSERT INTO registry.compositions (org_id, id, environment, variant, number, state, cause, subgraph, restored,
             supergraph, supergraph_hash, diagnostics, changes, breaking, dangerous, safe, actor, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) RETURNING ",
        columns!()
    );
    let query = sqlx::query_as(sql)
        .bind(org)
        .bind(id)
        .bind(&target.environment)
        .bind(&target.variant)
        .bind(number)
        .bind(new.state().as_str())
        .bind(cause.as_str())
        .bind(*subgraph)
        .bind(*restored)
        .bind(&composed.supergraph)
        .bind(composed.supergraph.as_deref().map(composer::hash))
        .bind(Json(&composed.diagnostics))
        .bind(Json(&composed.changes.all))
        .bind(composed.changes.breaking)
        .bind(composed.changes.dangerous)
        .bind(composed.changes.safe)
        .bind(actor)
        .bind(write.now());
    write.fetch_one("compositions.insert", query).await
}
