//! The keys that access tokens are signed with: kept sealed in the database, and replaced from time to time with an overlap, so
//! that no token is refused before its time (ADR 36).

mod repo;
mod timeline;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use pulse_sealing::{OpenError, Place, Sealer};
use pulse_store::{AuditFact, Session, Store, StoreError, Write};
use pulse_tokens::{AccessTokens, KeySet, PublicKey, SigningKey, TokenError};
use pulse_types::{Caller, RequestId};
use tokio::sync::Mutex;
use uuid::Uuid;

use self::repo::KeyRow;
use self::timeline::Timeline;
use crate::SigningKeysConfig;

const SUBJECT: &str = "accounts.signing_key";

const PLACE: Place = Place { owner: Uuid::nil(), column: "accounts.signing_keys.seed", row: Uuid::nil() };

/// Why the keys of access tokens are not known, or stay as they are.
#[derive(Debug, thiserror::Error)]
pub enum SigningKeysError {
    /// The database.
    #[error("the keys of access tokens cannot be read or written")]
    Store(#[from] StoreError),
    /// What is stored is no key.
    #[error("accounts.signing_keys has a key that is none: {kid}")]
    Malformed {
        /// What tokens call it.
        kid: String,
        /// What is wrong with it.
        source: TokenError,
    },
    /// The private key is there, and this process cannot read it: it signs nobody in.
    #[error(
        "accounts.signing_keys has the private key {kid} sealed, and it does not open; `pulse keys rotate --now` makes another one"
    )]
    Sealed {
        /// What tokens call it.
        kid: String,
        /// Why.
        source: OpenError,
    },
    /// A new key could not be made, or is not taken.
    #[error("a key of access tokens cannot be used")]
    Unusable(#[source] TokenError),
    /// The private key is another one's.
    #[error("accounts.signing_keys has a private key that is not that of {0}")]
    Mismatch(String),
}

/// How soon a new key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// When everybody who verifies has had the time to hear of it; tokens of the old key are accepted until they end.
    WithOverlap,
    /// At once, and nothing that another key has signed is accepted any more: for when a key was stolen. Everybody has to
    /// refresh the session.
    AtOnce,
}

/// What became of a rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotated {
    /// What tokens call the newest key.
    pub kid: String,
    /// From when on it signs.
    pub active_from: DateTime<Utc>,
    /// Whether this rotation has made it; else another one has, meanwhile or before, and it is not active yet.
    pub is_new: bool,
}

/// A key, for who runs the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedKey {
    /// What tokens call it.
    pub kid: String,
    /// From when on it signs, or did.
    pub active_from: DateTime<Utc>,
    /// What it does now.
    pub state: KeyState,
}

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// It will sign, and is published.
    Next,
    /// It signs.
    Current,
    /// It signs no more, and its tokens are good until they end.
    Retired,
    /// Nothing of it is accepted.
    Over,
}

/// The keys in the database, and the tokens that are made and verified with them.
pub struct SigningKeys {
    store: Store,
    sealer: Sealer,
    tokens: AccessTokens,
    config: SigningKeysConfig,
    /// What is the first key, if there is none yet.
    first: Option<SigningKey>,
    /// One reads at a time, so that nobody puts older keys in the place of newer ones.
    reading: Mutex<()>,
}

impl SigningKeys {
    /// Keys for `tokens`, whose own private key is the first one where the database has none.
    pub fn new(store: Store, sealer: Sealer, tokens: AccessTokens, config: SigningKeysConfig) -> Self {
        let first = tokens.signing_key();
        Self { store, sealer, tokens, config, first, reading: Mutex::new(()) }
    }

