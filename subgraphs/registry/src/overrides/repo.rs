//! Rows of `registry.overrides`.

use pulse_graphql::{Error, Page};
use pulse_store::{Session, StoreError, Write};
use pulse_types::{OrgId, SchemaOverrideId, Tag, UserId};
use sqlx::{Postgres, QueryBuilder};

use super::{NewOverride, OverrideError, OverrideRow, SUBJECT};

macro_rules! columns {
    () => {
        "id, environment, code, coordinate, reason, expires_at, version, actor, created_at"
    };
}

macro_rules! select {
    ($tail:literal) => {
        concat!("SELECT ", columns!(), " FROM registry.overrides WHERE ", $tail)
    };
}

fn tag(environment: &str) -> Tag {
    Tag::list(SUBJECT).with("environment", environment)
}

pub(crate) async fn find(session: &Session, id: SchemaOverrideId) -> Result<Option<OverrideRow>, StoreError> {
    session.tag(|| Tag::row(SUBJECT, id.uuid()));
    session.fetch_optional("overrides.find", sqlx::query_as(select!("id = $1")).bind(id)).await
}

/// Those that let something through now.
pub(crate) async fn active(session: &Session, environment: &str) -> Result<Vec<OverrideRow>, StoreError> {
    session.tag(|| tag(environment));
    let now = session.store().clock().now();
    let query = sqlx::query_as(select!("environment = $1 AND expires_at > $2 ORDER BY id"));
    session.fetch_all("overrides.active", query.bind(environment).bind(now)).await
}

/// A page in the order in which they were made.
pub(crate) async fn page(
    session: &Session,
    environment: &str,
    page: &Page,
) -> Result<Vec<OverrideRow>, Error<OverrideError>> {
    session.tag(|| tag(environment));
    let mut query = page_query("", environment, page)?;
    Ok(session.fetch_all("overrides.page", query.build_query_as()).await?)
}

/// The statement of [`page`], after `verb`: nothing, or `EXPLAIN `.
pub(crate) fn page_query(
    verb: &str,
    environment: &str,
    page: &Page,
) -> Result<QueryBuilder<Postgres>, OverrideError> {
    let mut query = QueryBuilder::new(verb);
    query.push(select!("environment = ")).push_bind(environment.to_owned());
    if let Some(cursor) = &page.from {
        let (id,): (SchemaOverrideId,) = cursor.values()?;
        query.push(if page.backwards { " AND id < " } else { " AND id > " }).push_bind(id);
    }
    query.push(if page.backwards { " ORDER BY id DESC LIMIT " } else { " ORDER BY id LIMIT " });
    query.push_bind(page.limit());
    Ok(query)
}

pub(crate) async fn count(session: &Session, environment: &str) -> Result<i64, StoreError> {
    session.tag(|| tag(environment));
    let query = sqlx::query_as("SELECT count(*) FROM registry.overrides WHERE environment = $1");
    let (count,): (i64,) = session.fetch_one("overrides.count", query.bind(environment)).await?;
    Ok(count)
}

/// Inserts it, unless the environment has `limit` already.
pub(crate) async fn insert_in_tx(
    write: &mut Write,
    (org, id): (OrgId, SchemaOverrideId),
    new: &NewOverride,
    actor: Option<UserId>,
    limit: i64,
) -> Result<Option<OverrideRow>, StoreError> {
    let sql = concat!(
        "INSERT INTO registry.overrides (org_id, id, environment, code, coordinate, reason, expires_at, version, actor,
             created_at)
         SELECT $1, $2, $3, $4, $5, $6, $7, 1, $8, $9
          WHERE (SELECT count(*) FROM registry.overrides WHERE environment = $3) < $10 RETURNING ",
        columns!()
    );
    let query = sqlx::query_as(sql)
        .bind(org)
        .bind(id)
        .bind(&new.environment)
        .bind(&new.code)
        .bind(&new.coordinate)
        .bind(&new.reason)
        .bind(new.expires_at)
        .bind(actor)
        .bind(write.now())
        .bind(limit);
    write.fetch_optional("overrides.insert", query).await
}

/// Deletes it, and keeps it in the history as it was.
pub(crate) async fn delete_in_tx(
    write: &mut Write,
    id: SchemaOverrideId,
    actor: Option<UserId>,
) -> Result<Option<OverrideRow>, StoreError> {
    let keep = sqlx::query(
        "INSERT INTO registry.history (org_id, subject, id, version, value, at, actor)
         SELECT org_id, 'registry.override', id, version, to_jsonb(o) - 'org_id', $2, $3
           FROM registry.overrides AS o WHERE id = $1",
    );
    let keep = keep.bind(id).bind(write.now()).bind(actor);
    write.execute("overrides.keep", keep).await?;
    let sql = concat!("DELETE FROM registry.overrides WHERE id = $1 RETURNING ", columns!());
    write.fetch_optional("overrides.delete", sqlx::query_as(sql).bind(id)).await
}
