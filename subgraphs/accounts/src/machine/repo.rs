//! Statements about machines and their secrets.

use chrono::{DateTime, Utc};
use pulse_graphql::{Error, Page};
use pulse_store::{Session, Store, StoreError, Write};
use pulse_types::{MachineId, OrgId, Tag, UserId};
use sqlx::{Postgres, QueryBuilder};

use super::entity::{FoundRow, Kind, MachineRow};
use super::{MAX_PER_ORGANIZATION, MachineError, NewMachine, SUBJECT};

macro_rules! columns {
    () => {
        "m.id, m.kind, m.name, m.maker, m.scopes, m.operations, m.client, m.networks, m.requests_per_minute, m.cost_per_minute,
         m.enabled, m.expires_at, m.version, m.terms, m.created_at, m.updated_at, m.last_used_at, m.revoked_at,
         (SELECT max(s.good_until) FROM accounts.machine_secrets s
           WHERE s.org_id = m.org_id AND s.machine = m.id) AS previous_until"
    };
}

macro_rules! select {
    ($tail:literal) => {
        concat!("SELECT ", columns!(), " FROM accounts.machines m WHERE ", $tail)
    };
}

pub(super) async fn find_many(
    session: &Session,
    org: OrgId,
    (kind, ids): (Kind, &[MachineId]),
) -> Result<Vec<MachineRow>, StoreError> {
    session.tag_all(ids.iter().map(|id| Tag::row(SUBJECT, id.uuid())));
    let query = sqlx::query_as(select!("m.org_id = $1 AND m.kind = $2 AND m.id = ANY ($3)"));
    session.fetch_all("machines.find_many", query.bind(org).bind(kind).bind(ids)).await
}

/// A page of those that were not revoked, in the order of their making.
pub(super) async fn page(
    session: &Session,
    (org, kind): (OrgId, Kind),
    page: &Page,
) -> Result<Vec<MachineRow>, Error<MachineError>> {
    session.tag(|| Tag::list(SUBJECT).with("kind", kind.as_str()));
    let mut query = QueryBuilder::<Postgres>::new(select!("m.revoked_at IS NULL AND m.org_id = "));
    query.push_bind(org).push(" AND m.kind = ").push_bind(kind);
    if let Some(cursor) = &page.from {
        let (id,): (MachineId,) = cursor.values().map_err(MachineError::from)?;
        query.push(if page.backwards { " AND m.id < " } else { " AND m.id > " }).push_bind(id);
    }
    query.push(if page.backwards { " ORDER BY m.id DESC LIMIT " } else { " ORDER BY m.id LIMIT " });
    query.push_bind(page.limit());
    Ok(session.fetch_all("machines.page", query.build_query_as()).await?)
}

pub(super) async fn count(session: &Session, org: OrgId, kind: Kind) -> Result<i64, StoreError> {
    session.tag(|| Tag::list(SUBJECT).with("kind", kind.as_str()));
    let sql = "SELECT count(*) FROM accounts.machines WHERE org_id = $1 AND kind = $2 AND revoked_at IS NULL";
    let (count,) = session.fetch_one("machines.count", sqlx::query_as(sql).bind(org).bind(kind)).await?;
    Ok(count)
}

/// Inserts it, unless the tenant has as many as it may.
pub(super) async fn insert_in_tx(
    write: &mut Write,
    (org, id, maker): (OrgId, MachineId, UserId),
    new: &NewMachine,
) -> Result<Option<MachineRow>, StoreError> {
    let NewMachine { kind, name, scopes, limits, expires_at } = new;
    let sql = concat!(
        "WITH m AS (
             INSERT INTO accounts.machines (org_id, id, kind, name, maker, scopes, operations, networks,
                 requests_per_minute, cost_per_minute, expires_at, created_at, updated_at, client)
             SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $14
              WHERE (SELECT count(*) FROM accounts.machines WHERE org_id = $1 AND revoked_at IS NULL) < $13
             RETURNING *
         ) SELECT ",
        columns!(),
        " FROM m"
    );
    let insert = sqlx::query_as(sql)
        .bind(org)
        .bind(id)
        .bind(kind)
        .bind(name.as_str())
        .bind(maker)
        .bind(scopes)
        .bind(&limits.operations)
        .bind(&limits.networks)
        .bind(limits.requests_per_minute)
        .bind(limits.cost_per_minute)
        .bind(expires_at)
        .bind(write.now())
        .bind(MAX_PER_ORGANIZATION)
        .bind(&limits.client);
    write.fetch_optional("machines.insert", insert).await
}

