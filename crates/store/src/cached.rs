//! Reads whose answers are kept.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use futures::future::BoxFuture;
use pulse_cache::{Answer, Cache, Fresh, Json, Key, Loaded, Lookup, Reload, Space};
use pulse_types::{Caller, Tag};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Session, StoreError, Tags};

/// Reads by key whose answers are kept, and told to those in the same tenant, or the same caller, who ask for the same.
/// Whoever reads so has asked before whether the caller may.
pub struct CachedRead<K, V> {
    /// What metrics call it, and the shape of what is kept.
    pub space: Space,
    /// For whom an answer is the same.
    pub scope: Scope,
    /// What was read is made of.
    pub tagging: Tagging<K, V>,
    /// Reads; what is missing in the answer does not exist.
    pub load: Load<K, V>,
}

type Load<K, V> = for<'s> fn(&'s Session, Vec<K>) -> BoxFuture<'s, Result<HashMap<K, V>, StoreError>>;

/// For whom an answer is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// For all in the tenant: nothing in the reads depends on who asks but their tenant. What a narrowed caller reads is neither
    /// taken from there nor kept.
    Tenant,
    /// For callers who are equal as a whole.
    Caller,
}

/// What the answer for one key is made of.
pub enum Tagging<K, V> {
    /// This says so, of who asked, a key and what was found for it.
    By(fn(&Caller, &K, Option<&V>) -> Vec<Tag>),
    /// All that the read tags. Keys are read one by one.
    Collected,
}

type Found<V> = Json<Option<V>>;

impl Session {
    /// What there is for `keys`: what is kept, or what is read now and kept from then on. It is as new as what this caller
    /// has last written, and not older than what was heard of the writes of others. It is tagged as if it had been read.
    pub async fn read_through<K, V>(
        &self,
        read: &'static CachedRead<K, V>,
        keys: Vec<K>,
    ) -> Result<HashMap<K, V>, StoreError>
    where
        K: Clone + Eq + Hash + Serialize + DeserializeOwned + Send + Sync + 'static,
        V: Clone + Serialize + DeserializeOwned + Send + Sync + 'static,
    {
        let kept_under = match self.store().cache() {
            Some(cache) => {
                keys.iter().map(|key| read.key(self, key)).collect::<Option<_>>().map(|names| (cache, names))
            }
            None => None,
        };
        let Some((cache, names)) = kept_under else { return (read.load)(self, keys).await };
        let lookup = Lookup::new(read.space, self.freshness(cache).await).reloaded(read.reload(self));
        let answers: Vec<Answer<Found<V>>> = self.look_up(read, cache, &lookup, names).await?;
        let mut found = HashMap::with_capacity(keys.len());
        for (key, Answer { value: Json(value), tags, was_kept: _ }) in keys.into_iter().zip(answers) {
            self.tag_all(tags.iter().cloned());
            if let Some(value) = value {
                found.insert(key, value);
            }
        }
        Ok(found)
    }

    async fn look_up<K, V>(
        &self,
        read: &'static CachedRead<K, V>,
        cache: &Cache,
        lookup: &Lookup<'_>,
        names: Vec<Key>,
    ) -> Result<Vec<Answer<Found<V>>>, StoreError>
    where
        K: Clone + Eq + Hash + Serialize + DeserializeOwned + Send + Sync + 'static,
        V: Clone + Serialize + DeserializeOwned + Send + Sync + 'static,
    {
        let load = |names: Vec<Key>| async move {
            let mark = self.mark(cache).await;
            let keys = names.iter().map(|name| read.key_of(name)).collect::<Result<_, _>>()?;
            Ok(Loaded { mark, values: read.fresh(self, keys).await? })
        };
        cache.get_or_load_many(lookup, names, load).await
    }
}

impl<K, V> CachedRead<K, V>
where
    K: Clone + Eq + Hash + Serialize + DeserializeOwned + Send + Sync + 'static,
    V: Clone + Serialize + DeserializeOwned + Send + Sync + 'static,
{
    /// What an answer is kept under; `None` for callers without a tenant, or who do not see all of it, where answers are the
    /// tenant's.
    fn key(&self, session: &Session, key: &K) -> Option<Key> {
        let what = serde_json::to_string(key).ok()?;
        match self.scope {
            Scope::Tenant if session.caller().is_narrowed() => None,
            Scope::Tenant => session.caller().org.map(|org| Key::of_tenant(org, what)),
            Scope::Caller => Some(Key::of_caller(session.caller(), what)),
        }
    }

    /// The key that an answer is kept under.
    fn key_of(&self, name: &Key) -> Result<K, StoreError> {
        serde_json::from_str(name.what()).map_err(|error| StoreError::Inconsistent {
            table: self.space.name(),
            column: "key",
            row: name.what().to_owned(),
            problem: error.to_string(),
        })
    }

    /// Reads again what many ask for, in a snapshot of its own.
    fn reload(&'static self, session: &Session) -> Reload {
        let (store, caller) = (session.store().clone(), session.shared_caller());
        Arc::new(move |name| {
            let session = store.session(Arc::clone(&caller));
            Box::pin(async move {
                let Some(cache) = session.store().cache() else { return };
                let lookup =
                    Lookup::new(self.space, pulse_cache::Freshness::AsHeard).reloaded(self.reload(&session));
                let read = session.look_up(self, cache, &lookup.again(), vec![name]).await;
                if let Err(error) = read {
                    tracing::debug!(%error, space = self.space.name(), "a value was not read again");
                }
            })
        })
    }

    async fn fresh(&self, session: &Session, keys: Vec<K>) -> Result<Vec<Fresh<Found<V>>>, StoreError> {
        let mut values = Vec::with_capacity(keys.len());
        match self.tagging {
            Tagging::By(tags) => {
                let mut found = (self.load)(&session.silent(), keys.clone()).await?;
                for key in keys {
                    let value = found.remove(&key);
                    let tags = tags(session.caller(), &key, value.as_ref());
                    values.push(Fresh::new(Json(value), tags));
                }
            }
            Tagging::Collected => {
                for key in keys {
                    let tags = Arc::<Tags>::default();
                    let collecting = session.silent().collecting(Arc::clone(&tags));
                    let mut found = (self.load)(&collecting, vec![key.clone()]).await?;
                    values.push(Fresh::new(Json(found.remove(&key)), tags.collected()));
                }
            }
        }
        Ok(values)
    }
}
