//! An owner's share of a request.

use std::sync::Arc;

use async_trait::async_trait;
use pulse_events::{Consumer, ConsumerError, Handling};
use pulse_files::{FileName, Files};
use pulse_graphql::Subgraph;
use pulse_jobs::{Job, JobContext, JobError, JobHandler};
use pulse_store::{Connection, Store};
use pulse_types::{Change, ChangeKind, PrivacyRequestId, UserId};
use serde_json::json;

use crate::erase::erase_in_tx;
use crate::export::{ExportError, export_in_tx};
use crate::request::{self, Asked, RECEIPT, REQUEST, Running, Told};

/// Lets a subgraph do its share of what is asked for about persons: it hears of requests, exports and erases what its schema
/// has, and answers. What it tells of an erased person besides is `told`: the subject of events about persons, and the statement
/// that says the next version of the person `$1`.
pub fn take_part(subgraph: &mut Subgraph, files: &Files, told: Option<(&'static str, &'static str)>) {
    // A few bytes for each owner, once for each subgraph that is built.
    let kind: &'static str = Box::leak(format!("{}.privacy", subgraph.name).into_boxed_str());
    subgraph.consumers.push(Arc::new(Hear { kind, store: subgraph.store.clone() }));
    subgraph.jobs.push(Arc::new(Share { kind, owner: subgraph.name, files: files.clone(), told }));
}

/// Hears of requests and has a job done about each.
struct Hear {
    kind: &'static str,
    store: Store,
}

#[async_trait]
impl Consumer for Hear {
    fn name(&self) -> &'static str {
        self.kind
    }

    fn wants(&self, change: &Change) -> bool {
        *change.subject == *REQUEST && change.kind == ChangeKind::Created
    }

    async fn handle(&self, changes: &[&Change], handling: &mut Handling<'_>) -> Result<(), ConsumerError> {
        let now = self.store.clock().now();
        let connection = handling.system().await?;
        for change in changes {
            let id = PrivacyRequestId::from_uuid(change.key);
            request::enqueue_in_tx(connection, now, self.kind, id).await?;
        }
        Ok(())
    }

    fn committed(&self) {
        self.store.enqueued().notify_one();
    }
}

/// Exports or erases what one schema has.
struct Share {
    kind: &'static str,
    owner: &'static str,
    files: Files,
    told: Option<(&'static str, &'static str)>,
}

impl Share {
    async fn erase(
        &self,
        connection: &mut Connection,
        person: UserId,
        now: chrono::DateTime<chrono::Utc>,
    ) -> Result<u64, JobError> {
        if let Some((subject, version)) = self.told {
            let find = sqlx::query_as(version).bind(person);
            let found: Option<(i64,)> = connection.fetch_optional("privacy.version", find).await?;
            if let Some((version,)) = found {
                let attributes = json!({});
                let told = Told { kind: "deleted", subject, key: person.uuid(), version, attributes };
                request::tell_in_tx(connection, now, told).await?;
            }
        }
        Ok(erase_in_tx(connection, self.owner, (person, None)).await?)
    }

    async fn export(
        &self,
        connection: &mut Connection,
        id: PrivacyRequestId,
        Running { person, tenant, .. }: &Running,
    ) -> Result<u64, JobError> {
        let mut file = self.files.create(&part(id, self.owner)).await.map_err(not_kept)?;
        let rows = export_in_tx(connection, self.owner, (*person, *tenant), &mut file).await?;
        file.finish().await.map_err(not_kept)?;
        Ok(rows)
    }
}

#[async_trait]
impl JobHandler for Share {
    fn kind(&self) -> &'static str {
        self.kind
    }

    async fn run(&self, job: &Job, context: &JobContext) -> Result<(), JobError> {
        let Some((mut connection, id, running)) = request::taken(job, context).await? else { return Ok(()) };
        let (store, now) = (context.store(), context.store().clock().now());
        let items = match running.kind {
            Asked::Erase => self.erase(&mut connection, running.person, now).await?,
            Asked::Anonymize => {
                erase_in_tx(&mut connection, self.owner, (running.person, running.tenant)).await?
            }
            Asked::Export => self.export(&mut connection, id, &running).await?,
        };
        let receipt = json!({ "owner": self.owner, "items": items });
        request::tell_of_in_tx(&mut connection, now, (RECEIPT, id), receipt).await?;
        connection.commit().await?;
        store.committed().notify_one();
        Ok(())
    }
}

/// The file with an owner's part of an export.
pub(crate) fn part(id: PrivacyRequestId, owner: &str) -> FileName {
    format!("exports/{id}/{owner}.json").parse().expect("an id and the name of a schema are plain")
}

impl From<ExportError> for JobError {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Store(error) => error.into(),
            ExportError::Files(error) => not_kept(error),
        }
    }
}

/// A file that could not be written may be later.
#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
pub(crate) fn not_kept(error: pulse_files::FilesError) -> JobError {
    tracing::warn!(error = &error as &dyn std::error::Error, "a file of an export cannot be kept");
    JobError::Retry(error.to_string())
}
