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
use pulse_registry::{
    CLIENT_SUBJECT, OPERATIONS_PATH, OperationsAnswer, OperationsQuestion, PublishedReader,
};
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
    async fn published(&self, question: OperationsQuestion) -> Result<OperationsAnswer, String>;
}

#[async_trait]
impl PublishedSource for PublishedReader {
    async fn published(&self, question: OperationsQuestion) -> Result<OperationsAnswer, String> {
        self.read(&question).await.map_err(|error| error.to_string())
    }
}

#[async_trait]
impl PublishedSource for ProcessApart {
    async fn published(&self, question: OperationsQuestion) -> Result<OperationsAnswer, String> {
        let question = serde_json::to_vec(&question).map_err(|error| error.to_string())?;
        self.ask(OPERATIONS_PATH, Some(question.into())).await
    }
}

/// What clients published, kept until a change of it is heard.
pub(super) struct Published {
    files: FileOperations,
    source: Box<dyn PublishedSource>,
    environment: Option<String>,
    kept: Cache<Version, Revised>,
    /// What was known last of each tenant, for the time in which nobody can be asked.
    last: Cache<OrgId, Revised>,
    /// The last change of each tenant's that was heard.
    positions: Mutex<HashMap<OrgId, i64>>,
    gaps: AtomicU64,
    news: broadcast::Sender<Arc<PublishedOperations>>,
}

/// What a tenant's clients published, as of a revision of the registry's.
#[derive(Clone)]
struct Revised {
    revision: Arc<str>,
    published: Arc<PublishedOperations>,
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
        let weight = |revised: &Revised| {
            let texts = revised
                .published
                .clients()
                .into_iter()
                .flat_map(pulse_manifests::ClientOperations::operations);
            let bytes: usize = texts.map(|operation| operation.document.len() + 200).sum();
            u32::try_from(bytes + 100).unwrap_or(u32::MAX)
        };
        Ok(Self {
            files: file_operations(settings)?,
            source,
            environment: settings.gateway.persisted_operations.environment.clone(),
            kept: Cache::builder()
                .max_capacity(KEPT)
                .weigher(move |_, revised: &Revised| weight(revised))
                .build(),
            last: Cache::builder()
                .max_capacity(KEPT)
                .weigher(move |_, revised: &Revised| weight(revised))
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
                        Ok(revised) => {
                            let _nobody_plans = self.news.send(revised.published);
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

    /// What of a tenant is kept now.
    fn version(&self, org: OrgId) -> Version {
        let position = self.positions().get(&org).copied().unwrap_or_default();
        Version { org, position, gaps: self.gaps.load(Ordering::SeqCst) }
    }

    async fn of(&self, org: OrgId) -> Result<Revised, String> {
        let version = self.version(org);
        let read = async {
            let read = self.read(version, None).await?;
            read.ok_or_else(|| "the registry answered nothing".to_owned())
        };
        match self.kept.try_get_with(version, read).await {
            Ok(revised) => Ok(revised),
            Err(error) => match self.last.get(&org).await {
                Some(last) => {
                    tracing::warn!(%error, "the registry cannot be asked: what was published before still holds");
                    Ok(last)
                }
                None => Err(error.to_string()),
            },
        }
    }

    /// What is published, unless that is what is known.
    async fn read(&self, version: Version, known: Option<String>) -> Result<Option<Revised>, String> {
        let Version { org, position: at_least, .. } = version;
        let question = OperationsQuestion { org, environment: self.environment.clone(), at_least, known };
        let answer = self.source.published(question).await?;
        let Some(own) = answer.published else { return Ok(None) };
        let files = self.files.published();
        let published = if files.is_empty() {
            own
        } else {
            // What the settings say of a client no tenant says otherwise.
            let all = own.clients().into_iter().chain(files.clients()).cloned();
            PublishedOperations::new(all.collect::<Vec<_>>())
        };
        let revised = Revised { revision: answer.revision.into(), published: Arc::new(published) };
        self.last.insert(org, revised.clone()).await;
        Ok(Some(revised))
    }

    /// What is published as of this moment, where it is not what is kept.
    async fn look(&self, org: OrgId, kept: &Revised) -> Result<Option<Revised>, String> {
        let version = self.version(org);
        let newer = self.read(version, Some(kept.revision.to_string())).await?;
        if let Some(newer) = &newer {
            self.kept.insert(version, newer.clone()).await;
        }
        Ok(newer)
    }
}

#[async_trait]
impl OperationStore for Published {
    async fn published(&self, caller: &Caller) -> Result<Arc<PublishedOperations>, OperationsUnavailable> {
        match caller.org {
            Some(org) => self.of(org).await.map(|kept| kept.published).map_err(OperationsUnavailable),
            None => Ok(Arc::clone(self.files.published())),
        }
    }

    async fn newer(
        &self,
        caller: &Caller,
        known: &Arc<PublishedOperations>,
    ) -> Result<Option<Arc<PublishedOperations>>, OperationsUnavailable> {
        let Some(org) = caller.org else { return Ok(None) };
        let looked = async {
            let kept = self.of(org).await?;
            let newer = self.look(org, &kept).await?;
            Ok(newer.unwrap_or(kept).published)
        };
        let now = looked.await.map_err(OperationsUnavailable)?;
        Ok(Some(now).filter(|now| !Arc::ptr_eq(now, known)))
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
