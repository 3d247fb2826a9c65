//! Subscription fields that follow the event log.
//!
//! A field says of which changes it tells, and what a change becomes for its subscribers. What all of them have in common
//! is here: the caller's rights are asked for with each event, reads of each event see the data as it is then, and each
//! event says its cursor, by which a client goes on behind it after its connection broke.

mod error;
mod filter;
mod place;

use std::fmt;
use std::sync::Arc;

use async_graphql::{Context, ID, SimpleObject};
use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt};
use pulse_events::{Follow, FollowError, LogCursor, Tail, Topic};
use pulse_store::Session;
use pulse_types::{Caller, Change, ChangeKind, OrgId, Permission, Reach, Refusal, UserId};
use uuid::Uuid;

use crate::{ContextExt, Error};

pub use error::LiveError;
pub use filter::{AnyOf, Wanting};
pub(crate) use place::Place;

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

/// Of which single things a field tells, where there are rights on single ones.
#[derive(Debug, Clone, Copy)]
pub struct InSight {
    /// The tenant, for who may hear of any of them.
    pub may: fn(&Caller) -> Result<OrgId, Refusal>,
    /// Those that a caller sees.
    pub sight: fn(&Caller) -> Reach<'_>,
    /// Those that a change is about, one of them perhaps twice: whoever sees them hears of it. Of a change that does not say so,
    /// only those hear who see all.
    pub ids: fn(&Change) -> Option<[Uuid; 2]>,
}

impl InSight {
    fn has(&self, caller: &Caller, change: &Change) -> bool {
        let reach = (self.sight)(caller);
        (self.ids)(change).is_some_and(|ids| ids.iter().all(|id| reach.contains(*id)))
    }
}

/// What one needs to hear of changes.
#[derive(Debug)]
enum Need {
    Permission(Permission),
    InSight(InSight),
    /// To be the person whom they are about.
    Own,
}

impl Need {
    /// The tenant whose changes are meant, where they are of one.
    fn met_by(&self, caller: &Caller) -> Result<Option<OrgId>, Refusal> {
        match self {
            Self::Permission(permission) => caller.require(permission).map(Some),
            Self::InSight(things) => (things.may)(caller).map(Some),
            Self::Own => caller.require_user().map(|_| None),
        }
    }
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

/// What is told of next, or why nothing more is.
pub(crate) type Told = Result<Happened, Error<LiveError>>;

/// Follows what `following` says, as far as it is `wanted`. `wanted` is asked for every change of the tenant's, whoever
/// made it, so it must be quick.
///
/// Between events nothing is kept of the field and its operation but what follows the log: when something has happened,
/// the operation is executed once more, and this returns what has happened and all that waits behind it. So a field
/// remembers nothing from one event to the next; for one that does there is [`follow_remembering`].
pub fn follow<'c, T: From<Happened> + Send + 'static>(
    ctx: &'c Context<'_>,
    following: Following,
    wanted: impl Into<Wanting> + Send + 'static,
) -> BoxFuture<'c, Result<Live<T>, Error<LiveError>>> {
    let Following { subjects, permission, after } = following;
    Box::pin(begin(ctx, (subjects, after), Need::Permission(permission), wanted))
}

/// Follows changes of the caller's tenant in `subjects` behind the cursor `after`, as [`follow`] does: those of things in the
/// caller's sight.
pub fn follow_in_sight<'c, T: From<Happened> + Send + 'static>(
    ctx: &'c Context<'_>,
    place: (&'static [&'static str], Option<String>),
    things: InSight,
    wanted: impl Into<Wanting> + Send + 'static,
) -> BoxFuture<'c, Result<Live<T>, Error<LiveError>>> {
    Box::pin(begin(ctx, place, Need::InSight(things), wanted))
}

async fn begin<T: From<Happened> + Send + 'static>(
    ctx: &Context<'_>,
    from: (&'static [&'static str], Option<String>),
    need: Need,
    wanted: impl Into<Wanting> + Send + 'static,
) -> Result<Live<T>, Error<LiveError>> {
    let place = ctx.part::<Place>();
    if let Some(turn) = place.turn() {
        return Ok(stream::iter(turn.map(|told| told.map(T::from))).boxed());
    }
    let follower = Follower::start(ctx, from, need, wanted).await?;
    place.begin(Some(follower));
    Ok(stream::pending().boxed())
}

/// Whether a stream's field is asked for the first time: to begin, and not to answer what has happened. To be asked before the
/// field follows.
pub fn is_beginning(ctx: &Context<'_>) -> bool {
    ctx.part::<Place>().is_beginning()
}

/// The same as [`follow`] for a field that remembers something from one event to the next: its operation is kept for as long
/// as the stream lives, which costs several kilobytes for each stream that nobody shares.
pub fn follow_remembering<'c, T: From<Happened> + Send + 'static>(
    ctx: &'c Context<'_>,
    Following { subjects, permission, after }: Following,
    wanted: impl Into<Wanting> + Send + 'static,
) -> BoxFuture<'c, Result<Live<T>, Error<LiveError>>> {
    Box::pin(async move {
        let follower = Follower::start(ctx, (subjects, after), Need::Permission(permission), wanted).await?;
        let place = ctx.part::<Place>().clone();
        place.begin(None);
        let events = stream::unfold(Some((follower, place)), async |following| {
            let (mut follower, place) = following?;
            let told = follower.next().await;
            if let Ok(happened) = &told {
                place.set_cursor(&happened.cursor);
            }
            let goes_on = told.is_ok().then_some((follower, place));
            Some((told.map(T::from), goes_on))
        });
        Ok(events.boxed())
    })
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
        begin(ctx, (subjects, after), Need::Own, is_own).await
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

/// Follows the log for a field, with the rights of whoever has asked for it.
pub(crate) struct Follower {
    follow: Follow,
    tail: Tail,
    session: Session,
    need: Need,
}

impl Follower {
    async fn start(
        ctx: &Context<'_>,
        (subjects, after): (&'static [&'static str], Option<String>),
        need: Need,
        wanted: impl Into<Wanting> + Send + 'static,
    ) -> Result<Box<Self>, Error<LiveError>> {
        let (session, tail) = (ctx.session().clone(), ctx.tail().clone());
        let tenant = need.met_by(session.caller())?;
        let after = after.as_deref().map(str::parse::<LogCursor>).transpose().map_err(LiveError::from)?;
        let Wanting { wanted, route } = wanted.into();
        let topic = Topic::new(tenant, subjects).by(route);
        let topic = match need {
            Need::InSight(things) if !(things.sight)(session.caller()).is_all() => {
                let caller = session.caller().clone();
                topic.filter(move |change| wanted(change) && things.has(&caller, change))
            }
            Need::InSight(_) | Need::Permission(_) | Need::Own => Topic { wanted, ..topic },
        };
        let mut follow = tail.follow(topic, after);
        follow.start().await.map_err(failed)?;
        Ok(Box::new(Self { follow, tail, session, need }))
    }

    /// What happens next.
    pub(crate) async fn next(&mut self) -> Told {
        let change = self.follow.next().await.map_err(failed)?;
        self.told(change)
    }

    /// What has happened and waits here already.
    fn ready(&mut self) -> Option<Told> {
        let change = self.follow.ready()?;
        Some(self.told(change))
    }

    fn told(&self, change: Arc<Change>) -> Told {
        self.need.met_by(self.session.caller())?;
        let cursor = self.tail.cursor(change.position).as_ref().map(LogCursor::to_string);
        let cursor = cursor.expect("a log that told of a change is known");
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

impl fmt::Debug for Follower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follower").field("need", &self.need).finish_non_exhaustive()
    }
}
