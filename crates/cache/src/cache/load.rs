//! Looking up, and loading what is not there.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use pulse_types::{ProcessId, Tag};

use super::lookup::Keep;
use super::{Answer, Cache, Fresh, Loaded, Lookup, number};
use crate::entry::{Content, Entry};
use crate::feed::{CHECKED, Mark};
use crate::flights::{Flight, Landed};
use crate::key::{Key, Place, Space};
use crate::redis::{Claim, Head, Put, Redis, Stored};
use crate::statistics::{Level, Miss};
use crate::value::CacheValue;

/// How often others are waited for that load the same, before everybody loads their own.
const ROUNDS: usize = 3;

/// How long another process is waited for that loads the same: between one look and the next.
const PATIENCE_MS: [u64; 5] = [5, 10, 20, 40, 80];

/// What an entry takes beside its value and tags, about.
const OVERHEAD: usize = 400;
const OF_TAG: usize = 200;

/// A key that is to be loaded here, and its place among the keys.
struct Ours {
    at: usize,
    flight: Flight,
}

/// The keys of one look-up, and the answers so far.
struct Looking<'l, V> {
    lookup: &'l Lookup<'l>,
    places: Vec<Place>,
    answers: Vec<Option<Answer<V>>>,
}

impl Cache {
    /// The answer that is kept, or what `load` gives, which is then kept. What is loaded at the same time is loaded once.
    pub async fn get_or_load<V, E, F, Fut>(
        &self,
        lookup: &Lookup<'_>,
        key: Key,
        load: F,
    ) -> Result<Answer<V>, E>
    where
        V: CacheValue,
        F: Fn() -> Fut + Send + Sync,
        Fut: Future<Output = Result<Fresh<V>, E>> + Send,
    {
        let load = &load;
        let load_many = |_: Vec<Key>| async move {
            let mark = self.mark();
            load().await.map(|fresh| Loaded { mark, values: vec![fresh] })
        };
        let mut answers = self.get_or_load_many(lookup, vec![key], load_many).await?;
        Ok(answers.pop().expect("each key has an answer"))
    }

    /// The same for several keys: those of which nothing is kept are loaded together. The answers are in the order of the
    /// keys.
    ///
    /// `load` gives a value for each key that it is asked for, in order, and a mark that was taken before it read. It may
    /// be called again for what others began to load and gave up.
    pub async fn get_or_load_many<V, E, F, Fut>(
        &self,
        lookup: &Lookup<'_>,
        keys: Vec<Key>,
        load: F,
    ) -> Result<Vec<Answer<V>>, E>
    where
        V: CacheValue,
        F: Fn(Vec<Key>) -> Fut + Sync,
        Fut: Future<Output = Result<Loaded<V>, E>> + Send,
    {
        let places: Vec<_> = keys.into_iter().map(|key| Place { space: lookup.space, key }).collect();
        let mut looking = Looking { lookup, answers: vec![None; places.len()], places };
        if self.is_fresh(lookup.freshness).await {
            if !lookup.again {
                self.look(&mut looking);
            }
            for _ in 0..ROUNDS {
                if looking.is_done() || !self.load_missing(&mut looking, &load).await? {
                    break;
                }
            }
        } else {
            let why = self.heard().map_or(Miss::NotFollowing, |_| Miss::BehindOwnWrite);
            for _ in &looking.places {
                self.shared.statistics.miss(&lookup.space, why);
            }
        }
        self.load_alone(&mut looking, &load).await?;
        Ok(looking.answers.into_iter().map(|answer| answer.expect("was loaded")).collect())
    }

    /// Takes what is in memory.
    fn look<V: CacheValue>(&self, looking: &mut Looking<'_, V>) {
        for (place, answer) in looking.places.iter().zip(&mut looking.answers) {
            match self.in_memory(place) {
                Ok(found) => {
                    self.shared.statistics.hit(&place.space, Level::Memory);
                    *answer = Some(found);
                }
                Err(why) => self.shared.statistics.miss(&place.space, why),
            }
        }
    }

