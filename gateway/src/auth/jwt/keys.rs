//! An issuer's public keys: fetched, kept while the issuer is down, and fetched again when a token names another.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::fetch::{FetchError, KeySource};

/// How long after a failed fetch, while there are no keys at all, another may be tried.
const FIRST_RETRY: Duration = Duration::from_secs(1);

/// A public key.
pub(super) struct Key {
    id: Option<String>,
    /// The only algorithm that it is for, when it says so.
    algorithm: Option<KeyAlgorithm>,
    pub(super) decoding: DecodingKey,
}

/// The keys of one issuer.
pub(super) struct Keys {
    source: KeySource,
    cooldown: Duration,
    known: ArcSwapOption<Vec<Key>>,
    /// When the last fetch began. Whoever holds it fetches; the others wait for what comes of that.
    fetched: Mutex<Option<Instant>>,
}

/// What the keys have for a token.
pub(super) enum Found {
    /// Keys that may have signed it.
    Keys(Arc<Vec<Key>>, Vec<usize>),
    /// The issuer has no such key.
    Nothing,
    /// Nobody knows: the keys could not be fetched yet.
    NotLoaded,
}

impl Keys {
    pub(super) fn new(source: KeySource, cooldown: Duration) -> Self {
        Self { source, cooldown, known: ArcSwapOption::empty(), fetched: Mutex::new(None) }
    }

    /// Whether they are in a file, which is there or not, whenever one looks.
    pub(super) const fn is_in_file(&self) -> bool {
        self.source.is_file()
    }

    /// Keys for a token that names this key and algorithm. One that is not known is looked for at the issuer, but not more
    /// often than the cool-down allows.
    pub(super) async fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Found {
        match self.look_up(id, algorithm) {
            Found::Keys(keys, matching) => Found::Keys(keys, matching),
            Found::Nothing => {
                self.fetch_unless_within(self.cooldown).await;
                self.look_up(id, algorithm)
            }
            Found::NotLoaded => {
                self.fetch_unless_within(FIRST_RETRY.min(self.cooldown)).await;
                self.look_up(id, algorithm)
            }
        }
    }

    fn look_up(&self, id: Option<&str>, algorithm: Algorithm) -> Found {
        let Some(keys) = self.known.load_full() else { return Found::NotLoaded };
        let fits = |key: &Key| {
            key.decoding.family() == algorithm.family()
                && key.algorithm.is_none_or(|own| own == KeyAlgorithm::from(algorithm))
                && (id.is_none() || key.id.as_deref() == id)
        };
        let matching: Vec<_> =
            keys.iter().enumerate().filter(|(_, key)| fits(key)).map(|(index, _)| index).collect();
        if matching.is_empty() { Found::Nothing } else { Found::Keys(keys, matching) }
    }

    async fn fetch_unless_within(&self, pause: Duration) {
        let mut fetched = self.fetched.lock().await;
        if fetched.is_none_or(|at| at.elapsed() >= pause) {
            *fetched = Some(Instant::now());
            // What went wrong is in the log; the keys that are known stay.
            let _told: Result<(), FetchError> = self.fetch().await;
        }
    }

    /// Fetches the keys anew.
    pub(super) async fn refresh(&self) -> Result<(), FetchError> {
        let mut fetched = self.fetched.lock().await;
        *fetched = Some(Instant::now());
        self.fetch().await
    }

    async fn fetch(&self) -> Result<(), FetchError> {
        let fetched = self.source.fetch().await.and_then(|body| parse(&body));
        match fetched {
            Ok(keys) => {
                tracing::debug!(source = %self.source, keys = keys.len(), "fetched an issuer's keys");
                self.known.store(Some(Arc::new(keys)));
                Ok(())
            }
            Err(error) => {
                let kept = self.known.load().is_some();
                tracing::warn!(source = %self.source, %error, kept, "an issuer's keys could not be fetched");
                Err(error)
            }
        }
    }
}

/// Reads a JSON Web Key Set (RFC 7517 §5). Keys that are not for verifying, or of a kind that is not known here, are left
/// out; secrets are, too.
fn parse(body: &[u8]) -> Result<Vec<Key>, FetchError> {
    #[derive(serde::Deserialize)]
    struct Set {
        keys: Vec<serde_json::Value>,
    }
    let set: Set = serde_json::from_slice(body).map_err(|error| FetchError::NoKeySet(error.to_string()))?;
    let keys: Vec<Key> = set.keys.into_iter().filter_map(key).collect();
    if keys.is_empty() { Err(FetchError::NoKeys) } else { Ok(keys) }
}

fn key(key: serde_json::Value) -> Option<Key> {
    let key: Jwk = serde_json::from_value(key).ok()?;
    let is_public = matches!(
        key.algorithm,
        AlgorithmParameters::RSA(_)
            | AlgorithmParameters::EllipticCurve(_)
            | AlgorithmParameters::OctetKeyPair(_)
    );
    let is_for_signatures =
        key.common.public_key_use.as_ref().is_none_or(|usage| *usage == PublicKeyUse::Signature);
    let decoding = (is_public && is_for_signatures).then(|| DecodingKey::from_jwk(&key).ok()).flatten()?;
    Some(Key { id: key.common.key_id, algorithm: key.common.key_algorithm, decoding })
}
