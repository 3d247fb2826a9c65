//! Walking the chains.

use std::fmt;
use std::sync::Arc;

use chrono::TimeDelta;
use pulse_sealing::Sealer;
use pulse_store::{Session, Store, StoreError};
use pulse_types::{Caller, OrgId, RequestId};
use sqlx::FromRow;
use uuid::Uuid;

use crate::link::{Head, NOBODY, NOTHING, is_ours, next};

/// Links read at a time.
const BATCH: i64 = 2_000;

/// A fact that is older than this and in no chain was not written by Pulse, or nobody chains.
const LATE: TimeDelta = TimeDelta::minutes(5);

/// How far verifying is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Links that were found to be right.
    pub links: u64,
    /// Of how many, as far as is known: those of the chains begun.
    pub of: u64,
}

/// What was verified.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Chains, one a tenant.
    pub chains: u64,
    /// Their links.
    pub links: u64,
    /// Facts of which persons were erased: that they are there and when and what was done is proven, by whom is not any more.
    pub erased: u64,
    /// Facts from before there were chains, about which nothing is proven.
    pub older: u64,
    /// What is wrong first, if anything.
    pub broken: Option<Broken>,
}

/// The first place that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Whose chain; the nil UUID for what belongs to no tenant.
    pub tenant: Uuid,
    /// The link, when it is one.
    pub nth: Option<i64>,
    /// The fact, when it is one.
    pub fact: Option<Uuid>,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with a place of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The link itself is not there.
    #[error("a link of the chain was removed")]
    LinkRemoved,
    /// The fact is not there.
    #[error("the fact was removed")]
    FactRemoved,
    /// Actor, key or address are not those that were written.
    #[error("who did it, to what or from where was changed")]
    PersonChanged,
    /// The link does not follow from the one before it and the fact.
    #[error("the fact was changed, or its place in the chain was")]
    Changed,
    /// There are fewer links than were signed, or others.
    #[error("the chain does not end where it was signed to end: its last links were removed or changed")]
    EndChanged,
    /// The end is not signed by a key of this platform.
    #[error("the end of the chain is not signed with a key of this platform")]
    Unsigned,
    /// A fact that nobody has chained.
    #[error(
        "the fact is in no chain: it was not written by this platform, or the chain is not extended any more"
    )]
    Unchained,
    /// A fact without a digest among those that have one.
    #[error("the fact has no digest, though it is not older than the chain")]
    Undigested,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tenant, nth, fact, fault } = self;
        write!(f, "audit of {tenant}")?;
        if let Some(nth) = nth {
            write!(f, ", link {nth}")?;
        }
        if let Some(fact) = fact {
            write!(f, ", fact {fact}")?;
        }
        write!(f, ": {fault}")
    }
}

#[derive(FromRow)]
struct LinkRow {
    nth: i64,
    fact: Uuid,
    link: Vec<u8>,
    /// `None` where the fact is not there.
    digest: Option<Vec<u8>>,
    /// Whether the personal part is as it was; `None` where its salt is erased.
    is_sealed: Option<bool>,
}

/// Walks the chain of one tenant, or of all and of what belongs to none, up to the first place that is broken.
pub async fn verify(
    store: &Store,
    sealer: &Sealer,
    tenant: Option<OrgId>,
    mut progress: impl FnMut(Progress) + Send,
) -> Result<Report, StoreError> {
    let mut report = Report::default();
    let tenants = match tenant {
        Some(tenant) => vec![tenant.uuid()],
        None => tenants(store).await?,
    };
    let mut of = 0;
    for tenant in tenants {
        let head = head(store, tenant).await?;
        of += head.as_ref().map_or(0, |head| u64::try_from(head.nth).unwrap_or(0));
        let walk = Walk { session: session_in(store, tenant), sealer, tenant };
        let mut tell = |links| progress(Progress { links, of });
        let broken = walk.chain(head.as_ref(), &mut report, &mut tell).await?;
        report.broken = match broken {
            Some(broken) => Some(broken),
            None => walk.unchained(&mut report).await?,
        };
        report.chains += 1;
        if report.broken.is_some() {
            break;
        }
    }
    Ok(report)
}

/// Everybody who has facts or a chain, and nobody.
async fn tenants(store: &Store) -> Result<Vec<Uuid>, StoreError> {
    let mut connection = store.system().await?;
    let heads = sqlx::query_as("SELECT tenant FROM platform.audit_heads");
    let heads: Vec<(Uuid,)> = connection.fetch_all("audit_heads.tenants", heads).await?;
    let mut found: std::collections::BTreeSet<_> = heads.into_iter().map(|(tenant,)| tenant).collect();
    found.insert(NOBODY);
    let mut behind = NOBODY;
    loop {
        let next = sqlx::query_as("SELECT platform.next_audited($1)").bind(behind);
        let (next,): (Option<Uuid>,) = connection.fetch_one("audit.next_tenant", next).await?;
        let Some(next) = next else { return Ok(found.into_iter().collect()) };
        found.insert(next);
        behind = next;
    }
}

async fn head(store: &Store, tenant: Uuid) -> Result<Option<Head>, StoreError> {
    let mut connection = store.system().await?;
    let find = sqlx::query_as("SELECT nth, link, mac FROM platform.audit_heads WHERE tenant = $1");
    connection.fetch_optional("audit_heads.find", find.bind(tenant)).await
}