    /// Reads the keys, makes a new one if that is due, and uses them from now on.
    pub async fn refresh(&self) -> Result<(), SigningKeysError> {
        let _alone = self.reading.lock().await;
        let mut rows = repo::all(&self.nobody()).await?;
        if Timeline::new(&rows).is_due(self.store.clock().now(), self.rule()) {
            let mut write = self.nobody().write().await?;
            rows = repo::lock_in_tx(&mut write).await?;
            let now = write.now();
            // Whoever came first has made it.
            if Timeline::new(&rows).is_due(now, self.rule()) {
                let (key, from) = match &self.first {
                    Some(first) if rows.is_empty() => (first.clone(), now),
                    _ if rows.is_empty() => (random()?, now),
                    _ => (random()?, now + self.rule().1),
                };
                self.add(write, &mut rows, (key, from)).await?;
            }
        }
        self.put_to_use(&rows)
    }

    /// Makes a new key. Of two who ask at once one makes it, and the other is told of it.
    pub async fn rotate(&self, how: Rotation) -> Result<Rotated, SigningKeysError> {
        let newest = |rows: &[KeyRow]| rows.last().map(|row| row.kid.clone());
        let before = newest(&repo::all(&self.nobody()).await?);
        let mut write = self.nobody().write().await?;
        let mut rows = repo::lock_in_tx(&mut write).await?;
        let now = write.now();
        let other = match how {
            Rotation::WithOverlap => Timeline::new(&rows).next(now),
            Rotation::AtOnce => rows.last().filter(|_| newest(&rows) != before),
        };
        if let Some(KeyRow { kid, active_from, .. }) = other {
            return Ok(Rotated { kid: kid.clone(), active_from: *active_from, is_new: false });
        }
        let active_from = match how {
            Rotation::WithOverlap if !rows.is_empty() => now + self.rule().1,
            _ => now,
        };
        if how == Rotation::AtOnce {
            let all: Vec<_> = rows.iter().map(|row| row.kid.as_str()).collect();
            repo::remove_in_tx(&mut write, &all).await?;
            rows.clear();
        }
        let kid = self.add(write, &mut rows, (random()?, active_from)).await?;
        self.put_to_use(&rows)?;
        Ok(Rotated { kid, active_from, is_new: true })
    }

    /// Every key that is kept, in the order of becoming active.
    pub async fn list(&self) -> Result<Vec<ListedKey>, SigningKeysError> {
        let rows = repo::all(&self.nobody()).await?;
        let (now, timeline) = (self.store.clock().now(), Timeline::new(&rows));
        let current = timeline.current(now).map(|row| row.kid.clone());
        let accepted: Vec<_> = timeline.accepted(now).map(|row| row.kid.clone()).collect();
        let listed = rows.iter().map(|KeyRow { kid, active_from, .. }| {
            let state = match () {
                () if current.as_ref() == Some(kid) => KeyState::Current,
                () if *active_from > now => KeyState::Next,
                () if accepted.contains(kid) => KeyState::Retired,
                () => KeyState::Over,
            };
            ListedKey { kid: kid.clone(), active_from: *active_from, state }
        });
        Ok(listed.collect())
    }

