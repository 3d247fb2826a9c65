//! The streams that are open, for those who look after them: who listens to what, and how to end it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use futures::StreamExt;
use futures::stream;
use pulse_types::{Caller, Clock, MachineId, OrgId, SessionId, Subject, UserId};
use sha2::{Digest, Sha256};
use tokio::sync::{SetOnce, watch};
use uuid::Uuid;

use crate::engine::{ErrorCode, RequestError};
use crate::hex::hex;
use crate::pipeline::{Refusal, Results};

/// A stream that is open.
#[derive(Debug, Clone)]
pub struct OpenStream {
    /// Names it in this process.
    pub id: Uuid,
    /// Who listens.
    pub caller: Arc<Caller>,
    /// What kind it is.
    pub kind: StreamKind,
    /// How it reaches the client: `websocket`, `sse` or `multipart`.
    pub transport: &'static str,
    /// The operation's name, when it has one.
    pub operation: Option<String>,
    /// The SHA-256 of the operation's text, as persisted queries are known by.
    pub hash: String,
    /// When it was opened.
    pub since: DateTime<Utc>,
    /// How many answers it has sent.
    pub events: u64,
}

/// What a stream is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StreamKind {
    /// A subscription's events.
    Subscription,
    /// A query that is answered again and again.
    LiveQuery,
}

/// Which streams are meant: those of which all that is given here is true.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StreamFilter {
    /// The one with this id.
    pub id: Option<Uuid>,
    /// Those of callers in this organization.
    pub org: Option<OrgId>,
    /// Those of this person.
    pub user: Option<UserId>,
    /// Those of this session.
    pub session: Option<SessionId>,
    /// Those of this API key or service account.
    pub machine: Option<MachineId>,
    /// Those of operations with this name, or with this hash.
    pub operation: Option<String>,
    /// Those that were opened until then.
    pub opened_until: Option<DateTime<Utc>>,
}

impl StreamFilter {
    fn matches(&self, stream: &OpenStream) -> bool {
        let Self { id, org, user, session, machine, operation, opened_until } = self;
        let caller = &stream.caller;
        id.is_none_or(|id| id == stream.id)
            && org.is_none_or(|org| caller.org == Some(org))
            && user.is_none_or(|user| caller.subject == Subject::User(user))
            && session.is_none_or(|session| caller.session == Some(session))
            && machine.is_none_or(|machine| caller.machine() == Some(machine))
            && opened_until.is_none_or(|until| stream.since <= until)
            && operation
                .as_ref()
                .is_none_or(|name| stream.operation.as_ref() == Some(name) || *name == stream.hash)
    }
}

/// The streams that this process has open. Cheap to clone.
#[derive(Clone)]
pub struct StreamDirectory {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Clock,
    /// By number, so in the order in which they were opened: ids of one millisecond are in none.
    open: Mutex<BTreeMap<u64, Entry>>,
    /// How many were opened so far.
    opened: AtomicU64,
    /// Told of each one that is opened or over.
    changed: watch::Sender<()>,
}

struct Entry {
    stream: OpenStream,
    course: Arc<Course>,
}

/// What becomes of a stream.
#[derive(Default)]
struct Course {
    events: AtomicU64,
    /// Why it is to end, once it is.
    end: SetOnce<Arc<str>>,
}

/// What is known of a stream that begins.
pub(crate) struct Beginning<'a> {
    pub(crate) caller: &'a Arc<Caller>,
    pub(crate) kind: StreamKind,
    pub(crate) transport: &'static str,
    pub(crate) operation: Option<&'a str>,
    pub(crate) document: &'a str,
}

impl StreamDirectory {
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            inner: Arc::new(Inner {
                clock,
                open: Mutex::default(),
                opened: AtomicU64::new(0),
                changed: watch::Sender::new(()),
            }),
        }
    }

    /// The streams that match, in the order in which they were opened.
    pub fn list(&self, filter: &StreamFilter) -> Vec<OpenStream> {
        let shown = |entry: &Entry| OpenStream {
            events: entry.course.events.load(Ordering::Relaxed),
            ..entry.stream.clone()
        };
        self.lock().values().filter(|entry| filter.matches(&entry.stream)).map(shown).collect()
    }

    /// Tells of each stream that is opened or over, for those who keep a list of their own.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.inner.changed.subscribe()
    }

    /// Ends the streams that match, and tells their clients why. How many there were.
    pub fn end(&self, filter: &StreamFilter, reason: &str) -> usize {
        let reason: Arc<str> = reason.into();
        let mut ended = 0;
        for entry in self.lock().values().filter(|entry| filter.matches(&entry.stream)) {
            // One that is ending already ends for the reason that was given first.
            let _ = entry.course.end.set(Arc::clone(&reason));
            ended += 1;
        }
        ended
    }

    /// A stream's results while it is in the directory: until they end, or somebody ends them.
    pub(crate) fn enter(&self, beginning: &Beginning<'_>, results: Results) -> Results {
        let Beginning { caller, kind, transport, operation, document } = *beginning;
        let since = self.inner.clock.now();
        let course = Arc::<Course>::default();
        let stream = OpenStream {
            id: pulse_types::RequestId::new(since).uuid(),
            caller: Arc::clone(caller),
            kind,
            transport,
            operation: operation.map(ToOwned::to_owned),
            hash: hex(&Sha256::digest(document)),
            since,
            events: 0,
        };
        let number = self.inner.opened.fetch_add(1, Ordering::Relaxed);
        let listed = Listed { directory: self.clone(), number, course: Arc::clone(&course) };
        self.lock().insert(number, Entry { stream, course });
        self.inner.changed.send_replace(());
        stream::unfold(Some((listed, results)), |open| async {
            let (listed, mut results) = open?;
            tokio::select! {
                biased;
                reason = listed.course.end.wait() => Some((Err(ended(reason)), None)),
                result = results.next() => {
                    let result = result?;
                    listed.course.events.fetch_add(1, Ordering::Relaxed);
                    Some((result, Some((listed, results))))
                }
            }
        })
        .boxed()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Entry>> {
        self.inner.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for StreamDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamDirectory").field("open", &self.lock().len()).finish_non_exhaustive()
    }
}

/// A stream's place in the directory, for as long as it is held.
struct Listed {
    directory: StreamDirectory,
    number: u64,
    course: Arc<Course>,
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.directory.lock().remove(&self.number);
        self.directory.inner.changed.send_replace(());
    }
}

/// The last that a client hears.
fn ended(reason: &str) -> Refusal {
    let text = format!("this stream was ended by an administrator: {reason}");
    Refusal::errors(vec![RequestError::new(ErrorCode::Forbidden, text).because("STREAM_ENDED")])
}