fn session_in(store: &Store, tenant: Uuid) -> Session {
    let request = RequestId::new(store.clock().now());
    store.session(Arc::new(Caller::system(OrgId::from_uuid(tenant), request)))
}

struct Walk<'a> {
    session: Session,
    sealer: &'a Sealer,
    tenant: Uuid,
}

impl Walk<'_> {
    const fn broken(&self, nth: Option<i64>, fact: Option<Uuid>, fault: Fault) -> Broken {
        Broken { tenant: self.tenant, nth, fact, fault }
    }

    async fn chain(
        &self,
        head: Option<&Head>,
        report: &mut Report,
        progress: &mut (impl FnMut(u64) + Send),
    ) -> Result<Option<Broken>, StoreError> {
        let (mut nth, mut link) = (0, NOTHING.to_vec());
        let end = head.map_or(i64::MAX, |head| head.nth);
        loop {
            let rows = self.batch(nth, end).await?;
            let is_last = rows.len() < usize::try_from(BATCH).unwrap_or(usize::MAX);
            for row in rows {
                let fault = if row.nth != nth + 1 {
                    return Ok(Some(self.broken(Some(nth + 1), None, Fault::LinkRemoved)));
                } else if row.digest.is_none() {
                    Some(Fault::FactRemoved)
                } else if row.is_sealed == Some(false) {
                    Some(Fault::PersonChanged)
                } else if next(&link, row.digest.as_deref().unwrap_or(&NOTHING)).as_slice() != row.link {
                    Some(Fault::Changed)
                } else {
                    None
                };
                if let Some(fault) = fault {
                    return Ok(Some(self.broken(Some(row.nth), Some(row.fact), fault)));
                }
                report.erased += u64::from(row.is_sealed.is_none());
                report.links += 1;
                (nth, link) = (row.nth, row.link);
            }
            progress(report.links);
            if is_last {
                break;
            }
        }
        Ok(match head {
            None if nth == 0 => None,
            None => Some(self.broken(Some(nth), None, Fault::EndChanged)),
            Some(head) if !is_ours(self.sealer, self.tenant, head) => {
                Some(self.broken(Some(head.nth), None, Fault::Unsigned))
            }
            Some(head) if head.nth != nth || head.link != link => {
                Some(self.broken(Some(nth + 1), None, Fault::EndChanged))
            }
            Some(_) => None,
        })
    }

    async fn batch(&self, after: i64, end: i64) -> Result<Vec<LinkRow>, StoreError> {
        let read = sqlx::query_as(
            "SELECT c.nth, c.fact, c.link, CASE WHEN a.sealed IS NOT NULL THEN platform.audit_digest(a) END AS digest,
                    platform.audit_sealed(a.salt, a.actor, a.key, a.address) = a.sealed AS is_sealed
               FROM platform.audit_chain c
               LEFT JOIN platform.audit a ON a.org_id = c.tenant AND a.id = c.fact
              WHERE c.tenant = $1 AND c.nth > $2 AND c.nth <= $3 ORDER BY c.nth LIMIT $4",
        );
        let read = read.bind(self.tenant).bind(after).bind(end).bind(BATCH);
        let rows = self.session.fetch_all("audit_chain.batch", read).await;
        // The next batch may see what was committed meanwhile: the walk ends where it was to end.
        self.session.forget().await;
        rows
    }

    /// Facts that are in no chain: those from before there were chains are counted, others are wrong.
    async fn unchained(&self, report: &mut Report) -> Result<Option<Broken>, StoreError> {
        let late = self.session.store().clock().now() - LATE;
        let first = sqlx::query_as(
            "SELECT min(a.at) FROM platform.audit_chain c JOIN platform.audit a ON a.org_id = c.tenant AND a.id = c.fact
              WHERE c.tenant = $1 AND c.nth = 1",
        );
        let (since,): (Option<chrono::DateTime<chrono::Utc>>,) =
            self.session.fetch_one("audit_chain.since", first.bind(self.tenant)).await?;
        let find = sqlx::query_as(
            "SELECT id, sealed IS NULL FROM platform.audit a
              WHERE org_id = $1 AND ((sealed IS NULL AND at > $3) OR (sealed IS NOT NULL AND at < $2
                AND NOT EXISTS (SELECT FROM platform.audit_chain c WHERE c.tenant = a.org_id AND c.fact = a.id)))
              ORDER BY id LIMIT 1",
        );
        let find = find.bind(self.tenant).bind(late).bind(since);
        let found: Option<(Uuid, bool)> = self.session.fetch_optional("audit.unchained", find).await?;
        if let Some((fact, undigested)) = found {
            let fault = if undigested { Fault::Undigested } else { Fault::Unchained };
            return Ok(Some(self.broken(None, Some(fact), fault)));
        }
        let count =
            sqlx::query_as("SELECT count(*) FROM platform.audit WHERE org_id = $1 AND sealed IS NULL");
        let (older,): (i64,) = self.session.fetch_one("audit.older", count.bind(self.tenant)).await?;
        report.older += u64::try_from(older).unwrap_or(0);
        Ok(None)
    }
}
