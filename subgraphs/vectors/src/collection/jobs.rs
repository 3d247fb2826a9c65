//! What is done to partitions in the background.

use async_trait::async_trait;
use pulse_jobs::{Job, JobContext, JobError, JobHandler};
use pulse_store::{EventKind, StoreError};
use pulse_types::{CollectionId, OrgId};
use serde_json::json;

use super::{IndexStatus, event, fact, repo};

pub(crate) const BUILD_INDEX: &str = "vectors.build_index";
pub(crate) const DROP_PARTITION: &str = "vectors.drop_partition";

/// Builds the HNSW index of a collection that has outgrown exact search.
pub(crate) struct BuildIndex;

#[async_trait]
impl JobHandler for BuildIndex {
    fn kind(&self) -> &'static str {
        BUILD_INDEX
    }

    async fn run(&self, job: &Job, context: &JobContext) -> Result<(), JobError> {
        let (tenant, id) = arguments(job)?;
        // A session of its own, so that no snapshot is held while the index is built.
        match repo::find(&context.session(tenant), id).await? {
            Some(collection) if collection.index_status != IndexStatus::Hnsw => {}
            _ => return Ok(()),
        }
        maintain(context, tenant, "collections.build_index", "SELECT vectors.build_index($1)", id).await?;
        let mut write = context.session(tenant).write().await?;
        if let Some(row) = repo::mark_indexed_in_tx(&mut write, id).await? {
            write.event(event(EventKind::Updated, &row, vec!["indexStatus"]));
            write.commit(fact("collection:index", &row)).await?;
            let result =
                json!({ "collectionId": row.id, "itemCount": row.item_count, "indexStatus": "HNSW" });
            context.set_result(result.as_object().cloned().unwrap_or_default())?;
        }
        Ok(())
    }
}

/// Drops the items of a deleted collection.
pub(crate) struct DropPartition;

#[async_trait]
impl JobHandler for DropPartition {
    fn kind(&self) -> &'static str {
        DROP_PARTITION
    }

    async fn run(&self, job: &Job, context: &JobContext) -> Result<(), JobError> {
        let (tenant, id) = arguments(job)?;
        Ok(maintain(context, tenant, "collections.drop_partition", "SELECT vectors.drop_partition($1)", id)
            .await?)
    }
}

/// Calls a function that may do what neither the app nor a job may, for one collection of one tenant.
async fn maintain(
    context: &JobContext,
    tenant: OrgId,
    statement: &'static str,
    sql: &'static str,
    id: CollectionId,
) -> Result<(), StoreError> {
    let mut connection = context.store().maintenance().await?;
    let act_in = sqlx::query("SELECT set_config('pulse.org_id', $1, true)").bind(tenant.to_string());
    connection.execute("maintenance.act_in", act_in).await?;
    connection.execute(statement, sqlx::query(sql).bind(id)).await?;
    connection.commit().await
}

fn arguments(job: &Job) -> Result<(OrgId, CollectionId), JobError> {
    let fatal = |what: &str| JobError::Fatal(format!("the job names no {what}"));
    let tenant = job.tenant.ok_or_else(|| fatal("tenant"))?;
    let id = serde_json::from_value(job.payload["collection"].clone()).map_err(|_| fatal("collection"))?;
    Ok((tenant, id))
}
