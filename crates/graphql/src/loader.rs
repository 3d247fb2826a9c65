//! Reads by key: all keys that one turn of a request asks for, in one statement.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use pulse_store::StoreError;
use tokio::sync::OnceCell;

/// Where a [`Loader`] gets its values from.
pub trait Batch<K>: Send + Sync + 'static {
    /// What stands behind a key.
    type Value: Clone + Send + Sync + 'static;

    /// The values of `keys`, which are distinct. What is missing in the answer does not exist.
    fn load(&self, keys: Vec<K>) -> impl Future<Output = Result<HashMap<K, Self::Value>, StoreError>> + Send;
}

/// Collects keys and loads them together.
///
/// All fields of one GraphQL request run in one task. A field that asks for a key lets its task run on, turn by turn,
/// until a turn brings no further key, so every sibling has asked before the first one loads: no timer, no extra task.
/// The number of statements follows from the shape of the query, not from the number of rows; branches of different
/// depth that need the same kind of thing may load it once each. Loaders are made per request and so carry the caller.
pub struct Loader<K, B: Batch<K>> {
    source: B,
    gathering: Mutex<Gathering<K, B::Value>>,
}

/// The keys that join now, if any have.
type Gathering<K, V> = Option<Arc<Gathered<K, V>>>;

struct Gathered<K, V> {
    keys: Mutex<Vec<K>>,
    values: OnceCell<Result<HashMap<K, V>, StoreError>>,
}

impl<K: Clone + Eq + Hash + Send + Sync + 'static, B: Batch<K>> Loader<K, B> {
    /// A loader of what `source` has.
    pub const fn new(source: B) -> Self {
        Self { source, gathering: Mutex::new(None) }
    }

    /// The value of `key`, or `None` when there is none.
    pub async fn load(&self, key: K) -> Result<Option<B::Value>, StoreError> {
        // Tokio would hold back those that wait for the same load after the first 128 or so, and what they ask for
        // next would be loads of its own. Boxed, because a field's future is moved for every value.
        Box::pin(tokio::task::unconstrained(self.load_together(key))).await
    }

    async fn load_together(&self, key: K) -> Result<Option<B::Value>, StoreError> {
        let gathered = self.join(key.clone());
        let mut known = 0;
        loop {
            let now = gathered.len();
            // Whoever does not wait for the load from its first turn on gets behind the others when it is a short one.
            if now == known || now == 0 {
                break;
            }
            known = now;
            tokio::task::yield_now().await;
        }
        self.close(&gathered);
        let values = gathered.values.get_or_init(|| self.source.load(gathered.take_keys())).await;
        match values {
            Ok(values) => Ok(values.get(&key).cloned()),
            Err(error) => Err(error.clone()),
        }
    }

    /// Adds `key` to those that are loaded next.
    fn join(&self, key: K) -> Arc<Gathered<K, B::Value>> {
        let mut gathering = self.gathering.lock().unwrap_or_else(PoisonError::into_inner);
        let gathered = gathering.get_or_insert_with(|| {
            Arc::new(Gathered { keys: Mutex::new(Vec::new()), values: OnceCell::new() })
        });
        gathered.keys.lock().unwrap_or_else(PoisonError::into_inner).push(key);
        Arc::clone(gathered)
    }

    /// Lets no further key join `gathered`.
    fn close(&self, gathered: &Arc<Gathered<K, B::Value>>) {
        let mut gathering = self.gathering.lock().unwrap_or_else(PoisonError::into_inner);
        if gathering.as_ref().is_some_and(|current| Arc::ptr_eq(current, gathered)) {
            gathering.take();
        }
    }
}

impl<K: Clone + Eq + Hash, V> Gathered<K, V> {
    /// How many keys have joined; 0 when they are being loaded.
    fn len(&self) -> usize {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn take_keys(&self) -> Vec<K> {
        let mut keys = std::mem::take(&mut *self.keys.lock().unwrap_or_else(PoisonError::into_inner));
        let mut seen = std::collections::HashSet::with_capacity(keys.len());
        keys.retain(|key| seen.insert(key.clone()));
        keys
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::future::join_all;

    use super::*;

    #[derive(Default)]
    struct Squares {
        loads: Arc<AtomicUsize>,
    }

    impl Batch<u32> for Squares {
        type Value = u32;

        async fn load(&self, keys: Vec<u32>) -> Result<HashMap<u32, u32>, StoreError> {
            self.loads.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            Ok(keys.into_iter().filter(|key| *key != 13).map(|key| (key, key * key)).collect())
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn keys_of_one_turn_are_loaded_together() {
        let source = Squares::default();
        let loads = Arc::clone(&source.loads);
        let loader = Loader::new(source);
        let values = join_all((0..500).map(|key| loader.load(key % 50))).await;
        assert_eq!(loads.load(Ordering::SeqCst), 1);
        assert_eq!(values[7].clone().expect("no store here"), Some(49));
        assert_eq!(values[13].clone().expect("no store here"), None);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_long_list_of_long_lists_is_one_load_a_level() {
        let (outer, inner) = (Squares::default(), Squares::default());
        let loads = [Arc::clone(&outer.loads), Arc::clone(&inner.loads)];
        let (outer, inner) = (Loader::new(outer), Loader::new(inner));
        let lists = (14..514).map(|key| {
            let (outer, inner) = (&outer, &inner);
            async move {
                outer.load(key).await.expect("no store here").expect("exists");
                join_all((0..40).map(|n| inner.load(key * 40 + n))).await
            }
        });
        let values = join_all(lists).await;
        assert_eq!(values.iter().flatten().filter(|value| matches!(value, Ok(Some(_)))).count(), 500 * 40);
        assert_eq!(loads.map(|loads| loads.load(Ordering::SeqCst)), [1, 1]);
    }

    /// Has everything at hand, as a database that answers within a turn.
    struct AtHand(Arc<AtomicUsize>);

    impl Batch<u32> for AtHand {
        type Value = u32;

        async fn load(&self, keys: Vec<u32>) -> Result<HashMap<u32, u32>, StoreError> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Ok(keys.into_iter().map(|key| (key, key + 1)).collect())
        }
    }

    #[tokio::test]
    async fn whoever_did_not_begin_a_short_load_keeps_up_with_who_did() {
        for count in [2, 4, 30, 31, 100] {
            let [outer, inner] = [(); 2].map(|()| Arc::<AtomicUsize>::default());
            let loads = [Arc::clone(&outer), Arc::clone(&inner)];
            let (outer, inner) = (Loader::new(AtHand(outer)), Loader::new(AtHand(inner)));
            let nested = |key| {
                let (outer, inner) = (&outer, &inner);
                async move {
                    let next = outer.load(key).await.expect("no store here").expect("exists");
                    inner.load(next).await.expect("no store here")
                }
            };
            let values = join_all((0..count).map(nested)).await;
            assert_eq!(values[1], Some(3));
            assert_eq!(loads.map(|loads| loads.load(Ordering::SeqCst)), [1, 1], "{count}");
        }
    }

    #[tokio::test]
    async fn later_keys_are_another_load() {
        let source = Squares::default();
        let loads = Arc::clone(&source.loads);
        let loader = Loader::new(source);
        let nested = |key| {
            let loader = &loader;
            async move {
                let first = loader.load(key).await.expect("no store here").expect("exists");
                loader.load(first).await.expect("no store here")
            }
        };
        let values = join_all((1..10).map(nested)).await;
        assert_eq!(values[1], Some(16));
        assert_eq!(loads.load(Ordering::SeqCst), 2);
    }
}
