//! What is due, and what became of it. All of it but the turns is done inside one tenant.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use pulse_store::{Connection, Store, StoreError};
use pulse_types::{DeliveryId, OrgId, WebhookId};
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use crate::delivery::{DeliveryStatus, SUBJECT};
use crate::webhook::{EventFilter, WebhookState};

/// A webhook that it is this process's turn to send for.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct Turn {
    pub(crate) webhook: WebhookId,
    pub(crate) tenant: OrgId,
    pub(crate) host: String,
    pub(crate) holder: Uuid,
}

/// What a webhook wants.
#[derive(FromRow)]
pub(crate) struct Wish {
    pub(crate) id: WebhookId,
    pub(crate) filter: Json<EventFilter>,
    pub(crate) state: WebhookState,
}

/// Where and how a webhook is sent to.
#[derive(FromRow)]
pub(crate) struct Target {
    pub(crate) url: String,
    pub(crate) secret: String,
    pub(crate) previous_secret: Option<String>,
    pub(crate) previous_secret_until: Option<DateTime<Utc>>,
}

/// A delivery that is due.
#[derive(FromRow)]
pub(crate) struct Due {
    pub(crate) id: DeliveryId,
    pub(crate) body: String,
    pub(crate) attempts: i32,
}

/// How an attempt went.
pub(crate) struct Attempted {
    pub(crate) delivery: DeliveryId,
    pub(crate) status: DeliveryStatus,
    pub(crate) next_attempt_at: Option<DateTime<Utc>>,
    pub(crate) code: Option<u16>,
    pub(crate) took: TimeDelta,
    pub(crate) error: Option<String>,
}

/// How the webhook is doing after a failed attempt.
#[derive(FromRow)]
pub(crate) struct Health {
    pub(crate) failing_since: DateTime<Utc>,
    pub(crate) failed_in_row: i32,
}

/// Deliveries to be written, by column.
#[derive(Default)]
pub(crate) struct NewDeliveries {
    ids: Vec<DeliveryId>,
    webhooks: Vec<WebhookId>,
    positions: Vec<i64>,
    types: Vec<String>,
    bodies: Vec<String>,
    held: Vec<bool>,
}

impl NewDeliveries {
    pub(crate) fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    pub(crate) fn push(
        &mut self,
        id: DeliveryId,
        wish: &Wish,
        position: i64,
        (event_type, body): (String, String),
    ) {
        self.ids.push(id);
        self.webhooks.push(wish.id);
        self.positions.push(position);
        self.types.push(event_type);
        self.bodies.push(body);
        self.held.push(wish.state == WebhookState::Paused);
    }

    /// Writes them, without those of events that were read before, and gives their webhooks a turn.
    pub(crate) async fn insert(
        self,
        connection: &mut Connection,
        tenant: OrgId,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let insert = sqlx::query(
            "INSERT INTO operations.deliveries (org_id, id, webhook_id, position, event_type, body, status,
                 next_attempt_at, created_at)
             SELECT $1, id, webhook, position, type, body, CASE WHEN held THEN 'HELD' ELSE 'PENDING' END,
                    CASE WHEN held THEN NULL ELSE $2 END, $2
               FROM unnest($3::uuid[], $4::uuid[], $5::bigint[], $6::text[], $7::text[], $8::bool[])
                    AS new (id, webhook, position, type, body, held)
             ON CONFLICT (org_id, webhook_id, position) WHERE position IS NOT NULL DO NOTHING",
        );
        let insert = insert
            .bind(tenant)
            .bind(now)
            .bind(&self.ids)
            .bind(&self.webhooks)
            .bind(&self.positions)
            .bind(&self.types)
            .bind(&self.bodies)
            .bind(&self.held);
        connection.execute("deliveries.insert", insert).await?;
        tell(connection, tenant, &self.webhooks, now).await?;
        due_now(connection, &self.webhooks, now).await
    }
}

/// Gives webhooks a turn now. A paused one has nothing due, which its turn finds out. Always locks their rows: a turn that ends
/// at this moment has either seen what was added, or ends before the time is set.
pub(crate) async fn due_now(
    connection: &mut Connection,
    webhooks: &[WebhookId],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let query =
        sqlx::query("UPDATE operations.dispatch SET due_at = least(due_at, $2) WHERE webhook = ANY ($1)");
    connection.execute("dispatch.due_now", query.bind(webhooks).bind(now)).await.map(drop)
}

/// The tenants that have webhooks.
pub(crate) async fn tenants(connection: &mut Connection) -> Result<HashSet<OrgId>, StoreError> {
    let query = sqlx::query_as::<_, (OrgId,)>("SELECT DISTINCT tenant FROM operations.dispatch");
    let rows = connection.fetch_all("dispatch.tenants", query).await?;
    Ok(rows.into_iter().map(|(tenant,)| tenant).collect())
}

