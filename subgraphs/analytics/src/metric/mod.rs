//! Metrics: what events of a name come to in the interval under way.

pub(crate) mod repo;

use pulse_graphql::Error;
use pulse_store::Session;
use pulse_types::{EntityId, Permission};

pub(crate) use repo::MetricRow;

use crate::series::Interval;

/// Which events are counted.
#[derive(Debug, Clone)]
pub(crate) struct Metric {
    pub(crate) name: String,
    pub(crate) entity: Option<EntityId>,
    pub(crate) interval: Interval,
}

/// What it has come to by now.
pub(crate) async fn now(session: &Session, metric: &Metric) -> Result<MetricRow, Error> {
    let org = session.caller().require(&Permission::ANALYTICS_READ)?;
    Ok(repo::now(session, org, metric).await?)
}
