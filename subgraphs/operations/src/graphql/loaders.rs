//! Reads by key, together.

use std::collections::HashMap;

use pulse_graphql::{Batch, JsonObject, Loader};
use pulse_store::{Session, StoreError};
use pulse_types::{JobId, WebhookId};

use crate::job::{self, JobRow};
use crate::webhook::{self, WebhookRow};

/// The loaders of one request.
pub(crate) struct Loaders {
    pub(crate) webhooks: Loader<WebhookId, Webhooks>,
    pub(crate) jobs: Loader<JobId, Jobs>,
    pub(crate) job_results: Loader<JobId, JobResults>,
}

impl Loaders {
    pub(crate) fn new(session: &Session) -> Self {
        Self {
            webhooks: Loader::new(Webhooks(session.clone())),
            jobs: Loader::new(Jobs(session.clone())),
            job_results: Loader::new(JobResults(session.clone())),
        }
    }
}

/// Webhooks by id.
pub(crate) struct Webhooks(Session);

impl Batch<WebhookId> for Webhooks {
    type Value = WebhookRow;

    async fn load(&self, keys: Vec<WebhookId>) -> Result<HashMap<WebhookId, WebhookRow>, StoreError> {
        let rows = webhook::repo::find_many(&self.0, &keys).await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }
}

/// Jobs by id.
pub(crate) struct Jobs(Session);

impl Batch<JobId> for Jobs {
    type Value = JobRow;

    async fn load(&self, keys: Vec<JobId>) -> Result<HashMap<JobId, JobRow>, StoreError> {
        let rows = job::repo::find_many(&self.0, &keys).await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }
}

/// What jobs that were done have brought, by their ids.
pub(crate) struct JobResults(Session);

impl Batch<JobId> for JobResults {
    type Value = JsonObject;

    async fn load(&self, keys: Vec<JobId>) -> Result<HashMap<JobId, JsonObject>, StoreError> {
        job::repo::results(&self.0, &keys).await
    }
}