/// What the tenant's webhooks want, of those that are paused too.
pub(crate) async fn wishes(connection: &mut Connection) -> Result<Vec<Wish>, StoreError> {
    // Whoever pauses one now waits until what it was found to want is written, and then holds it back.
    let query = sqlx::query_as("SELECT id, filter, state FROM operations.webhooks FOR SHARE");
    connection.fetch_all("webhooks.wishes", query).await
}

/// A transaction inside one tenant that is about deliveries alone. They are their own record of what was done, so
/// they need no audit fact, and nobody is told of them.
pub(crate) async fn inside(store: &Store, tenant: OrgId) -> Result<Connection, StoreError> {
    let mut connection = store.system().await?;
    let act =
        sqlx::query("SELECT set_config('role', 'pulse_app', true), set_config('pulse.org_id', $1, true)");
    connection.execute("dispatch.act_in", act.bind(tenant.to_string())).await?;
    Ok(connection)
}

/// Tells those who read deliveries of these webhooks that there is something new, and dispatchers that something may be
/// due. It is an event like any other, of a subject that is sent to no webhook.
pub(crate) async fn tell(
    connection: &mut Connection,
    tenant: OrgId,
    webhooks: &[WebhookId],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "INSERT INTO platform.outbox (tenant, kind, subject, key, version, changed, attributes, at)
         SELECT DISTINCT $1::uuid, 'updated', $2, key, 0, '{deliveries}'::text[], '{}'::jsonb, $3::timestamptz
           FROM unnest($4::uuid[]) AS webhook (key)",
    );
    let query = query.bind(tenant).bind(SUBJECT).bind(now).bind(webhooks);
    connection.execute("deliveries.tell", query).await.map(drop)
}

/// Takes turns that are due, but none on these hosts or of these tenants.
pub(crate) async fn take(
    connection: &mut Connection,
    (now, lease): (DateTime<Utc>, TimeDelta),
    holder: Uuid,
    limit: usize,
    (hosts, tenants): (Vec<String>, Vec<OrgId>),
) -> Result<Vec<Turn>, StoreError> {
    let query = sqlx::query_as(include_str!("../queries/take_turns.sql"))
        .bind(now)
        .bind(now + lease)
        .bind(holder)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .bind(hosts)
        .bind(tenants);
    connection.fetch_all("dispatch.take", query).await
}

/// Gives turns back as they were.
pub(crate) async fn give_back(connection: &mut Connection, turns: &[Turn]) -> Result<(), StoreError> {
    let webhooks: Vec<WebhookId> = turns.iter().map(|turn| turn.webhook).collect();
    let query = sqlx::query(
        "UPDATE operations.dispatch SET holder = NULL, lease_until = NULL WHERE webhook = ANY ($1)",
    );
    connection.execute("dispatch.give_back", query.bind(webhooks)).await.map(drop)
}

/// When the next turn is due that nobody has, but on these hosts and of these tenants.
pub(crate) async fn next_due(
    connection: &mut Connection,
    (hosts, tenants): (Vec<String>, Vec<OrgId>),
) -> Result<Option<DateTime<Utc>>, StoreError> {
    let query = sqlx::query_as::<_, (Option<DateTime<Utc>>,)>(
        "SELECT min(greatest(due_at, lease_until)) FROM operations.dispatch
          WHERE due_at IS NOT NULL AND host <> ALL ($1) AND tenant <> ALL ($2)",
    );
    Ok(connection.fetch_one("dispatch.next_due", query.bind(hosts).bind(tenants)).await?.0)
}

/// Renews the lease; whether the turn is still this one's.
pub(crate) async fn renew(
    connection: &mut Connection,
    turn: &Turn,
    until: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let query =
        sqlx::query("UPDATE operations.dispatch SET lease_until = $3 WHERE webhook = $1 AND holder = $2");
    let query = query.bind(turn.webhook).bind(turn.holder).bind(until);
    Ok(connection.execute("dispatch.renew", query).await? == 1)
}

/// Where the webhook is sent to, unless it is paused or gone.
pub(crate) async fn target(
    connection: &mut Connection,
    webhook: WebhookId,
) -> Result<Option<Target>, StoreError> {
    let query = sqlx::query_as(
        "SELECT url, secret, previous_secret, previous_secret_until FROM operations.webhooks
          WHERE id = $1 AND state = 'ACTIVE'",
    );
    connection.fetch_optional("webhooks.target", query.bind(webhook)).await
}