pub(super) async fn insert_secret_in_tx(
    write: &mut Write,
    (org, id): (OrgId, MachineId),
    hash: [u8; 32],
) -> Result<(), StoreError> {
    let sql =
        "INSERT INTO accounts.machine_secrets (org_id, hash, machine, created_at) VALUES ($1, $2, $3, $4)";
    let insert = sqlx::query(sql).bind(org).bind(hash.to_vec()).bind(id).bind(write.now());
    write.execute("machine_secrets.insert", insert).await.map(drop)
}

/// Leaves the newest secret good until then, or not at all, and no older one.
pub(super) async fn retire_secrets_in_tx(
    write: &mut Write,
    (org, id): (OrgId, MachineId),
    good_until: Option<DateTime<Utc>>,
) -> Result<(), StoreError> {
    let sql = "DELETE FROM accounts.machine_secrets
                WHERE org_id = $1 AND machine = $2 AND (good_until IS NOT NULL OR $3::timestamptz IS NULL)";
    let delete = sqlx::query(sql).bind(org).bind(id).bind(good_until);
    write.execute("machine_secrets.retire", delete).await?;
    if good_until.is_some() {
        let sql = "UPDATE accounts.machine_secrets SET good_until = $3 WHERE org_id = $1 AND machine = $2";
        let update = sqlx::query(sql).bind(org).bind(id).bind(good_until);
        write.execute("machine_secrets.retire", update).await?;
    }
    Ok(())
}

/// The row, which no other write changes until this one ends.
pub(super) async fn lock_in_tx(
    write: &mut Write,
    org: OrgId,
    (kind, id): (Kind, MachineId),
) -> Result<Option<MachineRow>, StoreError> {
    let lock = sqlx::query_as(select!("m.org_id = $1 AND m.kind = $2 AND m.id = $3 FOR NO KEY UPDATE OF m"));
    write.fetch_optional("machines.lock", lock.bind(org).bind(kind).bind(id)).await
}

/// Keeps the row as it is in the history, and writes what may have changed, as the next version.
pub(super) async fn update_in_tx(
    write: &mut Write,
    org: OrgId,
    (new, actor): (&MachineRow, Option<UserId>),
) -> Result<MachineRow, StoreError> {
    let keep = sqlx::query(
        "INSERT INTO accounts.history (org_id, subject, id, version, value, at, actor)
         SELECT org_id, 'accounts.machine', id, version, to_jsonb(m) - '{org_id,last_used_at}'::text[], $3, $4
           FROM accounts.machines m WHERE org_id = $1 AND id = $2",
    );
    let keep = keep.bind(org).bind(new.id).bind(write.now()).bind(actor);
    write.execute("machines.keep", keep).await?;
    let sql = concat!(
        "UPDATE accounts.machines m
            SET name = $3, maker = $4, scopes = $5, operations = $6, networks = $7, requests_per_minute = $8,
                cost_per_minute = $9, enabled = $10, expires_at = $11, terms = $12, revoked_at = $13,
                version = version + 1, updated_at = $14, client = $15
          WHERE org_id = $1 AND id = $2 RETURNING ",
        columns!()
    );
    let update = sqlx::query_as(sql)
        .bind(org)
        .bind(new.id)
        .bind(&new.name)
        .bind(new.maker)
        .bind(&new.scopes)
        .bind(&new.operations)
        .bind(&new.networks)
        .bind(new.requests_per_minute)
        .bind(new.cost_per_minute)
        .bind(new.enabled)
        .bind(new.expires_at)
        .bind(new.terms)
        .bind(new.revoked_at)
        .bind(write.now())
        .bind(&new.client);
    write.fetch_one("machines.update", update).await
}

/// What a secret leads to. Nobody is known yet.
pub(super) async fn by_secret(session: &Session, hash: [u8; 32]) -> Result<Option<FoundRow>, StoreError> {
    let sql =
        "SELECT org_id, id, kind, maker, role, scopes, operations, client, networks, requests_per_minute,
                      cost_per_minute, enabled, expires_at, good_until, terms
                 FROM accounts.machine_by_secret($1)";
    session.fetch_optional("machines.by_secret", sqlx::query_as(sql).bind(hash.to_vec())).await
}

/// Writes down that these were used, of whichever tenants.
pub(super) async fn note_uses(store: &Store, ids: &[MachineId]) -> Result<(), StoreError> {
    let mut connection = store.maintenance().await?;
    let note = sqlx::query("SELECT accounts.note_machine_uses($1, $2)").bind(ids).bind(store.clock().now());
    connection.execute("machines.note_uses", note).await?;
    connection.commit().await
}
