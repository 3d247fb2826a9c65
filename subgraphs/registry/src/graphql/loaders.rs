//! Reads by key, together.

use std::collections::HashMap;

use pulse_graphql::{Batch, Loader};
use pulse_store::{Session, StoreError};
use pulse_types::{ClientAppId, CompositionId, SchemaVariantId, SchemaVersionId};

use crate::clients::{self, ClientRow};
use crate::composition::{self, CompositionReport, CompositionRow};
use crate::variant::{self, VariantRow};
use crate::version::{self, VersionRow};

/// The loaders of one request.
pub(crate) struct Loaders {
    pub(crate) clients: Loader<ClientAppId, Clients>,
    pub(crate) variants: Loader<SchemaVariantId, Variants>,
    pub(crate) versions: Loader<SchemaVersionId, Versions>,
    pub(crate) sdls: Loader<SchemaVersionId, Sdls>,
    pub(crate) compositions: Loader<CompositionId, Compositions>,
    pub(crate) parts: Loader<CompositionId, Parts>,
    pub(crate) supergraphs: Loader<CompositionId, Supergraphs>,
    pub(crate) reports: Loader<CompositionId, Reports>,
}

impl Loaders {
    pub(crate) fn new(session: &Session) -> Self {
        Self {
            clients: Loader::new(Clients(session.clone())),
            variants: Loader::new(Variants(session.clone())),
            versions: Loader::new(Versions(session.clone())),
            sdls: Loader::new(Sdls(session.clone())),
            compositions: Loader::new(Compositions(session.clone())),
            parts: Loader::new(Parts(session.clone())),
            supergraphs: Loader::new(Supergraphs(session.clone())),
            reports: Loader::new(Reports(session.clone())),
        }
    }
}

/// Client applications by id.
pub(crate) struct Clients(Session);

impl Batch<ClientAppId> for Clients {
    type Value = ClientRow;

    async fn load(&self, keys: Vec<ClientAppId>) -> Result<HashMap<ClientAppId, ClientRow>, StoreError> {
        let rows = clients::repo::find_many(&self.0, &keys).await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }
}

/// Variants by id.
pub(crate) struct Variants(Session);

impl Batch<SchemaVariantId> for Variants {
    type Value = VariantRow;

    async fn load(
        &self,
        keys: Vec<SchemaVariantId>,
    ) -> Result<HashMap<SchemaVariantId, VariantRow>, StoreError> {
        let rows = variant::repo::find_many(&self.0, &keys).await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }
}

/// Published schemas by id.
pub(crate) struct Versions(Session);

impl Batch<SchemaVersionId> for Versions {
    type Value = VersionRow;

    async fn load(
        &self,
        keys: Vec<SchemaVersionId>,
    ) -> Result<HashMap<SchemaVersionId, VersionRow>, StoreError> {
        let rows = version::repo::find_many(&self.0, &keys).await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }
}

/// The text of published schemas, by their ids.
pub(crate) struct Sdls(Session);

impl Batch<SchemaVersionId> for Sdls {
    type Value = String;

    async fn load(&self, keys: Vec<SchemaVersionId>) -> Result<HashMap<SchemaVersionId, String>, StoreError> {
        version::repo::sdls(&self.0, &keys).await
    }
}

/// Compositions by id.
pub(crate) struct Compositions(Session);

impl Batch<CompositionId> for Compositions {
    type Value = CompositionRow;

    async fn load(
        &self,
        keys: Vec<CompositionId>,
    ) -> Result<HashMap<CompositionId, CompositionRow>, StoreError> {
        let rows = composition::repo::find_many(&self.0, &keys).await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }
}

/// What compositions are made of, by their ids.
pub(crate) struct Parts(Session);

impl Batch<CompositionId> for Parts {
    type Value = Vec<VersionRow>;

    async fn load(
        &self,
        keys: Vec<CompositionId>,
    ) -> Result<HashMap<CompositionId, Vec<VersionRow>>, StoreError> {
        version::repo::parts_of_many(&self.0, &keys).await
    }
}

/// Supergraphs, by the ids of their compositions.
pub(crate) struct Supergraphs(Session);

impl Batch<CompositionId> for Supergraphs {
    type Value = String;

    async fn load(&self, keys: Vec<CompositionId>) -> Result<HashMap<CompositionId, String>, StoreError> {
        composition::repo::supergraphs(&self.0, &keys).await
    }
}

/// What is said of compositions, by their ids.
pub(crate) struct Reports(Session);

impl Batch<CompositionId> for Reports {
    type Value = CompositionReport;

    async fn load(
        &self,
        keys: Vec<CompositionId>,
    ) -> Result<HashMap<CompositionId, CompositionReport>, StoreError> {
        let rows = composition::repo::reports(&self.0, &keys).await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }
}