/// Deliveries that are due.
pub(crate) async fn due(
    connection: &mut Connection,
    webhook: WebhookId,
    now: DateTime<Utc>,
    limit: usize,
) -> Result<Vec<Due>, StoreError> {
    let query = sqlx::query_as(
        "SELECT id, body, attempts FROM operations.deliveries
          WHERE webhook_id = $1 AND status = 'PENDING' AND next_attempt_at <= $2
          ORDER BY next_attempt_at, id LIMIT $3",
    );
    let query = query.bind(webhook).bind(now).bind(i64::try_from(limit).unwrap_or(i64::MAX));
    connection.fetch_all("deliveries.due", query).await
}

/// Ends the turn, and says when the next one is due: never before now, so that others come first. The turn's row is
/// locked before the deliveries are looked at: what is added meanwhile is seen here, or sets the time afterwards.
pub(crate) async fn end(
    connection: &mut Connection,
    turn: &Turn,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let lock = sqlx::query_as::<_, (WebhookId,)>(
        "SELECT webhook FROM operations.dispatch WHERE webhook = $1 AND holder = $2 FOR UPDATE",
    );
    let lock = lock.bind(turn.webhook).bind(turn.holder);
    if connection.fetch_optional("dispatch.lock", lock).await?.is_none() {
        return Ok(());
    }
    let end = sqlx::query(
        "UPDATE operations.dispatch
            SET holder = NULL, lease_until = NULL,
                due_at = (SELECT greatest(next_attempt_at, $2) FROM operations.deliveries
                           WHERE webhook_id = $1 AND status = 'PENDING' ORDER BY next_attempt_at LIMIT 1)
          WHERE webhook = $1",
    );
    connection.execute("dispatch.end", end.bind(turn.webhook).bind(now)).await.map(drop)
}

/// Writes down a good attempt; the webhook is well. Whoever changes both locks the webhook before its deliveries.
pub(crate) async fn delivered(
    connection: &mut Connection,
    turn: &Turn,
    attempted: &Attempted,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "UPDATE operations.webhooks SET failing_since = NULL, failed_in_row = 0
          WHERE id = $1 AND (failing_since IS NOT NULL OR failed_in_row > 0)",
    );
    connection.execute("webhooks.well", query.bind(turn.webhook)).await?;
    record(connection, attempted, now).await
}

/// Writes down a failed attempt; how the webhook is doing, unless it is gone.
pub(crate) async fn failed(
    connection: &mut Connection,
    turn: &Turn,
    attempted: &Attempted,
    now: DateTime<Utc>,
) -> Result<Option<Health>, StoreError> {
    let query = sqlx::query_as(
        "UPDATE operations.webhooks
            SET failing_since = coalesce(failing_since, $2), failed_in_row = failed_in_row + $3
          WHERE id = $1 RETURNING failing_since, failed_in_row",
    );
    let given_up = i32::from(attempted.status == DeliveryStatus::Failed);
    let query = query.bind(turn.webhook).bind(now).bind(given_up);
    let health = connection.fetch_optional("webhooks.failing", query).await?;
    record(connection, attempted, now).await?;
    Ok(health)
}

/// What was held back meanwhile stays so unless it is done with.
async fn record(
    connection: &mut Connection,
    attempted: &Attempted,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let Attempted { delivery, status, next_attempt_at, code, took, error } = attempted;
    let query = sqlx::query(
        "UPDATE operations.deliveries
            SET status = CASE WHEN status = 'HELD' AND $2 = 'PENDING' THEN status ELSE $2 END,
                next_attempt_at = CASE WHEN status = 'HELD' THEN NULL ELSE $3 END,
                attempts = attempts + 1, last_attempt_at = $4, last_status_code = $5, last_duration_ms = $6,
                last_error = $7
          WHERE id = $1",
    );
    let query = query
        .bind(delivery)
        .bind(status)
        .bind(next_attempt_at)
        .bind(now)
        .bind(code.map(i32::from))
        .bind(i32::try_from(took.num_milliseconds()).unwrap_or(i32::MAX))
        .bind(error);
    connection.execute("deliveries.record", query).await.map(drop)
}

/// Deletes deliveries that were made before `before`, some at a time; how many.
pub(crate) async fn forget(
    connection: &mut Connection,
    before: DateTime<Utc>,
    limit: i64,
) -> Result<u64, StoreError> {
    let query = sqlx::query(
        "DELETE FROM operations.deliveries WHERE (org_id, id) IN
             (SELECT org_id, id FROM operations.deliveries WHERE created_at < $1 ORDER BY created_at LIMIT $2)",
    );
    connection.execute("deliveries.forget", query.bind(before).bind(limit)).await
}
