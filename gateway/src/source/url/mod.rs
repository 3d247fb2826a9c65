//! A supergraph behind a URL, asked for again and again with what names the version at hand.

mod fetch;
mod signature;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use http::Uri;
use metrics::counter;
use tokio::fs;
use tokio::sync::Mutex;
use tokio::time::sleep;

use self::fetch::{Answer, Fetcher};
use self::signature::Signers;
use crate::config::SupergraphConfig;
use crate::ports::{SourceError, SupergraphSdl, SupergraphSource};

/// How long the first pause after a failure is; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// A URL that cannot be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSourceUrl {
    /// It is none.
    #[error("{0:?} is no URL of a supergraph; write it like https://registry.example.com/supergraph.graphql")]
    Malformed(String),
    /// It has a user name or a password, which would end up in logs. They are left out here.
    #[error("the URL {0:?} has a credential in it: set that as gateway.supergraph.authorization instead")]
    Credential(String),
    /// A key that cannot verify anything.
    #[error(
        "gateway.supergraph.signature_keys: {0:?} is no public key; write it as 32 bytes of Ed25519 in base64"
    )]
    SignatureKey(String),
}

/// A supergraph behind a URL (`http` or `https`).
#[derive(Clone)]
pub struct UrlSource {
    inner: Arc<Inner>,
    config: Arc<SupergraphConfig>,
}

struct Inner {
    fetcher: Fetcher,
    /// What names the version at hand to the server.
    known: Mutex<fetch::Validators>,
    poll: Duration,
    start_timeout: Duration,
    max_backoff: Duration,
    cache: Option<PathBuf>,
}

impl UrlSource {
    /// The supergraph at `url`, asked for as the configuration says.
    pub fn try_new(url: &str, config: &SupergraphConfig) -> Result<Self, InvalidSourceUrl> {
        let uri = url.parse::<Uri>().ok().filter(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https"))
                && uri.host().is_some_and(|host| !host.is_empty())
        });
        let uri = uri.ok_or_else(|| InvalidSourceUrl::Malformed(without_credentials(url)))?;
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(InvalidSourceUrl::Credential(without_credentials(url)));
        }
        let inner = Inner {
            fetcher: Fetcher::new(uri, config, Signers::try_new(config)?),
            known: Mutex::default(),
            poll: config.poll_interval,
            start_timeout: config.start_timeout,
            max_backoff: config.max_backoff,
            cache: (!config.cache_file.is_empty()).then(|| PathBuf::from(&config.cache_file)),
        };
        Ok(Self { inner: Arc::new(inner), config: Arc::new(config.clone()) })
    }
}

fn without_credentials(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => format!("{}…{}", &url[..scheme + 3], &url[at..]),
        _ => url.to_owned(),
    }
}

#[async_trait]
impl SupergraphSource for UrlSource {
    async fn current(&self) -> Result<SupergraphSdl, SourceError> {
        let failed = match self.inner.first().await {
            Ok(supergraph) => return Ok(supergraph),
            Err(error) => error,
        };
        let Some(cache) = &self.inner.cache else { return Err(failed) };
        match fs::read_to_string(cache).await {
            Ok(sdl) => {
                tracing::warn!(error = %failed, file = %cache.display(), "starting with the supergraph that was served last");
                Ok(SupergraphSdl::hashed(sdl))
            }
            Err(error) => {
                let cache = cache.display();
                Err(SourceError { what: format!("{failed}; and none was kept in {cache} ({error})") })
            }
        }
    }

