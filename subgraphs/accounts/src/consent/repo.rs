//! Statements about consents. The database shows a person their own.

use pulse_graphql::{Error, Page, PageError};
use pulse_store::{Session, StoreError, Write};
use pulse_types::{ConsentId, UserId};
use sqlx::{Postgres, QueryBuilder};

use super::ConsentRow;

macro_rules! columns {
    () => {
        "id, purpose, version, given_at, withdrawn_at"
    };
}

/// The consent that holds, which nobody else changes until this write ends.
pub(super) async fn standing_in_tx(
    write: &mut Write,
    user: UserId,
    purpose: &str,
) -> Result<Option<ConsentRow>, StoreError> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM accounts.consents WHERE user_id = $1 AND purpose = $2 AND withdrawn_at IS NULL FOR UPDATE"
    );
    write.fetch_optional("consents.standing", sqlx::query_as(sql).bind(user).bind(purpose)).await
}

pub(super) async fn insert_in_tx(
    write: &mut Write,
    user: UserId,
    purpose: &str,
    version: &str,
) -> Result<ConsentRow, StoreError> {
    let sql = concat!(
        "INSERT INTO accounts.consents (user_id, id, purpose, version, given_at) VALUES ($1, $2, $3, $4, $5) RETURNING ",
        columns!()
    );
    let now = write.now();
    let insert =
        sqlx::query_as(sql).bind(user).bind(ConsentId::new(now)).bind(purpose).bind(version).bind(now);
    write.fetch_one("consents.insert", insert).await
}

pub(super) async fn withdraw_in_tx(
    write: &mut Write,
    user: UserId,
    id: ConsentId,
) -> Result<ConsentRow, StoreError> {
    let sql = concat!(
        "UPDATE accounts.consents SET withdrawn_at = $3 WHERE user_id = $1 AND id = $2 RETURNING ",
        columns!()
    );
    let withdraw = sqlx::query_as(sql).bind(user).bind(id).bind(write.now());
    write.fetch_one("consents.withdraw", withdraw).await
}

pub(super) async fn page(
    session: &Session,
    user: UserId,
    page: &Page,
) -> Result<Vec<ConsentRow>, Error<PageError>> {
    let select = concat!("SELECT ", columns!(), " FROM accounts.consents WHERE user_id = ");
    let mut query = QueryBuilder::<Postgres>::new(select);
    query.push_bind(user);
    if let Some(cursor) = &page.from {
        let (id,): (ConsentId,) = cursor.values()?;
        query.push(if page.backwards { " AND id < " } else { " AND id > " }).push_bind(id);
    }
    query.push(if page.backwards { " ORDER BY id DESC LIMIT " } else { " ORDER BY id LIMIT " });
    query.push_bind(page.limit());
    Ok(session.fetch_all("consents.page", query.build_query_as()).await?)
}

pub(super) async fn count(session: &Session, user: UserId) -> Result<i64, StoreError> {
    let sql = "SELECT count(*) FROM accounts.consents WHERE user_id = $1";
    let (count,) = session.fetch_one("consents.count", sqlx::query_as(sql).bind(user)).await?;
    Ok(count)
}
