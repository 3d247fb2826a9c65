//! The consumer of the log that adds links.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use pulse_events::{Begin, Consumer, ConsumerError, Handling};
use pulse_sealing::Sealer;
use pulse_store::StoreError;
use pulse_types::{Change, OrgId};
use uuid::Uuid;

use crate::link::{Head, NOBODY, NOTHING, is_ours, next, sign};

/// Adds a link for each audit fact, in the order of the log.
pub struct Chain {
    sealer: Sealer,
}

impl Chain {
    /// A chain whose ends `sealer` signs.
    pub const fn new(sealer: Sealer) -> Self {
        Self { sealer }
    }

    async fn extend(
        &self,
        tenant: Uuid,
        facts: &[Uuid],
        handling: &mut Handling<'_>,
    ) -> Result<(), ConsumerError> {
        let digests = digests(tenant, facts, handling).await?;
        let connection = handling.system().await?;
        let find =
            sqlx::query_as("SELECT nth, link, mac FROM platform.audit_heads WHERE tenant = $1 FOR UPDATE");
        let head: Option<Head> = connection.fetch_optional("audit_heads.lock", find.bind(tenant)).await?;
        if let Some(head) = head.as_ref().filter(|head| !is_ours(&self.sealer, tenant, head)) {
            return Err(ConsumerError::Fatal(format!(
                "the audit chain ends with link {} that no key of this platform has signed; it is not extended",
                head.nth
            )));
        }
        let known =
            sqlx::query_as("SELECT fact FROM platform.audit_chain WHERE tenant = $1 AND fact = ANY ($2)");
        let known: Vec<(Uuid,)> =
            connection.fetch_all("audit_chain.known", known.bind(tenant).bind(facts)).await?;
        let known: HashSet<_> = known.into_iter().map(|(fact,)| fact).collect();
        let (mut nth, mut link) =
            head.map_or((0, NOTHING.to_vec()), |Head { nth, link, mac: _ }| (nth, link));
        let (mut numbers, mut chained, mut links) = (Vec::new(), Vec::new(), Vec::new());
        for fact in facts.iter().filter(|fact| !known.contains(*fact)) {
            let digest = match digests.get(fact) {
                // From before there were chains.
                Some(None) => continue,
                Some(Some(digest)) => digest.as_slice(),
                // Told of and gone: verifying says so.
                None => &NOTHING,
            };
            (nth, link) = (nth + 1, next(&link, digest).to_vec());
            numbers.push(nth);
            chained.push(*fact);
            links.push(link.clone());
        }
        if chained.is_empty() {
            return Ok(());
        }
        let add = sqlx::query(
            "INSERT INTO platform.audit_chain (tenant, nth, fact, link)
             SELECT $1, nth, fact, link FROM unnest($2::bigint[], $3::uuid[], $4::bytea[]) AS added (nth, fact, link)",
        );
        let add = add.bind(tenant).bind(numbers).bind(chained).bind(links);
        connection.execute("audit_chain.add", add).await?;
        let mac = sign(&self.sealer, tenant, nth, &link).to_vec();
        let move_on = sqlx::query(
            "INSERT INTO platform.audit_heads (tenant, nth, link, mac) VALUES ($1, $2, $3, $4)
             ON CONFLICT (tenant) DO UPDATE SET nth = $2, link = $3, mac = $4",
        );
        let move_on = move_on.bind(tenant).bind(nth).bind(link).bind(mac);
        connection.execute("audit_heads.move", move_on).await?;
        Ok(())
    }
}

#[async_trait]
impl Consumer for Chain {
    fn name(&self) -> &'static str {
        "platform.audit_chain"
    }

    fn begin(&self) -> Begin {
        Begin::Oldest
    }

    /// A change of no tenant does not say what was audited with it.
    fn wants(&self, change: &Change) -> bool {
        change.tenant.is_none() || !change.facts.is_empty()
    }

    async fn handle(&self, changes: &[&Change], handling: &mut Handling<'_>) -> Result<(), ConsumerError> {
        let positions: Vec<_> = changes.iter().map(|change| change.position).collect();
        let connection = handling.system().await?;
        let find = sqlx::query_as(
            "SELECT coalesce(l.tenant, $2), (fact.value ->> 'id')::uuid
               FROM platform.log l, jsonb_array_elements(l.facts) WITH ORDINALITY AS fact (value, nth)
              WHERE l.position = ANY ($1) ORDER BY l.position, fact.nth",
        );
        let found: Vec<(Uuid, Uuid)> =
            connection.fetch_all("audit_chain.told", find.bind(positions).bind(NOBODY)).await?;
        let mut of_tenants: Vec<(Uuid, Vec<Uuid>)> = Vec::new();
        for (tenant, fact) in found {
            match of_tenants.iter_mut().find(|(known, _)| *known == tenant) {
                Some((_, facts)) => facts.push(fact),
                None => of_tenants.push((tenant, vec![fact])),
            }
        }
        for (tenant, facts) in &of_tenants {
            self.extend(*tenant, facts, handling).await?;
        }
        Ok(())
    }
}

/// The digest of each fact that is there; `None` for one without, from before there were chains.
async fn digests(
    tenant: Uuid,
    facts: &[Uuid],
    handling: &mut Handling<'_>,
) -> Result<HashMap<Uuid, Option<Vec<u8>>>, StoreError> {
    let connection = handling.tenant(OrgId::from_uuid(tenant)).await?;
    let read = sqlx::query_as(
        "SELECT a.id, CASE WHEN a.sealed IS NOT NULL THEN platform.audit_digest(a) END
           FROM platform.audit a WHERE a.org_id = $1 AND a.id = ANY ($2)",
    );
    let rows: Vec<(Uuid, Option<Vec<u8>>)> =
        connection.fetch_all("audit.digests", read.bind(tenant).bind(facts)).await?;
    Ok(rows.into_iter().collect())
}
