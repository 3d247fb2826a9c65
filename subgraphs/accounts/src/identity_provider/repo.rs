//! Statements about issuers.

use pulse_store::{Session, StoreError, Write};
use pulse_types::{IdentityProviderId, OrgId, Role, UserId};
use sqlx::types::Json;

use super::entity::{ProviderRow, ProviderSettings};

macro_rules! columns {
    () => {
        "id, name, issuer, client_id, client_secret IS NOT NULL AS has_secret, scopes, enabled, sign_up, assumes_verified,
         trusts_second_factor, role_claim, role_mappings, default_role, version, created_at, updated_at"
    };
}

macro_rules! select {
    ($tail:literal) => {
        concat!("SELECT ", columns!(), " FROM accounts.identity_providers WHERE ", $tail)
    };
}

type Key = (OrgId, IdentityProviderId);

/// Whose issuer this is.
pub(super) async fn organization(
    nobody: &Session,
    id: IdentityProviderId,
) -> Result<Option<OrgId>, StoreError> {
    let sql =
        "SELECT org_id FROM accounts.identity_provider_organization($1) AS org_id WHERE org_id IS NOT NULL";
    let row: Option<(OrgId,)> =
        nobody.fetch_optional("identity_providers.organization", sqlx::query_as(sql).bind(id)).await?;
    Ok(row.map(|(org,)| org))
}

/// The issuer that signs in who has an address in this domain: its id and name.
pub(super) async fn of_domain(
    nobody: &Session,
    domain: &str,
) -> Result<Option<(IdentityProviderId, String)>, StoreError> {
    let find = sqlx::query_as("SELECT id, name FROM accounts.identity_provider_of_domain($1)").bind(domain);
    nobody.fetch_optional("identity_providers.of_domain", find).await
}

pub(super) async fn all(session: &Session, org: OrgId) -> Result<Vec<ProviderRow>, StoreError> {
    let find = sqlx::query_as(select!("org_id = $1 ORDER BY id")).bind(org);
    session.fetch_all("identity_providers.all", find).await
}

pub(super) async fn find(session: &Session, (org, id): Key) -> Result<Option<ProviderRow>, StoreError> {
    let find = sqlx::query_as(select!("org_id = $1 AND id = $2")).bind(org).bind(id);
    session.fetch_optional("identity_providers.find", find).await
}

/// The secret as it is stored: sealed.
pub(super) async fn secret(session: &Session, (org, id): Key) -> Result<Option<String>, StoreError> {
    let sql = "SELECT client_secret FROM accounts.identity_providers WHERE org_id = $1 AND id = $2";
    let find = sqlx::query_as(sql).bind(org).bind(id);
    let row: Option<(Option<String>,)> = session.fetch_optional("identity_providers.secret", find).await?;
    Ok(row.and_then(|(secret,)| secret))
}

/// The row, which no other write changes until this one ends.
pub(super) async fn lock_in_tx(write: &mut Write, (org, id): Key) -> Result<Option<ProviderRow>, StoreError> {
    let lock = sqlx::query_as(select!("org_id = $1 AND id = $2 FOR UPDATE")).bind(org).bind(id);
    write.fetch_optional("identity_providers.lock", lock).await
}

/// Inserts it, unless the tenant has `limit` already.
pub(super) async fn insert_in_tx(
    write: &mut Write,
    (org, id): Key,
    settings: &ProviderSettings,
    secret: Option<&str>,
    limit: u32,
) -> Result<Option<ProviderRow>, StoreError> {
    let sql = concat!(
        "INSERT INTO accounts.identity_providers (org_id, id, name, issuer, client_id, client_secret, scopes, enabled,
             sign_up, assumes_verified, role_claim, role_mappings, default_role, created_at, updated_at,
             trusts_second_factor)
         SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14, $16
          WHERE (SELECT count(*) FROM accounts.identity_providers WHERE org_id = $1) < $15
         RETURNING ",
        columns!()
    );
    let ProviderSettings {
        name,
        issuer,
        client_id,
        scopes,
        enabled,
        sign_up,
        assumes_verified,
        trusts_second_factor,
        roles,
    } = settings;
    let insert = sqlx::query_as(sql)
        .bind(org)
        .bind(id)
        .bind(name)
        .bind(issuer)
        .bind(client_id)
        .bind(secret)
        .bind(scopes)
        .bind(enabled)
        .bind(sign_up)
        .bind(assumes_verified)
        .bind(&roles.claim)
        .bind(Json(&roles.mappings))
        .bind(roles.default.map(Role::as_str))
        .bind(write.now())
        .bind(i64::from(limit))
        .bind(trusts_second_factor);
    write.fetch_optional("identity_providers.insert", insert).await
}

/// Keeps the row as it is in the history, without its secret, before it changes.
pub(super) async fn keep_in_tx(
    write: &mut Write,
    (org, id): Key,
    actor: Option<UserId>,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO accounts.history (org_id, subject, id, version, value, at, actor)
               SELECT org_id, 'accounts.identity_provider', id, version, to_jsonb(p) - '{org_id,client_secret}'::text[],
                      $3, $4
                 FROM accounts.identity_providers AS p WHERE org_id = $1 AND id = $2";
    let keep = sqlx::query(sql).bind(org).bind(id).bind(write.now()).bind(actor);
    write.execute("identity_providers.keep", keep).await.map(drop)
}

/// Writes everything, the secret if there is another one.
pub(super) async fn update_in_tx(
    write: &mut Write,
    (org, id): Key,
    settings: &ProviderSettings,
    secret: Option<&str>,
) -> Result<ProviderRow, StoreError> {
    let sql = concat!(
        "UPDATE accounts.identity_providers
            SET name = $3, issuer = $4, client_id = $5, client_secret = coalesce($6, client_secret), scopes = $7,
                enabled = $8, sign_up = $9, assumes_verified = $10, role_claim = $11, role_mappings = $12,
                default_role = $13, updated_at = $14, trusts_second_factor = $15, version = version + 1
          WHERE org_id = $1 AND id = $2 RETURNING ",
        columns!()
    );
    let ProviderSettings {
        name,
        issuer,
        client_id,
        scopes,
        enabled,
        sign_up,
        assumes_verified,
        trusts_second_factor,
        roles,
    } = settings;
    let update = sqlx::query_as(sql)
        .bind(org)
        .bind(id)
        .bind(name)
        .bind(issuer)
        .bind(client_id)
        .bind(secret)
        .bind(scopes)
        .bind(enabled)
        .bind(sign_up)
        .bind(assumes_verified)
        .bind(&roles.claim)
        .bind(Json(&roles.mappings))
        .bind(roles.default.map(Role::as_str))
        .bind(write.now())
        .bind(trusts_second_factor);
    write.fetch_one("identity_providers.update", update).await
}

pub(super) async fn delete_in_tx(write: &mut Write, (org, id): Key) -> Result<(), StoreError> {
    let sql = "DELETE FROM accounts.identity_providers WHERE org_id = $1 AND id = $2";
    write.execute("identity_providers.delete", sqlx::query(sql).bind(org).bind(id)).await.map(drop)
}
