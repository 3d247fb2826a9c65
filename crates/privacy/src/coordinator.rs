//! What is done about requests as a whole: beginning what is due, noticing that all have answered, ending.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use pulse_events::{Consumer, ConsumerError, Handling};
use pulse_files::{FileName, Files};
use pulse_graphql::Subgraph;
use pulse_jobs::{FixedSchedule, Job, JobContext, JobError, JobHandler, Missed};
use pulse_store::{AuditFact, Connection, Store};
use pulse_types::{Caller, Change, ChangeKind, OrgId, PrivacyRequestId, RequestId, UserId};
use serde_json::json;
use tokio::io::AsyncReadExt;
use uuid::Uuid;

use crate::erase::erase_in_tx;
use crate::export::export_in_tx;
use crate::request::{self, Asked, RECEIPT, REQUEST, Running};
use crate::retention::{RETAIN, Retain};
use crate::share::{not_kept, part};
use crate::{Retention, catalog};

/// The kind of the job that begins what is due.
pub const BEGIN: &str = "platform.privacy_begin";
const FINISH: &str = "platform.privacy_finish";
const EXPIRE: &str = "platform.privacy_expire";

/// Requests begun at a time.
const BATCH: i64 = 100;

/// What works on requests about persons.
#[derive(Clone)]
pub struct Privacy {
    /// Where exports are kept.
    pub files: Files,
    /// How long they are kept.
    pub export_lifetime: Duration,
    /// How long what is personal is kept otherwise.
    pub retention: Retention,
}

impl Privacy {
    /// Gives the subgraph what is done about requests as a whole.
    pub fn coordinate(self, subgraph: &mut Subgraph) {
        subgraph.consumers.push(Arc::new(Receipts { store: subgraph.store.clone() }));
        let jobs: [Arc<dyn JobHandler>; 4] = [
            Arc::new(Begin),
            Arc::new(Finish(self.clone())),
            Arc::new(Expire(self.files)),
            Arc::new(Retain(self.retention)),
        ];
        subgraph.jobs.extend(jobs);
        let by_clock = |kind, cron| FixedSchedule { name: kind, kind, cron, missed: Missed::Once };
        subgraph.schedules.extend([
            by_clock(BEGIN, "*/10 * * * *"),
            by_clock(EXPIRE, "7 * * * *"),
            by_clock(RETAIN, "11 3 * * *"),
        ]);
    }
}

/// Begins what is due.
struct Begin;

#[async_trait]
impl JobHandler for Begin {
    fn kind(&self) -> &'static str {
        BEGIN
    }

    async fn run(&self, _: &Job, context: &JobContext) -> Result<(), JobError> {
        let store = context.store();
        loop {
            let mut connection = store.system().await?;
            let now = store.clock().now();
            let owners = catalog::owners(&mut connection).await?;
            let update = sqlx::query_as(
                "UPDATE platform.privacy_requests SET status = 'running', owners = $2
                  WHERE id IN (SELECT id FROM platform.privacy_requests WHERE status = 'waiting' AND due_at <= $1
                                ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED)
                 RETURNING id, kind",
            );
            let update = update.bind(now).bind(owners).bind(BATCH);
            let begun: Vec<(PrivacyRequestId, String)> =
                connection.fetch_all("privacy_requests.begin", update).await?;
            for (id, kind) in &begun {
                let attributes = json!({ "kind": kind });
                request::tell_of_in_tx(&mut connection, now, (REQUEST, *id), attributes).await?;
            }
            connection.commit().await?;
            if begun.is_empty() {
                return Ok(());
            }
            store.committed().notify_one();
        }
    }
}

/// Writes receipts down, and has a request finished when the last one has come.
struct Receipts {
    store: Store,
}

#[async_trait]
impl Consumer for Receipts {
    fn name(&self) -> &'static str {
        "platform.privacy"
    }

    fn wants(&self, change: &Change) -> bool {
        *change.subject == *RECEIPT && change.kind == ChangeKind::Created
    }

    async fn handle(&self, changes: &[&Change], handling: &mut Handling<'_>) -> Result<(), ConsumerError> {
        let now = self.store.clock().now();
        let connection = handling.system().await?;
        for change in changes {
            let id = PrivacyRequestId::from_uuid(change.key);
            let owner = change.attributes.get("owner").and_then(|owner| owner.as_str());
            let owner = owner.ok_or_else(|| ConsumerError::Fatal("the receipt names no owner".to_owned()))?;
            let items = change.attributes.get("items").and_then(serde_json::Value::as_i64).unwrap_or(0);
            request::note_receipt_in_tx(connection, now, (id, owner), items).await?;
            let all = sqlx::query_as(
                "SELECT EXISTS (SELECT FROM platform.privacy_requests r WHERE r.id = $1 AND r.status = 'running'
                    AND r.owners <@ ARRAY(SELECT owner FROM platform.privacy_receipts WHERE request = $1))",
            );
            let (all,): (bool,) = connection.fetch_one("privacy_receipts.all", all.bind(id)).await?;
            if all {
                request::enqueue_in_tx(connection, now, FINISH, id).await?;
            }
        }
        Ok(())
    }

    fn committed(&self) {
        self.store.enqueued().notify_one();
    }
}