    fn in_memory<V: CacheValue>(&self, place: &Place) -> Result<Answer<V>, Miss> {
        // Before the entry is looked at: what is live then is true up to here.
        let heard = self.shared.heard.load(Ordering::Acquire);
        let number = number(place);
        self.shared.hot.asked(number);
        let Some(entry) = self.shared.memory.get(place).filter(|entry| entry.is_live()) else {
            let why = self.shared.ends.get(&number).unwrap_or(Miss::Absent);
            return Err(if heard < 0 { Miss::NotFollowing } else { why });
        };
        let now = self.shared.options.clock.now();
        if entry.expires <= now {
            return Err(Miss::Expired);
        }
        let answer = answer(&entry).ok_or(Miss::Absent)?;
        if entry.stale <= now && self.shared.hot.is_hot(number) && entry.renew() {
            self.warm(place, &entry);
        }
        if self.redis(&place.space).is_some() && entry.restamp(heard, CHECKED / 4) {
            self.share(place, &entry, heard, &answer.value);
        }
        Ok(answer)
    }

    /// Loads what nobody is loading, and waits for the rest. Whether it makes sense to try again for what is missing still.
    async fn load_missing<V, E, F, Fut>(&self, looking: &mut Looking<'_, V>, load: &F) -> Result<bool, E>
    where
        V: CacheValue,
        F: Fn(Vec<Key>) -> Fut + Sync,
        Fut: Future<Output = Result<Loaded<V>, E>> + Send,
    {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for at in looking.missing() {
            match self.shared.flights.join(&looking.places[at]) {
                Ok(flight) => ours.push(Ours { at, flight }),
                Err(joined) => theirs.push((at, joined)),
            }
        }
        if !looking.lookup.again {
            // It may have landed between the look and the flight.
            ours.retain(|Ours { at, .. }| {
                looking.answers[*at] = self.in_memory(&looking.places[*at]).ok();
                looking.answers[*at].is_none()
            });
        }
        let owner = self.take_from_redis(looking, &mut ours).await;
        self.load_ours(looking, ours, owner, load).await?;
        let mut again = true;
        for (at, joined) in theirs {
            match joined.landed().await {
                Some(Landed::Kept(entry)) if entry.is_live() => {
                    looking.answers[at] = answer(&entry);
                    self.shared.statistics.hit(&looking.lookup.space, Level::Joined);
                }
                Some(Landed::NotKept) => again = false,
                Some(Landed::Kept(_)) | None => {}
            }
        }
        Ok(again)
    }

    async fn load_ours<V, E, F, Fut>(
        &self,
        looking: &mut Looking<'_, V>,
        ours: Vec<Ours>,
        owner: Option<String>,
        load: &F,
    ) -> Result<(), E>
    where
        V: CacheValue,
        F: Fn(Vec<Key>) -> Fut + Sync,
        Fut: Future<Output = Result<Loaded<V>, E>> + Send,
    {
        if ours.is_empty() {
            return Ok(());
        }
        let keys = ours.iter().map(|Ours { at, .. }| looking.places[*at].key.clone()).collect();
        let loaded = load(keys).await;
        self.shared.statistics.loaded(&looking.lookup.space, ours.len() as u64);
        let mut puts = Vec::new();
        let places = ours.iter().map(|Ours { at, .. }| looking.places[*at].clone()).collect::<Vec<_>>();
        let Loaded { mark, values } = match loaded {
            Ok(loaded) => loaded,
            Err(error) => {
                self.put(owner, places.into_iter().map(|place| Put { place, stored: None }).collect());
                return Err(error);
            }
        };
        for (Ours { at, flight }, fresh) in ours.into_iter().zip(values) {
            let reload = &looking.lookup.reload;
            let (answer, put) = self.keep(flight, mark, fresh, reload.clone());
            looking.answers[at] = Some(answer);
            puts.push(put);
        }
        self.shared.measure();
        self.put(owner, puts);
        Ok(())
    }

    /// Keeps what was loaded, if it may be, and tells those who wait for it.
    fn keep<V: CacheValue>(
        &self,
        flight: Flight,
        mark: Mark,
        fresh: Fresh<V>,
        reload: Option<crate::Reload>,
    ) -> (Answer<V>, Put) {
        let Fresh { value, tags, keep } = fresh;
        let answer = Answer { value, tags: tags.into(), was_kept: false };
        let place = flight.place.clone();
        let ttl = match keep {
            Keep::Usual => place.space.ttl().unwrap_or(self.shared.options.ttl),
            Keep::For(ttl) => ttl,
            Keep::Not => Duration::ZERO,
        };
        let Some(bytes) = answer.value.encode().filter(|_| !ttl.is_zero()) else {
            flight.land(Landed::NotKept);
            return (answer, Put { place, stored: None });
        };
        let now = self.shared.options.clock.now();
        let content = content(&answer, ttl, now + ttl, bytes.len()).reloaded(reload);
        let expires = content.expires;
        let kept = self.shared.lock().keep(mark, &place, content);
        let stored = match kept {
            Ok((entry, position)) => {
                self.shared.memory.insert(place.clone(), Arc::clone(&entry));
                flight.land(Landed::Kept(entry));
                let head = Head { expires, ttl_ms: millis(ttl), tags: answer.tags.to_vec() };
                Some((Stored { position, head, value: bytes }, ttl))
            }
            Err(why) => {
                metrics::counter!("pulse_cache_overtaken_total", "reason" => why.as_str()).increment(1);
                None
            }
        };
        (answer, Put { place, stored: stored.filter(|_| self.shared.redis.is_some()) })
    }

    /// Loads what is missing for the one who asks alone, and keeps nothing of it.
    async fn load_alone<V, E, F, Fut>(&self, looking: &mut Looking<'_, V>, load: &F) -> Result<(), E>
    where
        V: CacheValue,
        F: Fn(Vec<Key>) -> Fut + Sync,
        Fut: Future<Output = Result<Loaded<V>, E>> + Send,
    {
        let missing: Vec<_> = looking.missing().collect();
        if missing.is_empty() {
            return Ok(());
        }
        self.shared.statistics.loaded(&looking.lookup.space, missing.len() as u64);
        let loaded = load(missing.iter().map(|at| looking.places[*at].key.clone()).collect()).await?;
        for (at, Fresh { value, tags, keep: _ }) in missing.into_iter().zip(loaded.values) {
            looking.answers[at] = Some(Answer { value, tags: tags.into(), was_kept: false });
        }
        Ok(())
    }
}

/// With Redis behind the process.
impl Cache {
    fn redis(&self, space: &Space) -> Option<&Redis> {
        self.shared.redis.as_ref().filter(|_| space.is_shared())
    }

    /// Takes what is in Redis, and the right to load the rest: by whom it is held, if Redis has answered. What another
    /// process loads is waited for a little.
    async fn take_from_redis<V: CacheValue>(
        &self,
        looking: &mut Looking<'_, V>,
        ours: &mut Vec<Ours>,
    ) -> Option<String> {
        let lookup = looking.lookup;
        let redis = self.redis(&lookup.space).filter(|_| self.heard().is_some() && !lookup.again)?;
        let owner = ProcessId::new(self.shared.options.clock.now()).to_string();
        // Of each that is not settled, its place among ours and the position that was refused.
        let mut open: Vec<(usize, i64)> = (0..ours.len()).map(|at| (at, -1)).collect();
        let mut patience = PATIENCE_MS.iter();
        while !open.is_empty() {
            let wanted: Vec<_> =
                open.iter().map(|(at, refused)| (ours[*at].flight.place.clone(), *refused)).collect();
            let Ok(claims) = redis.claim(&owner, &wanted).await else {
                for _ in &open {
                    self.shared.statistics.miss(&lookup.space, Miss::RedisDown);
                }
                return None;
            };
            let (mut next, mut refused_some) = (Vec::new(), false);
            for ((at, refused), claim) in open.into_iter().zip(claims) {
                match claim {
                    Claim::Ours => {}
                    Claim::Theirs => next.push((at, refused)),
                    Claim::Found(stored) => {
                        let position = stored.position;
                        let one = &ours[at];
                        looking.answers[one.at] =
                            self.adopt(&one.flight.place, stored, looking.lookup.reload.as_ref());
                        if looking.answers[one.at].is_none() {
                            refused_some = true;
                            next.push((at, position));
                        }
                    }
                }
            }
            open = next;
            if !refused_some && !open.is_empty() {
                let Some(wait) = patience.next() else { break };
                tokio::time::sleep(Duration::from_millis(*wait)).await;
            }
        }
        let mut kept = Vec::with_capacity(ours.len());
        for Ours { at, flight } in ours.drain(..) {
            if looking.answers[at].is_none() {
                kept.push(Ours { at, flight });
            } else if let Some(entry) = self.shared.memory.get(&flight.place) {
                flight.land(Landed::Kept(entry));
            }
        }
        *ours = kept;
        Some(owner)
    }

    /// Keeps what was found in Redis, if it is not old.
    fn adopt<V: CacheValue>(
        &self,
        place: &Place,
        stored: Stored,
        reload: Option<&crate::Reload>,
    ) -> Option<Answer<V>> {
        let Stored { position, head, value: bytes } = stored;
        let (size, now) = (bytes.len(), self.shared.options.clock.now());
        if head.expires <= now {
            return None;
        }
        let answer = Answer { value: V::decode(bytes)?, tags: head.tags.into(), was_kept: true };
        let ttl = Duration::from_millis(head.ttl_ms);
        let content = content(&answer, ttl, head.expires, size).reloaded(reload.cloned());
        let entry = self.shared.lock().adopt(position, place, content).ok()?;
        self.shared.memory.insert(place.clone(), entry);
        self.shared.statistics.hit(&place.space, Level::Redis);
        Some(answer)
    }

    /// Tells Redis up to where a value that is still kept is true, so that others can check it.
    fn share<V: CacheValue>(&self, place: &Place, entry: &Entry, position: i64, value: &V) {
        let Some(value) = value.encode() else { return };
        let left = (entry.expires - self.shared.options.clock.now()).to_std().unwrap_or_default();
        let head = Head { expires: entry.expires, ttl_ms: millis(entry.ttl), tags: entry.tags.to_vec() };
        let stored = Some((Stored { position, head, value }, left)).filter(|_| !left.is_zero());
        // Nobody has a lock of that name.
        self.put(Some(String::new()), vec![Put { place: place.clone(), stored }]);
    }

    /// Writes to Redis, off the path of whoever waits for an answer.
    fn put(&self, owner: Option<String>, puts: Vec<Put>) {
        let (Some(owner), true) = (owner, self.shared.redis.is_some() && !puts.is_empty()) else { return };
        let cache = self.clone();
        tokio::spawn(async move {
            if let Some(redis) = &cache.shared.redis
                && let Err(error) = redis.put(&owner, puts).await
            {
                tracing::debug!(%error, "values were not shared through Redis");
            }
        });
    }
}

fn content<V: CacheValue>(
    answer: &Answer<V>,
    ttl: Duration,
    expires: chrono::DateTime<chrono::Utc>,
    size: usize,
) -> Content {
    let size = size + answer.tags.len() * OF_TAG + OVERHEAD;
    Content {
        value: Arc::new(answer.value.clone()),
        tags: Arc::clone(&answer.tags),
        expires,
        stale: expires - ttl / 10,
        ttl,
        size,
        reload: None,
    }
}

impl Content {
    fn reloaded(self, reload: Option<crate::Reload>) -> Self {
        Self { reload, ..self }
    }
}

impl<V> Looking<'_, V> {
    fn is_done(&self) -> bool {
        self.answers.iter().all(Option::is_some)
    }

    fn missing(&self) -> impl Iterator<Item = usize> + use<'_, V> {
        self.answers.iter().enumerate().filter(|(_, answer)| answer.is_none()).map(|(at, _)| at)
    }
}

fn answer<V: CacheValue>(entry: &Entry) -> Option<Answer<V>> {
    let value = entry.value.downcast_ref::<V>()?.clone();
    let tags: Arc<[Tag]> = Arc::clone(&entry.tags);
    Some(Answer { value, tags, was_kept: true })
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
