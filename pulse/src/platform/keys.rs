//! Keys of access tokens in processes that verify them: from the database, or from the process that has it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pulse_accounts::{KEYS_PATH, SigningKeys};
use pulse_tokens::{AccessTokens, KeySet};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

use super::apart::ProcessApart;

/// A key that is not known is looked for no more often than this, however many tokens name one.
const PAUSE: Duration = Duration::from_secs(5);

/// How often a gateway apart fetches the keys anyway: one that was thrown away must not be believed for long.
const REFETCH: Duration = Duration::from_secs(30);

/// Where the keys come from.
#[async_trait]
pub trait KeySource: Send + Sync {
    /// Puts the keys of now in the place of those of before; the error says why these stay.
    async fn refresh(&self) -> Result<(), String>;
}

/// The database of this process.
#[async_trait]
impl KeySource for SigningKeys {
    async fn refresh(&self) -> Result<(), String> {
        Self::refresh(self).await.map_err(|error| with_causes(&error))
    }
}

/// The key set of the subgraph `accounts` in another process.
pub(super) struct KeysApart {
    pub(super) accounts: ProcessApart,
    pub(super) tokens: AccessTokens,
}

#[async_trait]
impl KeySource for KeysApart {
    async fn refresh(&self) -> Result<(), String> {
        let keys: KeySet = self.accounts.ask(KEYS_PATH, None).await?;
        if keys.ids().next().is_none() {
            return Err("it has no keys".to_owned());
        }
        self.tokens.replace(None, keys).map_err(|error| error.to_string())
    }
}

/// Looks for keys that are not known.
pub struct NewerKeys {
    source: Arc<dyn KeySource>,
    pause: Duration,
    /// When somebody looked last. Whoever holds it looks; the others wait for what comes of that.
    looked: Mutex<Option<Instant>>,
}

impl NewerKeys {
    /// Looks there.
    pub fn new(source: Arc<dyn KeySource>) -> Self {
        Self::pausing(source, PAUSE)
    }

    fn pausing(source: Arc<dyn KeySource>, pause: Duration) -> Self {
        Self { source, pause, looked: Mutex::new(None) }
    }

    /// Looks, unless that was done a moment ago.
    pub async fn look(&self) {
        let mut looked = self.looked.lock().await;
        if looked.is_none_or(|at| at.elapsed() >= self.pause) {
            if let Err(error) = self.source.refresh().await {
                tracing::warn!(error, "a token names an unknown key, and newer keys cannot be had");
            }
            // Those who have waited meanwhile do not look again, however long it took.
            *looked = Some(Instant::now());
        }
    }
}

/// Fetches the keys again and again, for ever.
pub(super) async fn keep_fresh(source: Arc<dyn KeySource>) {
    loop {
        sleep(REFETCH).await;
        if let Err(error) = source.refresh().await {
            tracing::warn!(error, "the keys of access tokens cannot be fetched; those that are known stay");
        }
    }
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[derive(Default)]
    struct Counting(AtomicUsize);

    #[async_trait]
    impl KeySource for Counting {
        async fn refresh(&self) -> Result<(), String> {
            self.0.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            Ok(())
        }
    }

    #[tokio::test]
    async fn however_many_tokens_name_an_unknown_key_it_is_looked_for_once_in_a_while() {
        let source = Arc::<Counting>::default();
        let newer = NewerKeys::pausing(Arc::clone(&source) as _, Duration::from_hours(1));
        tokio::join!(newer.look(), newer.look(), newer.look());
        assert_eq!(source.0.load(Ordering::SeqCst), 1);
        // The pause is over at once.
        let newer = NewerKeys::pausing(Arc::clone(&source) as _, Duration::ZERO);
        newer.look().await;
        newer.look().await;
        assert_eq!(source.0.load(Ordering::SeqCst), 3);
    }
}