    fn changes(&self) -> BoxStream<'static, SupergraphSdl> {
        if self.inner.poll.is_zero() {
            return stream::empty().boxed();
        }
        let inner = Arc::clone(&self.inner);
        stream::unfold(inner, |inner| async move { Some((inner.next().await, inner)) }).boxed()
    }

    fn variant(&self, name: &str) -> Option<Arc<dyn SupergraphSource>> {
        if !self.config.variant_url.contains("{variant}") {
            return None;
        }
        let url = self.config.variant_url.replace("{variant}", name);
        let environment = self.config.signature_of.split('/').next().unwrap_or_default();
        let config = SupergraphConfig {
            signature_of: format!("{environment}/{name}"),
            // Whoever asks waits for it, and what was served last is of no use here.
            start_timeout: Duration::ZERO,
            cache_file: String::new(),
            ..SupergraphConfig::clone(&self.config)
        };
        Some(Arc::new(Self::try_new(&url, &config).ok()?))
    }

    async fn served(&self, supergraph: &SupergraphSdl) {
        let Some(cache) = &self.inner.cache else { return };
        if let Err(error) = keep(cache, &supergraph.sdl).await {
            tracing::warn!(%error, file = %cache.display(), "the supergraph cannot be kept for the next start");
        }
    }
}

impl Inner {
    /// The first version, tried for as long as the configuration says.
    async fn first(&self) -> Result<SupergraphSdl, SourceError> {
        let deadline = Instant::now() + self.start_timeout;
        let mut pause = FIRST_PAUSE;
        let mut tries = 0_u32;
        loop {
            tries += 1;
            let failure = match self.ask(&fetch::Validators::default()).await {
                Ok(Some(supergraph)) => return Ok(supergraph),
                Ok(None) => fetch::Failure::passing("it says that nothing changed since nothing".to_owned()),
                Err(failure) => failure,
            };
            let uri = self.fetcher.uri();
            let wait = failure.retry_after.unwrap_or(pause).min(self.max_backoff);
            if !failure.may_pass || Instant::now() + wait >= deadline {
                let times = if tries == 1 { "once".to_owned() } else { format!("{tries} times") };
                let what =
                    format!("the supergraph cannot be fetched from {uri}, tried {times}: {}", failure.what);
                return Err(SourceError { what });
            }
            tracing::warn!(%uri, error = failure.what, again_in = ?wait, "the supergraph cannot be fetched");
            sleep(wait).await;
            pause *= 2;
        }
    }

    /// The next version. Whatever fails is tried again, more and more seldom.
    async fn next(&self) -> SupergraphSdl {
        let mut pause = if self.known.lock().await.waits() { Duration::ZERO } else { self.poll };
        loop {
            sleep(pause).await;
            let known = self.known.lock().await.clone();
            match self.ask(&known).await {
                Ok(Some(supergraph)) => return supergraph,
                // Who has waited for a new version is asked again at once.
                Ok(None) => pause = if known.waits() { Duration::ZERO } else { self.poll },
                Err(failure) => {
                    let longest = self.max_backoff.max(self.poll);
                    pause = failure.retry_after.unwrap_or(pause * 2).clamp(self.poll, longest);
                    let uri = self.fetcher.uri();
                    tracing::warn!(%uri, error = failure.what, again_in = ?pause, "keeping the supergraph that is served");
                }
            }
        }
    }

    /// Asks once. `None` when nothing changed.
    async fn ask(&self, known: &fetch::Validators) -> Result<Option<SupergraphSdl>, fetch::Failure> {
        let answer = self.fetcher.fetch(known).await;
        let outcome = match &answer {
            Ok(Answer::New { .. }) => "ok",
            Ok(Answer::Unchanged) => "unchanged",
            Err(_) => "error",
        };
        counter!("pulse_gateway_supergraph_fetches_total", "outcome" => outcome).increment(1);
        match answer? {
            Answer::Unchanged => Ok(None),
            Answer::New { sdl, validators } => {
                *self.known.lock().await = validators;
                Ok(Some(SupergraphSdl::hashed(sdl)))
            }
        }
    }
}

/// Writes beside the file first, so that it is never half a supergraph.
async fn keep(path: &Path, sdl: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).await?;
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    fs::write(&beside, sdl).await?;
    fs::rename(&beside, path).await
}
