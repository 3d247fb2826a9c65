//! Signing the ends of chains with the key of now, so that the key of before can be taken away.

use pulse_sealing::Sealer;
use pulse_store::{Store, StoreError};
use sqlx::FromRow;
use uuid::Uuid;

use crate::link::{Head, is_current, is_ours, sign};

/// Ends looked at by one statement.
const BATCH: i64 = 500;

/// What was done about the ends of chains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Resigned {
    /// Signed with the key of now, and were not.
    pub signed: u64,
    /// Signed with no key that is known: they stay as they are, and are not extended.
    pub failed: u64,
}

#[derive(FromRow)]
struct HeadRow {
    tenant: Uuid,
    #[sqlx(flatten)]
    head: Head,
}

/// Signs with the key of now every end that an old key of ours has signed. Can be broken off and gone on with.
pub async fn resign(store: &Store, sealer: &Sealer) -> Result<Resigned, StoreError> {
    let (mut behind, mut all) = (None, Resigned::default());
    loop {
        let mut connection = store.system().await?;
        let find = sqlx::query_as(
            "SELECT tenant, nth, link, mac FROM platform.audit_heads WHERE $1::uuid IS NULL OR tenant > $1
              ORDER BY tenant LIMIT $2 FOR UPDATE",
        );
        let rows: Vec<HeadRow> =
            connection.fetch_all("audit_heads.of_all", find.bind(behind).bind(BATCH)).await?;
        let Some(last) = rows.last() else { return Ok(all) };
        behind = Some(last.tenant);
        for HeadRow { tenant, head } in rows {
            if is_current(sealer, tenant, &head) {
                continue;
            }
            if !is_ours(sealer, tenant, &head) {
                all.failed += 1;
                continue;
            }
            let mac = sign(sealer, tenant, head.nth, &head.link).to_vec();
            let update = sqlx::query("UPDATE platform.audit_heads SET mac = $2 WHERE tenant = $1");
            connection.execute("audit_heads.resign", update.bind(tenant).bind(mac)).await?;
            all.signed += 1;
        }
        connection.commit().await?;
    }
}
