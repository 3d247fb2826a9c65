//! Published operations out of files.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use pulse_manifests::{ClientOperations, Manifest, OperationMode, PublishedOperation, PublishedOperations};
use pulse_types::Caller;

use crate::config::{ManifestFile, PersistedOperationsConfig};
use crate::ports::{OperationStore, OperationsUnavailable};

/// What the manifests of the settings say, for everybody.
#[derive(Debug, Clone, Default)]
pub struct FileOperations(Arc<PublishedOperations>);

/// A manifest that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("gateway.persisted_operations.manifests: {}: {what}", file.display())]
pub struct UnusableManifest {
    file: PathBuf,
    what: String,
}

impl FileOperations {
    /// Reads the manifests; those of the same client are its versions, the newest first.
    pub fn read(config: &PersistedOperationsConfig) -> Result<Self, UnusableManifest> {
        let mut clients: BTreeMap<&str, (Option<OperationMode>, Vec<PublishedOperation>)> = BTreeMap::new();
        for manifest in &config.manifests {
            let (mode, operations) = clients.entry(&manifest.client).or_default();
            *mode = mode.or(manifest.mode);
            operations.extend(read(manifest)?);
        }
        let clients = clients
            .into_iter()
            .map(|(name, (mode, operations))| ClientOperations::new(name, mode, operations));
        Ok(Self(Arc::new(PublishedOperations::new(clients))))
    }

    /// What they say.
    pub fn published(&self) -> &Arc<PublishedOperations> {
        &self.0
    }
}

fn read(config: &ManifestFile) -> Result<Vec<PublishedOperation>, UnusableManifest> {
    let ManifestFile { file, tools, .. } = config;
    let unusable = |what: String| UnusableManifest { file: file.to_owned(), what };
    let text = std::fs::read_to_string(file).map_err(|error| unusable(error.to_string()))?;
    let manifest = Manifest::parse(&text).map_err(|error| unusable(error.to_string()))?;
    let mut operations: Vec<_> =
        manifest.into_operations().into_iter().map(PublishedOperation::from).collect();
    for (name, what_for) in tools {
        let operation = operations.iter_mut().find(|operation| *operation.name == **name);
        let unknown = || unusable(format!("tools: there is no operation {name}"));
        operation.ok_or_else(unknown)?.tool = Some(what_for.as_str().into());
    }
    Ok(operations)
}

#[async_trait]
impl OperationStore for FileOperations {
    async fn published(&self, _: &Caller) -> Result<Arc<PublishedOperations>, OperationsUnavailable> {
        Ok(Arc::clone(&self.0))
    }
}
