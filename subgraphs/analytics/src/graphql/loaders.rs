//! Reads by key, together.

use std::collections::HashMap;

use pulse_graphql::{Batch, Loader};
use pulse_store::{Session, StoreError};

use crate::series::{self, Point, Range};

/// The loaders of one request.
pub(crate) struct Loaders {
    pub(crate) activity: Loader<Range, Activities>,
}

impl Loaders {
    pub(crate) fn new(session: &Session) -> Self {
        Self { activity: Loader::new(Activities(session.clone())) }
    }
}

/// What happened in the caller's organization in ranges of time.
pub(crate) struct Activities(Session);

impl Batch<Range> for Activities {
    type Value = Vec<Point>;

    async fn load(&self, keys: Vec<Range>) -> Result<HashMap<Range, Vec<Point>>, StoreError> {
        let Some(org) = self.0.caller().org else { return Ok(HashMap::new()) };
        series::repo::activity(&self.0, org, &keys).await
    }
}
