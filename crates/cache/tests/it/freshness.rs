//! An answer is never older than what its caller has written, through whatever process.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::{BoxFuture, join_all};
use pulse_cache::{CacheOptions, Freshness, Lookup, Miss, OwnWrites, Unheard};
use pulse_types::{Caller, RequestId, Subject, UserId};
use uuid::Uuid;

use crate::fixture::{SPACE, Source, begun, key, options, org, row};

/// What others have written.
#[derive(Default)]
struct Others {
    unheard: Mutex<Option<Unheard>>,
    asked: AtomicUsize,
}

impl OwnWrites for Others {
    fn unheard(&self, position: i64) -> BoxFuture<'_, Option<Unheard>> {
        assert_eq!(position, 1);
        Box::pin(async move {
            self.asked.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            self.unheard.lock().expect("nobody panics with it").clone()
        })
    }
}

fn user(number: u128) -> Caller {
    let mut caller = Caller::system(org(1), RequestId::from_uuid(Uuid::from_u128(1)));
    caller.subject = Subject::User(UserId::from_uuid(Uuid::from_u128(number)));
    caller
}

#[tokio::test]
async fn who_has_written_what_was_not_heard_of_is_not_answered_with_what_was_kept() {
    let others = Arc::new(Others::default());
    *others.unheard.lock().unwrap() = Some(Unheard::default());
    let cache = begun(CacheOptions { own_writes: Some(Arc::clone(&others) as _), ..options() });
    let source = Source::default();
    let (writer, reader) = (user(1), user(2));
    let get = async |caller: &Caller| {
        let lookup = Lookup::new(SPACE, Freshness::OwnWrites(caller));
        source.look(&cache, &lookup, key("a"), &[row(1)]).await
    };
    assert_eq!(get(&writer).await, "load 1");
    let actors = [writer.user()].into_iter().collect();
    *others.unheard.lock().unwrap() = Some(Unheard { actors, everybody: false });
    assert_eq!(get(&writer).await, "load 2");
    assert_eq!(get(&reader).await, "load 1", "others may get what was kept");
    *others.unheard.lock().unwrap() = Some(Unheard { everybody: true, ..Unheard::default() });
    assert_eq!(get(&reader).await, "load 3");
    *others.unheard.lock().unwrap() = None;
    assert_eq!(get(&reader).await, "load 4", "nobody knows");
    *others.unheard.lock().unwrap() = Some(Unheard::default());
    assert_eq!(get(&writer).await, "load 1");
    assert_eq!(cache.statistics().misses(Miss::BehindOwnWrite), 3);
}

#[tokio::test]
async fn those_who_come_together_are_asked_about_together() {
    let others = Arc::new(Others::default());
    *others.unheard.lock().unwrap() = Some(Unheard::default());
    let cache = begun(CacheOptions { own_writes: Some(Arc::clone(&others) as _), ..options() });
    let caller = user(1);
    let fresh = join_all((0..100).map(|_| cache.is_fresh(Freshness::OwnWrites(&caller)))).await;
    assert!(fresh.into_iter().all(|fresh| fresh));
    // One for the first, and one for those who came when it had been asked already.
    assert!(others.asked.load(Ordering::SeqCst) <= 2);
    assert!(cache.is_fresh(Freshness::OwnWrites(&caller)).await);
    assert!(others.asked.load(Ordering::SeqCst) >= 2, "an answer from before is no answer");
    assert!(!cache.is_fresh(Freshness::Behind).await);
}
