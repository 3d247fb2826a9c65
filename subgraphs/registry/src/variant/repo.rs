//! Rows of `registry.variants`.

use chrono::{DateTime, Utc};
use pulse_graphql::{Error, Page};
use pulse_store::{Session, StoreError, Write};
use pulse_types::{CompositionId, OrgId, SchemaVariantId, Tag};
use sqlx::{Postgres, QueryBuilder};

use super::{SUBJECT, VariantError, VariantRow};
use crate::target::Target;

macro_rules! columns {
    () => {
        "id, environment, name, base, current, number, revision, expires_at, created_at, updated_at"
    };
}

macro_rules! select {
    ($tail:literal) => {
        concat!("SELECT ", columns!(), " FROM registry.variants WHERE ", $tail)
    };
}

/// So many variants a tenant may have in one environment.
pub(crate) const MOST_VARIANTS: i64 = 500;

/// So many environments a tenant may have.
pub(crate) const MOST_ENVIRONMENTS: i64 = 50;

fn tag(target: &Target) -> Tag {
    Tag::list(SUBJECT).with("environment", &target.environment).with("variant", &target.variant)
}

pub(crate) async fn find(session: &Session, target: &Target) -> Result<Option<VariantRow>, StoreError> {
    session.tag(|| tag(target));
    let query = sqlx::query_as(select!("environment = $1 AND name = $2"));
    session.fetch_optional("variants.find", query.bind(&target.environment).bind(&target.variant)).await
}

pub(crate) async fn find_many(
    session: &Session,
    ids: &[SchemaVariantId],
) -> Result<Vec<VariantRow>, StoreError> {
    session.tag_all(ids.iter().map(|id| Tag::row(SUBJECT, id.uuid())));
    session.fetch_all("variants.find_many", sqlx::query_as(select!("id = ANY ($1)")).bind(ids)).await
}

/// A page in the order of environments and names.
pub(crate) async fn page(
    session: &Session,
    environment: Option<&str>,
    page: &Page,
) -> Result<Vec<VariantRow>, Error<VariantError>> {
    session.tag(|| Tag::list(SUBJECT));
    let mut query = page_query("", environment, page)?;
    Ok(session.fetch_all("variants.page", query.build_query_as()).await?)
}

/// The statement of [`page`], after `verb`: nothing, or `EXPLAIN `.
pub(crate) fn page_query(
    verb: &str,
    environment: Option<&str>,
    page: &Page,
) -> Result<QueryBuilder<Postgres>, VariantError> {
    let mut query = QueryBuilder::new(verb);
    query.push(select!("true"));
    if let Some(environment) = environment {
        query.push(" AND environment = ").push_bind(environment.to_owned());
    }
    if let Some(cursor) = &page.from {
        let (environment, name): (String, String) = cursor.values()?;
        query.push(if page.backwards {
            " AND (environment, name) < ("
        } else {
            " AND (environment, name) > ("
        });
        query.push_bind(environment).push(", ").push_bind(name).push(")");
    }
    query.push(if page.backwards {
        " ORDER BY environment DESC, name DESC LIMIT "
    } else {
        " ORDER BY environment, name LIMIT "
    });
    query.push_bind(page.limit());
    Ok(query)
}

pub(crate) async fn count(session: &Session, environment: Option<&str>) -> Result<i64, StoreError> {
    session.tag(|| Tag::list(SUBJECT));
    let mut query = QueryBuilder::new("SELECT count(*) FROM registry.variants");
    if let Some(environment) = environment {
        query.push(" WHERE environment = ").push_bind(environment.to_owned());
    }
    let (count,): (i64,) = session.fetch_one("variants.count", query.build_query_as()).await?;
    Ok(count)
}

/// The row, which no other write changes until this one ends.
pub(crate) async fn lock_in_tx(write: &mut Write, target: &Target) -> Result<Option<VariantRow>, StoreError> {
    let query = sqlx::query_as(select!("environment = $1 AND name = $2 FOR UPDATE"));
    write.fetch_optional("variants.lock", query.bind(&target.environment).bind(&target.variant)).await
}

/// How many environments there are without this one, and how many variants in this one.
pub(crate) async fn count_in_tx(write: &mut Write, environment: &str) -> Result<(i64, i64), StoreError> {
    let query = sqlx::query_as(
        "SELECT count(DISTINCT environment) FILTER (WHERE environment <> $1), count(*) FILTER (WHERE environment = $1)
           FROM registry.variants",
    );
    write.fetch_one("variants.count_all", query.bind(environment)).await
}

/// Makes it, unless somebody was there first.
pub(crate) async fn insert_in_tx(
    write: &mut Write,
    (org, id): (OrgId, SchemaVariantId),
    target: &Target,
    base: Option<&str>,
    expires_at: Option<DateTime<Utc>>,
) -> Result<Option<VariantRow>, StoreError> {
    let now = write.now();
    let sql = concat!(
        "INSERT INTO registry.variants (org_id, id, environment, name, base, number, revision, expires_at, created_at,
             updated_at)
         VALUES ($1, $2, $3, $4, $5, 0, 0, $6, $7, $7) ON CONFLICT DO NOTHING RETURNING ",
        columns!()
    );
    let query = sqlx::query_as(sql)
        .bind(org)
        .bind(id)
        .bind(&target.environment)
        .bind(&target.variant)
        .bind(base)
        .bind(expires_at)
        .bind(now);
    write.fetch_optional("variants.insert", query).await
}

/// Gives out the next number, and has gateways serve `current` from now on, if there is a new one.
pub(crate) async fn advance_in_tx(
    write: &mut Write,
    id: SchemaVariantId,
    current: Option<CompositionId>,
    expires_at: Option<DateTime<Utc>>,
) -> Result<VariantRow, StoreError> {
    let sql = concat!(
        "UPDATE registry.variants
            SET number = number + 1, current = coalesce($2, current), updated_at = $3,
                revision = revision + CASE WHEN $2 IS NULL THEN 0 ELSE 1 END, expires_at = coalesce($4, expires_at)
          WHERE id = $1 RETURNING ",
        columns!()
    );
    let query = sqlx::query_as(sql).bind(id).bind(current).bind(write.now()).bind(expires_at);
    write.fetch_one("variants.advance", query).await
}