/// Ends a request to which all have answered.
struct Finish(Privacy);

impl Finish {
    /// What nobody else has of the person, or has of it for a tenant: in the platform's own tables, and files.
    async fn erase(
        &self,
        connection: &mut Connection,
        id: PrivacyRequestId,
        (person, tenant): (UserId, Option<OrgId>),
        now: DateTime<Utc>,
    ) -> Result<(), JobError> {
        let exports = sqlx::query_as(
            "SELECT id, owners FROM platform.privacy_requests
              WHERE person = $1 AND kind = 'export' AND ($2::uuid IS NULL OR tenant = $2)",
        );
        let exports: Vec<(PrivacyRequestId, Vec<String>)> =
            connection.fetch_all("privacy_requests.exports", exports.bind(person).bind(tenant)).await?;
        for (export, owners) in exports {
            self.0.files.delete(&whole(export)).await.map_err(not_kept)?;
            self.delete_parts(export, &owners).await?;
        }
        self.delete_audits(connection, (person, tenant)).await?;
        let items = erase_in_tx(connection, "platform", (person, tenant)).await?;
        let items = i64::try_from(items).unwrap_or(i64::MAX);
        request::note_receipt_in_tx(connection, now, (id, "platform"), items).await?;
        Ok(())
    }

    /// Files of the audit that name the person, and those that are being written and may.
    async fn delete_audits(
        &self,
        connection: &mut Connection,
        (person, tenant): (UserId, Option<OrgId>),
    ) -> Result<(), JobError> {
        let take = sqlx::query_as(
            "UPDATE platform.audit_exports e SET expires_at = NULL, status = CASE status WHEN 'waiting' THEN 'failed' ELSE status END
              WHERE (status = 'waiting' OR expires_at IS NOT NULL) AND ($2::uuid IS NULL OR org_id = $2)
                AND EXISTS (SELECT FROM platform.audit a WHERE a.org_id = e.org_id AND (a.actor = $1 OR a.key = $1))
             RETURNING id, CASE format WHEN 'csv' THEN 'csv' ELSE 'jsonl' END",
        );
        let taken: Vec<(Uuid, String)> =
            connection.fetch_all("audit_exports.take", take.bind(person).bind(tenant)).await?;
        for (id, extension) in taken {
            let name = format!("exports/{id}.{extension}").parse().expect("an id is plain");
            self.0.files.delete(&name).await.map_err(not_kept)?;
        }
        Ok(())
    }

    /// One file of all parts; its size.
    async fn assemble(
        &self,
        id: PrivacyRequestId,
        person: UserId,
        now: DateTime<Utc>,
        owners: &[String],
    ) -> Result<u64, JobError> {
        // An attempt before this one may have been cut off after the file was there.
        let first = owners.first().map_or("platform", String::as_str);
        let parts_are_there = self.0.files.open(&part(id, first)).await.map_err(not_kept)?.is_some();
        let finished = self.0.files.open(&whole(id)).await.map_err(not_kept)?;
        if let Some((_, bytes)) = finished.filter(|_| !parts_are_there) {
            self.delete_parts(id, owners).await?;
            return Ok(bytes);
        }
        let mut file = self.0.files.create(&whole(id)).await.map_err(not_kept)?;
        let opening = json!({ "person": person, "exportedAt": now }).to_string();
        file.write(format!("{},\"data\":{{", opening.trim_end_matches('}')).as_bytes())
            .await
            .map_err(not_kept)?;
        for (nth, owner) in owners.iter().enumerate() {
            let found = self.0.files.open(&part(id, owner)).await.map_err(not_kept)?;
            let (mut from, _) =
                found.ok_or_else(|| JobError::Fatal(format!("the part of {owner} is not there")))?;
            let comma = if nth == 0 { "" } else { "," };
            file.write(format!("{comma}\"{owner}\":").as_bytes()).await.map_err(not_kept)?;
            let mut buffer = vec![0; 1 << 16];
            loop {
                let read = from.read(&mut buffer).await;
                match read.map_err(|_| JobError::Retry(format!("the part of {owner} cannot be read")))? {
                    0 => break,
                    length => file.write(&buffer[..length]).await.map_err(not_kept)?,
                }
            }
        }
        file.write(b"}}").await.map_err(not_kept)?;
        let bytes = file.finish().await.map_err(not_kept)?;
        self.delete_parts(id, owners).await?;
        Ok(bytes)
    }

