//! Subscription fields that follow the event log.
//!
//! A field says of which changes it tells, and what a change becomes for its subscribers. What all of them have in common
//! is here: the caller's rights are asked for with each event, reads of each event see the data as it is then, and each
//! event says its cursor, by which a client goes on behind it after its connection broke.

mod error;
mod filter;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::{Context, ID, SimpleObject};
use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt};
use pulse_events::{Follow, FollowError, LogCursor, Tail, Topic};
use pulse_store::Session;
use pulse_types::{Change, ChangeKind, Permission, UserId};
use tokio::sync::Notify;

use crate::{ContextExt, Error};

pub use error::LiveError;
pub use filter::AnyOf;

/// So many events are passed over at once.
const READY: usize = 1_000;

/// What a subscription field sends.
pub type Live<T> = BoxStream<'static, Result<T, Error<LiveError>>>;

/// What a subscription field tells of, to whom.
#[derive(Debug)]
pub struct Following {
    /// Changes of the caller's tenant in these, `subgraph.type`.
    pub subjects: &'static [&'static str],
    /// What one needs to hear of them.
    pub permission: Permission,
    /// The cursor behind which to begin; from now on without one.
    pub after: Option<String>,
}

/// A change, and the cursor behind it.
#[derive(Debug, Clone)]
pub struct Happened {
    /// The change.
    pub change: Arc<Change>,
    /// What a client gives as `after` to hear of all that came later.
    pub cursor: String,
}

/// What is told of every change.
#[derive(Debug, Clone, SimpleObject)]
pub struct ChangeFacts {
    /// What happened.
    kind: ChangeKind,
    /// To which one.
    id: ID,
    /// Its version after the change.
    version: i64,
    /// The names of the fields that changed.
    changed_fields: Vec<String>,
    /// The person who changed it; null for Pulse itself.
    actor_id: Option<UserId>,
    /// When it was changed.
    at: DateTime<Utc>,
    /// The place behind this event: subscribe with it as `after` to go on from here.
    cursor: String,
}

impl From<&Happened> for ChangeFacts {
    fn from(Happened { change, cursor }: &Happened) -> Self {
        Self {
            kind: change.kind,
            id: change.key.into(),
            version: change.version,
            changed_fields: change.changed.clone(),
            actor_id: change.actor,
            at: change.at,
            cursor: cursor.clone(),
        }
    }
}

/// Follows what `following` says, as far as it is `wanted`. `wanted` is asked for every change of the tenant's, whoever
/// made it, so it must be quick.
///
/// What begins a stream is boxed: whoever waits for it keeps the room for it for as long as the stream lives.
pub fn follow<'c, T: From<Happened> + Send + 'static>(
    ctx: &'c Context<'_>,
    following: Following,
    wanted: impl Fn(&Change) -> bool + Send + Sync + 'static,
) -> BoxFuture<'c, Result<Live<T>, Error<LiveError>>> {
    Box::pin(begin(ctx, following, wanted))
}

async fn begin<T: From<Happened> + Send + 'static>(
    ctx: &Context<'_>,
    following: Following,
    wanted: impl Fn(&Change) -> bool + Send + Sync + 'static,
) -> Result<Live<T>, Error<LiveError>> {
    let Following { subjects, permission, after } = following;
    let tenant = ctx.session().caller().require(&permission)?;
    told(ctx, Topic::new(Some(tenant), subjects).filter(wanted), Some(permission), after).await
}

async fn told<T: From<Happened> + Send + 'static>(
    ctx: &Context<'_>,
    topic: Topic,
    permission: Option<Permission>,
    after: Option<String>,
) -> Result<Live<T>, Error<LiveError>> {
    let (session, tail) = (ctx.session().clone(), ctx.tail().clone());
    let after = after.as_deref().map(str::parse::<LogCursor>).transpose().map_err(LiveError::from)?;
    let mut follow = tail.follow(topic, after);
    follow.start().await.map_err(failed)?;
    let place = ctx.part::<Place>().clone();
    place.0.begun.notify_one();
    let follower = Box::new(Follower { follow, tail, session, permission, place });
    let events = stream::unfold(Some(follower), async |follower| {
        let mut follower = follower?;
        match follower.next().await {
            Ok(happened) => Some((Ok(T::from(happened)), Some(follower))),
            Err(error) => Some((Err(error), None)),
        }
    });
    Ok(events.boxed())
}

/// Follows what belongs to the caller itself, a person, wherever it acts: changes of no tenant that name it as their `user`.
pub fn follow_own<'c, T: From<Happened> + Send + 'static>(
    ctx: &'c Context<'_>,
    subjects: &'static [&'static str],
    after: Option<String>,
) -> BoxFuture<'c, Result<Live<T>, Error<LiveError>>> {
    Box::pin(async move {
        let user = ctx.session().caller().require_user()?.to_string();
        let is_own =
            move |change: &Change| change.attributes.get("user").is_some_and(|of| *of == user.as_str());
        told(ctx, Topic::new(None, subjects).filter(is_own), None, after).await
    })
}

/// Only the newest of what has come in while the one before was told. For what is read anew with each event, so that the
/// older ones would say the same. A subscriber is told as fast as it can be, and no faster.
pub fn newest<T: Send + 'static>(live: Live<T>) -> Live<T> {
    let newest = live.ready_chunks(READY).flat_map(|mut ready| {
        let error = ready.pop_if(|last| last.is_err());
        stream::iter(ready.pop().into_iter().chain(error))
    });
    newest.boxed()
}

struct Follower {
    follow: Follow,
    tail: Tail,
    session: Session,
    /// `None` for what is the caller's own.
    permission: Option<Permission>,
    place: Place,
}

impl Follower {
    async fn next(&mut self) -> Result<Happened, Error<LiveError>> {
        let change = self.follow.next().await.map_err(failed)?;
        if let Some(permission) = &self.permission {
            self.session.caller().require(permission)?;
        }
        let cursor = self.tail.cursor(change.position).as_ref().map(LogCursor::to_string);
        let cursor = cursor.expect("a log that told of a change is known");
        self.place.set(&cursor);
        Ok(Happened { change, cursor })
    }
}

fn failed(error: FollowError) -> Error<LiveError> {
    match error {
        FollowError::Store(error) => Error::Store(error),
        FollowError::OtherLog | FollowError::Ahead | FollowError::Expired => {
            Error::Client(LiveError::Place(error))
        }
    }
}

/// What one stream's field says to whoever makes the responses, past the resolvers, which make none: that it has begun,
/// and each event's cursor. Events of one stream are answered one after the other.
#[derive(Clone, Default)]
pub(crate) struct Place(Arc<At>);

#[derive(Default)]
struct At {
    begun: Notify,
    cursor: Mutex<Option<String>>,
}

impl Place {
    fn set(&self, cursor: &str) {
        *self.0.cursor.lock().unwrap_or_else(PoisonError::into_inner) = Some(cursor.to_owned());
    }

    pub(crate) fn take(&self) -> Option<String> {
        self.0.cursor.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Returns once the field follows the log: it will tell of all that is committed after this.
    pub(crate) async fn begun(&self) {
        self.0.begun.notified().await;
    }
}

impl fmt::Debug for Follower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follower").field("permission", &self.permission).finish_non_exhaustive()
    }
}
