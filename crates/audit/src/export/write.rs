//! Writing the chain of a tenant to a file.

use chrono::{DateTime, Utc};
use pulse_files::{FilesError, NewFile};
use pulse_jobs::{JobContext, JobError};
use pulse_sealing::Sealer;
use pulse_store::{Session, StoreError};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use uuid::Uuid;

use super::record::{FactRecord, Format, Joint, Record, header};
use super::signature;
use crate::link::NOTHING;

/// Links in memory at once.
const BATCH: i64 = 1_000;

/// Which facts are shown. All that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Shown {
    /// Those of this actor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor_id: Option<Uuid>,
    /// Those of this action.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Those about such things.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Those about this thing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<Uuid>,
}

/// A range of the chain of the session's tenant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Range {
    pub(crate) tenant: Uuid,
    pub(crate) from: DateTime<Utc>,
    pub(crate) to: DateTime<Utc>,
}

/// Why it could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Files(#[from] FilesError),
    /// It is not wanted any more, or is another worker's.
    #[error(transparent)]
    Job(JobError),
}

#[derive(FromRow)]
struct ChainRow {
    nth: i64,
    link: Vec<u8>,
    /// `None` where the fact is not there.
    digest: Option<Vec<u8>>,
    #[sqlx(flatten)]
    fact: MaybeFact,
}

#[derive(FromRow)]
struct MaybeFact {
    id: Option<Uuid>,
    at: Option<DateTime<Utc>>,
    actor: Option<Uuid>,
    action: Option<String>,
    subject: Option<String>,
    key: Option<Uuid>,
    version: Option<i64>,
    items: Option<i32>,
    request: Option<Uuid>,
    address: Option<String>,
    salt: Option<Vec<u8>>,
    sealed: Option<Vec<u8>>,
}

impl Shown {
    fn has(&self, fact: &FactRecord) -> bool {
        let Self { actor_id, action, subject, key } = self;
        actor_id.is_none_or(|actor| fact.actor == Some(actor))
            && action.as_ref().is_none_or(|action| *action == fact.action)
            && subject.as_ref().is_none_or(|subject| *subject == fact.subject)
            && key.is_none_or(|key| fact.key == Some(key))
    }
}

impl MaybeFact {
    fn whole(self) -> Option<FactRecord> {
        let Self { id, at, actor, action, subject, key, version, items, request, address, salt, sealed } =
            self;
        Some(FactRecord {
            id: id?,
            at: at?,
            actor,
            action: action?,
            subject: subject?,
            key,
            version,
            items: items?,
            request: request?,
            address,
            salt,
            sealed: sealed?,
        })
    }
}

/// Whether every fact of the range is in the chain by now.
pub(crate) async fn is_chained(session: &Session, range: &Range) -> Result<bool, StoreError> {
    let find = sqlx::query_as(
        "SELECT NOT EXISTS (
             SELECT FROM platform.audit a
              WHERE a.id >= $1 AND a.id < $2 AND a.sealed IS NOT NULL
                AND NOT EXISTS (SELECT FROM platform.audit_chain c WHERE c.tenant = a.org_id AND c.fact = a.id))",
    );
    let find = find.bind(least(range.from)).bind(least(range.to));
    let (chained,) = session.fetch_one("audit.chained", find).await?;
    Ok(chained)
}

/// Writes all links of the range, and of the facts those that `shown` names; how many. Each batch is read by itself: what is in
/// a chain does not change.
pub(crate) async fn write(
    session: &Session,
    sealer: &Sealer,
    (range, shown, format): (&Range, &Shown, Format),
    file: &mut NewFile,
    context: &JobContext,
) -> Result<u64, WriteError> {
    let Range { tenant, from, to } = *range;
    let (first, last) = ends(session, range).await?;
    let after = joint(session, tenant, first - 1).await?;
    if format == Format::Csv {
        file.write(header().as_bytes()).await?;
    }
    let start = Record::Start { tenant, from, to, after: after.clone() };
    file.write(start.line(format).as_bytes()).await?;
    let (mut at, mut facts) = (after.clone(), 0);
    while at.nth < last {
        let rows = batch(session, tenant, (at.nth, last)).await?;
        session.forget().await;
        if rows.is_empty() {
            break;
        }
        for ChainRow { nth, link, digest, fact } in rows {
            at = Joint { nth, link };
            let whole = fact.whole().filter(|fact| (from..to).contains(&fact.at) && shown.has(fact));
            let record = match whole {
                Some(fact) => {
                    facts += 1;
                    Record::Fact { joint: at.clone(), fact }
                }
                None => Record::Withheld { joint: at.clone(), digest: digest.unwrap_or(NOTHING.to_vec()) },
            };
            file.write(record.line(format).as_bytes()).await?;
        }
        let done = (at.nth - first + 1) * 100 / (last - first + 1);
        context.progress(i16::try_from(done).unwrap_or(100)).await.map_err(WriteError::Job)?;
    }
    let signature = signature::of(sealer, tenant, &after, &at).to_vec();
    let end = Record::End { joint: at, facts, signature };
    file.write(end.line(format).as_bytes()).await?;
    Ok(facts)
}

/// The first and the last link of facts of the range; one before the first where there is none.
async fn ends(session: &Session, Range { tenant, from, to }: &Range) -> Result<(i64, i64), StoreError> {
    let find = sqlx::query_as(
        "SELECT min(nth), max(nth) FROM platform.audit_chain
          WHERE tenant = $1 AND fact >= $2 AND fact < $3",
    );
    let find = find.bind(tenant).bind(least(*from)).bind(least(*to));
    let (first, last): (Option<i64>, Option<i64>) = session.fetch_one("audit_chain.ends", find).await?;
    Ok(first.zip(last).unwrap_or((1, 0)))
}

async fn joint(session: &Session, tenant: Uuid, nth: i64) -> Result<Joint, StoreError> {
    if nth == 0 {
        return Ok(Joint { nth, link: NOTHING.to_vec() });
    }
    let find = sqlx::query_as("SELECT link FROM platform.audit_chain WHERE tenant = $1 AND nth = $2");
    let (link,) = session.fetch_one("audit_chain.joint", find.bind(tenant).bind(nth)).await?;
    Ok(Joint { nth, link })
}

async fn batch(
    session: &Session,
    tenant: Uuid,
    (after, last): (i64, i64),
) -> Result<Vec<ChainRow>, StoreError> {
    let find = sqlx::query_as(
        "SELECT c.nth, c.link, CASE WHEN a.sealed IS NOT NULL THEN platform.audit_digest(a) END AS digest,
                a.id, a.at, a.actor, a.action, a.subject, a.key, a.version, a.items, a.request, a.address, a.salt, a.sealed
           FROM platform.audit_chain c LEFT JOIN platform.audit a ON a.org_id = c.tenant AND a.id = c.fact
          WHERE c.tenant = $1 AND c.nth > $2 AND c.nth <= $3 ORDER BY c.nth LIMIT $4",
    );
    let find = find.bind(tenant).bind(after).bind(last).bind(BATCH);
    session.fetch_all("audit_chain.batch", find).await
}

/// The least UUIDv7 of a time.
fn least(at: DateTime<Utc>) -> Uuid {
    let milliseconds = u128::try_from(at.timestamp_millis()).unwrap_or(0);
    Uuid::from_u128((milliseconds & 0xffff_ffff_ffff) << 80)
}
