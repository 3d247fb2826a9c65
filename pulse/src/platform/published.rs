//! Operations that clients published: those of the settings, and those that the registry knows of each tenant.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::BoxStream;
use moka::future::Cache;
use pulse_gateway::FileOperations;
use pulse_gateway::ports::{Heard, OperationStore, OperationsUnavailable};
use pulse_manifests::PublishedOperations;
use pulse_registry::{CLIENT_SUBJECT, OPERATIONS_PATH, OperationsQuestion, PublishedReader};
use pulse_types::{Caller, OrgId};
use tokio::sync::broadcast;

use super::apart::ProcessApart;
use crate::exit::Failure;
use crate::settings::Settings;

/// How much of what was published is kept, in bytes of text.
const KEPT: u64 = 256_000_000;

/// How many tenants' news wait to be planned; of more, the first who asks waits for the plan.
const NEWS: usize = 64;

/// Those that the settings name, for everybody.
pub(crate) fn file_operations(settings: &Settings) -> Result<FileOperations, Failure> {
    FileOperations::read(&settings.gateway.persisted_operations)
        .map_err(|error| Failure::Setting(error.to_string()))
}

/// Where a tenant's published operations come from. The error is for the log.
#[async_trait]
pub(super) trait PublishedSource: Send + Sync + 'static {
    async fn published(&self, question: OperationsQuestion) -> Result<PublishedOperations, String>;
}

#[async_trait]
impl PublishedSource for PublishedReader {
    async fn published(&self, question: OperationsQuestion) -> Result<PublishedOperations, String> {
        let read = self.read(question.org, question.environment.as_deref()).await;
        read.map_err(|error| error.to_string())
    }
}

#[async_trait]
impl PublishedSource for ProcessApart {
    async fn published(&self, question: OperationsQuestion) -> Result<PublishedOperations, String> {
        let question = serde_json::to_vec(&question).map_err(|error| error.to_string())?;
        self.ask(OPERATIONS_PATH, Some(question.into())).await
    }
}

/// What clients published, kept until a change of it is heard.
pub(super) struct Published {
    files: FileOperations,
    source: Box<dyn PublishedSource>,
    environment: Option<String>,
    kept: Cache<Version, Arc<PublishedOperations>>,
    /// What was known last of each tenant, for the time in which nobody can be asked.
    last: Cache<OrgId, Arc<PublishedOperations>>,
    /// The last change of each tenant's that was heard.
    positions: Mutex<HashMap<OrgId, i64>>,
    gaps: AtomicU64,
    news: broadcast::Sender<Arc<PublishedOperations>>,
}

/// What of a tenant is kept: as of a change, and of how often changes were missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Version {
    org: OrgId,
    position: i64,
    gaps: u64,
}

impl Published {
    pub(super) fn new(settings: &Settings, source: Box<dyn PublishedSource>) -> Result<Self, Failure> {
        let weight = |published: &PublishedOperations| {
            let texts =
                published.clients().into_iter().flat_map(pulse_manifests::ClientOperations::operations);
            let bytes: usize = texts.map(|operation| operation.document.len() + 200).sum();
            u32::try_from(bytes + 100).unwrap_or(u32::MAX)
        };
        Ok(Self {
            files: file_operations(settings)?,
            source,
            environment: settings.gateway.persisted_operations.environment.clone(),
            kept: Cache::builder()
                .max_capacity(KEPT)
                .weigher(move |_, published: &Arc<PublishedOperations>| weight(published))
                .build(),
            last: Cache::builder()
                .max_capacity(KEPT)
                .weigher(move |_, published: &Arc<PublishedOperations>| weight(published))
                .build(),
            positions: Mutex::default(),
            gaps: AtomicU64::new(0),
            news: broadcast::Sender::new(NEWS),
        })
    }

    /// Takes in what changes, for ever.
    pub(super) async fn follow(self: Arc<Self>, mut changes: BoxStream<'static, Heard>) {
        while let Some(heard) = changes.next().await {
            match heard {
                Heard::Gap => {
                    self.gaps.fetch_add(1, Ordering::SeqCst);
                }
                Heard::Change(change) if *change.subject == *CLIENT_SUBJECT => {
                    let Some(org) = change.tenant else { continue };
                    self.positions().insert(org, change.position);
                    // Whoever publishes means to send it soon.
                    match self.of(org).await {
                        Ok(published) => {
                            let _nobody_plans = self.news.send(published);
                        }
                        Err(error) => tracing::warn!(error, "what was just published cannot be read"),
                    }
                }
                Heard::Change(_) => {}
            }
        }
    }

    fn positions(&self) -> std::sync::MutexGuard<'_, HashMap<OrgId, i64>> {
        self.positions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn of(&self, org: OrgId) -> Result<Arc<PublishedOperations>, String> {
        let position = self.positions().get(&org).copied().unwrap_or_default();
        let version = Version { org, position, gaps: self.gaps.load(Ordering::SeqCst) };
        let read = async {
            let environment = self.environment.clone();
            let question = OperationsQuestion { org, environment, at_least: position };
            let own = self.source.published(question).await?;
            let files = self.files.published();
            let published = if files.is_empty() {
                own
            } else {
                // What the settings say of a client no tenant says otherwise.
                let all = own.clients().into_iter().chain(files.clients()).cloned();
                PublishedOperations::new(all.collect::<Vec<_>>())
            };
            let published = Arc::new(published);
            self.last.insert(org, Arc::clone(&published)).await;
            Ok::<_, String>(published)
        };
        match self.kept.try_get_with(version, read).await {
            Ok(published) => Ok(published),
            Err(error) => match self.last.get(&org).await {
                Some(last) => {
                    tracing::warn!(%error, "the registry cannot be asked: what was published before still holds");
                    Ok(last)
                }
                None => Err(error.to_string()),
            },
        }
    }
}

#[async_trait]
impl OperationStore for Published {
    async fn published(&self, caller: &Caller) -> Result<Arc<PublishedOperations>, OperationsUnavailable> {
        match caller.org {
            Some(org) => self.of(org).await.map_err(OperationsUnavailable),
            None => Ok(Arc::clone(self.files.published())),
        }
    }

    fn news(&self) -> BoxStream<'static, Arc<PublishedOperations>> {
        let receiver = self.news.subscribe();
        let news = futures::stream::unfold(receiver, async |mut receiver| {
            loop {
                match receiver.recv().await {
                    Ok(published) => return Some((published, receiver)),
                    Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => return None,
                }
            }
        });
        news.boxed()
    }
}