    /// Reads the keys again and again, for ever, so that what another process has made is known, signs when its time comes,
    /// and is replaced when that is due.
    pub async fn keep_fresh(self: Arc<Self>) {
        loop {
            tokio::time::sleep(self.config.reread_every).await;
            if let Err(error) = self.refresh().await {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "the keys of access tokens stay as they are");
            }
        }
    }

    /// Adds a key, commits, and forgets what nothing stands on any more; what tokens call it.
    async fn add(
        &self,
        mut write: Write,
        rows: &mut Vec<KeyRow>,
        (key, active_from): (SigningKey, DateTime<Utc>),
    ) -> Result<String, SigningKeysError> {
        let kid = key.public().id().to_owned();
        let row = KeyRow {
            kid: kid.clone(),
            public_key: key.public().as_str().to_owned(),
            seed: self.sealer.seal(&key.to_base64(), PLACE),
            created_at: write.now(),
            active_from,
        };
        repo::insert_in_tx(&mut write, &row).await?;
        let over: Vec<String> = Timeline::new(rows).over(write.now()).map(|row| row.kid.clone()).collect();
        let kids: Vec<_> = over.iter().map(String::as_str).collect();
        repo::remove_in_tx(&mut write, &kids).await?;
        let action = "signing_key:create";
        write.commit(AuditFact { action, subject: SUBJECT, key: None, version: None, items: 1 }).await?;
        rows.retain(|row| !over.contains(&row.kid));
        rows.push(row);
        tracing::info!(kid, %active_from, "made a key for access tokens");
        Ok(kid)
    }

    fn put_to_use(&self, rows: &[KeyRow]) -> Result<(), SigningKeysError> {
        let (now, timeline) = (self.store.clock().now(), Timeline::new(rows));
        let parse = |row: &KeyRow| {
            let kid = || row.kid.clone();
            let key = PublicKey::parse(&row.public_key)
                .map_err(|source| SigningKeysError::Malformed { kid: kid(), source })?;
            if key.id() == row.kid { Ok(key) } else { Err(SigningKeysError::Mismatch(kid())) }
        };
        let public: Vec<_> = timeline.accepted(now).map(parse).collect::<Result<_, _>>()?;
        let signing = timeline.current(now).map(|row| self.open(row)).transpose();
        let (signing, unreadable) = match signing {
            Ok(signing) => (signing, None),
            // What was signed elsewhere is verified nevertheless.
            Err(error) => (None, Some(error)),
        };
        self.tokens.replace(signing, KeySet::new(&public)).map_err(SigningKeysError::Unusable)?;
        unreadable.map_or(Ok(()), Err)
    }

    fn open(&self, row: &KeyRow) -> Result<SigningKey, SigningKeysError> {
        let kid = || row.kid.clone();
        let seed = self.sealer.open(&row.seed, PLACE);
        let seed = seed.map_err(|source| SigningKeysError::Sealed { kid: kid(), source })?;
        let key = SigningKey::from_base64(&seed);
        let key = key.map_err(|source| SigningKeysError::Malformed { kid: kid(), source })?;
        if key.public().id() == row.kid { Ok(key) } else { Err(SigningKeysError::Mismatch(kid())) }
    }

    /// Every how long a key is replaced, and how long ahead the next one is published.
    fn rule(&self) -> (TimeDelta, TimeDelta) {
        let SigningKeysConfig { rotate_every, publish_ahead, reread_every: _ } = self.config;
        let delta = |time| TimeDelta::from_std(time).unwrap_or(TimeDelta::days(90));
        (delta(rotate_every), delta(publish_ahead))
    }

    fn nobody(&self) -> Session {
        let request = RequestId::new(self.store.clock().now());
        self.store.session(Arc::new(Caller::anonymous(request)))
    }
}

/// Seals with the key of now those that another one has sealed and that open; how many.
pub(crate) async fn reseal(store: &Store, sealer: &Sealer) -> Result<u64, StoreError> {
    let nobody = store.session(Arc::new(Caller::process(RequestId::new(store.clock().now()))));
    let mut write = nobody.write().await?;
    let mut anew = 0;
    for KeyRow { kid, seed, .. } in repo::lock_in_tx(&mut write).await? {
        if seed.starts_with(&sealer.beginning()) {
            continue;
        }
        match sealer.open(&seed, PLACE) {
            Ok(secret) => {
                repo::reseal_in_tx(&mut write, &kid, &sealer.seal(&secret, PLACE)).await?;
                anew += 1;
            }
            Err(error) => tracing::error!(kid, %error, "a key that signs tokens cannot be sealed anew"),
        }
    }
    if anew > 0 {
        let items = i32::try_from(anew).unwrap_or(i32::MAX);
        let (action, subject) = ("signing_key:reseal", SUBJECT);
        write.commit(AuditFact { action, subject, key: None, version: None, items }).await?;
    }
    Ok(anew)
}

fn random() -> Result<SigningKey, SigningKeysError> {
    SigningKey::random().map_err(SigningKeysError::Unusable)
}