    async fn delete_parts(&self, id: PrivacyRequestId, owners: &[String]) -> Result<(), JobError> {
        for owner in owners.iter().map(String::as_str).chain(["platform"]) {
            self.0.files.delete(&part(id, owner)).await.map_err(not_kept)?;
        }
        Ok(())
    }

    async fn end(
        &self,
        connection: &mut Connection,
        id: PrivacyRequestId,
        Running { kind, person, tenant }: &Running,
        now: DateTime<Utc>,
    ) -> Result<(), JobError> {
        let (mut bytes, mut expires) = (None, None);
        match kind {
            Asked::Erase => self.erase(connection, id, (*person, None), now).await?,
            Asked::Anonymize => self.erase(connection, id, (*person, *tenant), now).await?,
            Asked::Export => {
                let owners = sqlx::query_as("SELECT owners FROM platform.privacy_requests WHERE id = $1");
                let (mut owners,): (Vec<String>,) =
                    connection.fetch_one("privacy_requests.owners", owners.bind(id)).await?;
                // What was audited of the person is in nobody's schema.
                let mut file = self.0.files.create(&part(id, "platform")).await.map_err(not_kept)?;
                export_in_tx(connection, "platform", (*person, *tenant), &mut file).await?;
                file.finish().await.map_err(not_kept)?;
                owners.push("platform".to_owned());
                bytes = i64::try_from(self.assemble(id, *person, now, &owners).await?).ok();
                expires = Some(now + self.0.export_lifetime);
            }
        }
        let end = sqlx::query(
            "UPDATE platform.privacy_requests SET status = 'completed', finished_at = $2, bytes = $3, expires_at = $4
              WHERE id = $1",
        );
        let end = end.bind(id).bind(now).bind(bytes).bind(expires);
        connection.execute("privacy_requests.end", end).await?;
        Ok(())
    }
}

#[async_trait]
impl JobHandler for Finish {
    fn kind(&self) -> &'static str {
        FINISH
    }

    async fn run(&self, job: &Job, context: &JobContext) -> Result<(), JobError> {
        let Some((mut connection, id, running)) = request::taken(job, context).await? else { return Ok(()) };
        let store = context.store();
        self.end(&mut connection, id, &running, store.clock().now()).await?;
        // That it was done is known with it, and not any more of whom.
        let process = Caller::process(RequestId::from_uuid(job.id.uuid()));
        let write = store.session(Arc::new(process)).write_over(connection).await?;
        let action = match running.kind {
            Asked::Erase => "privacy:erased",
            Asked::Anonymize => "privacy:anonymized",
            Asked::Export => "privacy:exported",
        };
        write
            .commit(AuditFact { action, subject: REQUEST, key: Some(id.uuid()), version: None, items: 1 })
            .await?;
        Ok(())
    }
}

/// Deletes exports whose time is over.
struct Expire(Files);

#[async_trait]
impl JobHandler for Expire {
    fn kind(&self) -> &'static str {
        EXPIRE
    }

    async fn run(&self, _: &Job, context: &JobContext) -> Result<(), JobError> {
        let store = context.store();
        loop {
            let mut connection = store.system().await?;
            let over = sqlx::query_as(
                "UPDATE platform.privacy_requests SET expires_at = NULL
                  WHERE id IN (SELECT id FROM platform.privacy_requests WHERE expires_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED)
                 RETURNING id",
            );
            let over: Vec<(PrivacyRequestId,)> = connection
                .fetch_all("privacy_requests.over", over.bind(store.clock().now()).bind(BATCH))
                .await?;
            for (id,) in &over {
                self.0.delete(&whole(*id)).await.map_err(not_kept)?;
            }
            connection.commit().await?;
            if over.is_empty() {
                return Ok(());
            }
        }
    }
}

/// The file of a finished export.
pub(crate) fn whole(id: PrivacyRequestId) -> FileName {
    format!("exports/{id}.json").parse().expect("an id is plain")
}
