//! Statements about domains.

use pulse_store::{Session, StoreError, Write};
use pulse_types::{IdentityProviderId, OrgId};

use super::entity::DomainRow;

macro_rules! columns {
    () => {
        "domain, provider_id, proof, verified_at, created_at"
    };
}

pub(super) async fn all(session: &Session, org: OrgId) -> Result<Vec<DomainRow>, StoreError> {
    let sql =
        concat!("SELECT ", columns!(), " FROM accounts.email_domains WHERE org_id = $1 ORDER BY domain");
    session.fetch_all("email_domains.all", sqlx::query_as(sql).bind(org)).await
}

pub(super) async fn find(
    session: &Session,
    org: OrgId,
    domain: &str,
) -> Result<Option<DomainRow>, StoreError> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM accounts.email_domains WHERE org_id = $1 AND domain = $2 COLLATE \"C\""
    );
    session.fetch_optional("email_domains.find", sqlx::query_as(sql).bind(org).bind(domain)).await
}

/// Whether the domain was shown to be the tenant's, and its people are signed in by this issuer.
pub(super) async fn leads_to(
    session: &Session,
    (org, provider): (OrgId, IdentityProviderId),
    domain: &str,
) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT FROM accounts.email_domains
                               WHERE org_id = $1 AND domain = $2 COLLATE \"C\" AND provider_id = $3
                                 AND verified_at IS NOT NULL)";
    let find = sqlx::query_as(sql).bind(org).bind(domain).bind(provider);
    let (leads,) = session.fetch_one("email_domains.leads_to", find).await?;
    Ok(leads)
}

/// The row, inserted or with another issuer; `None` when the tenant has `limit` already.
pub(super) async fn claim_in_tx(
    write: &mut Write,
    (org, domain): (OrgId, &str),
    provider: Option<IdentityProviderId>,
    proof: &str,
    limit: u32,
) -> Result<Option<DomainRow>, StoreError> {
    let sql = concat!(
        "INSERT INTO accounts.email_domains (org_id, domain, provider_id, proof, created_at)
         SELECT $1, $2, $3, $4, $5
          WHERE (SELECT count(*) FROM accounts.email_domains WHERE org_id = $1 AND domain <> $2 COLLATE \"C\") < $6
         ON CONFLICT (org_id, domain) DO UPDATE SET provider_id = excluded.provider_id
         RETURNING ",
        columns!()
    );
    let claim = sqlx::query_as(sql).bind(org).bind(domain).bind(provider).bind(proof).bind(write.now());
    write.fetch_optional("email_domains.claim", claim.bind(i64::from(limit))).await
}

pub(super) async fn verified_in_tx(
    write: &mut Write,
    (org, domain): (OrgId, &str),
    proof: &str,
) -> Result<Option<DomainRow>, StoreError> {
    let sql = concat!(
        "UPDATE accounts.email_domains SET verified_at = $4
          WHERE org_id = $1 AND domain = $2 COLLATE \"C\" AND proof = $3 RETURNING ",
        columns!()
    );
    let update = sqlx::query_as(sql).bind(org).bind(domain).bind(proof).bind(write.now());
    write.fetch_optional("email_domains.verify", update).await
}

pub(super) async fn delete_in_tx(write: &mut Write, org: OrgId, domain: &str) -> Result<bool, StoreError> {
    let sql = "DELETE FROM accounts.email_domains WHERE org_id = $1 AND domain = $2 COLLATE \"C\"";
    let delete = sqlx::query(sql).bind(org).bind(domain);
    Ok(write.execute("email_domains.delete", delete).await? == 1)
}
