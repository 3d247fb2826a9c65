//! What ends before its access token does: sessions, people, memberships, API keys and service accounts.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use futures::stream::{self, BoxStream, StreamExt};
use moka::sync::Cache;
use pulse_events::{Heard, Log, Tail};
use pulse_gateway::ports::{Revocation, RevocationFeed};
use pulse_store::{Store, StoreError};
use pulse_tokens::ACCESS_TOKEN_SECONDS;
use pulse_types::{Caller, Change, ChangeKind, MachineId, OrgId, Role, SessionId, UserId};
use serde_json::{Map, Value};

/// For how long it has to be known that something ended: no token lives longer.
pub(super) const KEPT: Duration = Duration::from_secs(ACCESS_TOKEN_SECONDS.unsigned_abs() + 60);

/// The pause before a log that could not be read is tried again.
const PAUSE: Duration = Duration::from_millis(200);

const SESSION: &str = "accounts.session";
const MEMBERSHIP: &str = "accounts.membership";
const USER: &str = "accounts.user";
const MACHINE: &str = "accounts.machine";

/// What [`Revoked`] is made of.
pub(super) const SUBJECTS: [&str; 4] = [SESSION, MEMBERSHIP, USER, MACHINE];

/// What ended within the life of a token. A token says what was true when it was made; this says what no longer is.
#[derive(Debug)]
pub struct Revoked {
    sessions: Cache<SessionId, ()>,
    users: Cache<UserId, ()>,
    /// Who has lost rights in a tenant.
    losses: Cache<(UserId, OrgId), Loss>,
    /// How often what a machine may do has changed; as often as can be counted, of one that was revoked.
    machines: Cache<MachineId, i64>,
}

/// Somebody's rights in a tenant became fewer.
#[derive(Debug, Clone, Copy)]
struct Loss {
    /// What is left; `None` for no member.
    role: Option<Role>,
    /// Tokens made until then, in seconds since 1970, may claim what was lost. Later ones were made of what is left, or of
    /// what was given back since, of which this process need not have heard yet.
    until: i64,
}

/// How long after its time a write may become visible to those who make tokens.
const LATE_SECONDS: i64 = 5;

impl Default for Revoked {
    fn default() -> Self {
        Self { sessions: kept(), users: kept(), losses: kept(), machines: kept() }
    }
}

fn kept<K: std::hash::Hash + Eq + Send + Sync + 'static, V: Clone + Send + Sync + 'static>() -> Cache<K, V> {
    Cache::builder().time_to_live(KEPT).build()
}

impl Revoked {
    /// Takes in what the log says of the time in which tokens were made that are still good.
    pub async fn read(&self, store: &Store) -> Result<Vec<Revocation>, StoreError> {
        let since = store.clock().now() - TimeDelta::from_std(KEPT).unwrap_or(TimeDelta::MAX);
        let changes = Log::new(store.clone()).since(since, &SUBJECTS).await?;
        Ok(changes.iter().filter_map(|change| self.take(change)).collect())
    }

    /// Takes in a change; what it revokes, if anything.
    pub(super) fn take(&self, change: &Change) -> Option<Revocation> {
        match (&*change.subject, change.kind) {
            (SESSION, ChangeKind::Deleted) => {
                let session = SessionId::from_uuid(change.key);
                self.sessions.insert(session, ());
                Some(Revocation::Session(session))
            }
            (USER, ChangeKind::Deleted) => {
                let user = UserId::from_uuid(change.key);
                self.users.insert(user, ());
                Some(Revocation::User(user))
            }
            (USER, ChangeKind::Updated) => self.take_erasure(change),
            (MEMBERSHIP, kind) => self.take_role(change, kind),
            (MACHINE, kind) => self.take_machine(change, kind),
            _ => None,
        }
    }

    /// Whoever is about to be erased is as good as gone, until that is taken back.
    fn take_erasure(&self, change: &Change) -> Option<Revocation> {
        let user = UserId::from_uuid(change.key);
        if change.attributes.get("erasing")?.as_bool()? {
            self.users.insert(user, ());
            return Some(Revocation::User(user));
        }
        self.users.invalidate(&user);
        None
    }

    fn take_role(&self, change: &Change, kind: ChangeKind) -> Option<Revocation> {
        let (user, org) = (UserId::from_uuid(change.key), change.tenant?);
        let role = |attributes: &Map<String, Value>| -> Option<Role> {
            attributes.get("role").and_then(Value::as_str)?.parse().ok()
        };
        let now = if kind == ChangeKind::Deleted { None } else { role(&change.attributes) };
        // Roles are in order: each includes those after it.
        let lost = match (now, role(&change.before)) {
            (Some(now), Some(before)) => now > before,
            (Some(_), None) => false,
            (None, _) => true,
        };
        if lost {
            self.losses.insert((user, org), Loss { role: now, until: change.at.timestamp() + LATE_SECONDS });
            return Some(Revocation::Membership { user, org });
        }
        if let Some(loss) = self.losses.get(&(user, org)) {
            self.losses.insert((user, org), Loss { role: now, ..loss });
        }
        None
    }

    fn take_machine(&self, change: &Change, kind: ChangeKind) -> Option<Revocation> {
        let machine = MachineId::from_uuid(change.key);
        if kind == ChangeKind::Deleted {
            self.machines.insert(machine, i64::MAX);
            return Some(Revocation::Machine(machine));
        }
        // Other changes are none of what it may do.
        change.before.get("terms")?;
        let terms = change.attributes.get("terms").and_then(Value::as_i64)?;
        let before = self.machines.get(&machine).unwrap_or_default();
        self.machines.insert(machine, before.max(terms));
        Some(Revocation::MachineRights(machine))
    }

    /// Whether what is known of a machine since it had these `terms` is still true. The error is for whoever sent it.
    pub(super) fn check_machine(&self, machine: MachineId, terms: i64) -> Result<(), &'static str> {
        match self.machines.get(&machine) {
            Some(i64::MAX) => Err("this API key or service account was revoked"),
            Some(now) if terms < now => Err("what this service account may do has changed: get a new token"),
            Some(_) | None => Ok(()),
        }
    }

    /// Whether a token that was `issued` for this caller, in seconds since 1970, is still good. The error is for whoever sent
    /// it.
    pub(super) fn check(&self, caller: &Caller, issued: i64) -> Result<(), &'static str> {
        if caller.session.is_some_and(|session| self.sessions.contains_key(&session)) {
            return Err("the session of this token has ended: sign in again");
        }
        let Some(user) = caller.answerable() else { return Ok(()) };
        if self.users.contains_key(&user) {
            return Err("the person of this token is no longer known: sign in again");
        }
        let loss = caller.org.and_then(|org| self.losses.get(&(user, org)));
        match loss.filter(|loss| issued <= loss.until) {
            None => Ok(()),
            Some(Loss { role: None, .. }) => {
                Err("you are no longer a member of this organization: get a token for another one")
            }
            Some(Loss { role: Some(role), .. }) => {
                let allowed = role.permissions();
                if caller.permissions.iter().all(|permission| allowed.contains(permission)) {
                    return Ok(());
                }
                Err("your role in this organization has changed: refresh your token")
            }
        }
    }
}

/// Tells a gateway in the same process of what the event log says has ended.
#[derive(Debug)]
pub struct RevokedByLog {
    store: Store,
    tail: Tail,
    revoked: Arc<Revoked>,
}

impl RevokedByLog {
    /// Keeps `revoked` true, and tells of what it takes in.
    pub const fn new(store: Store, tail: Tail, revoked: Arc<Revoked>) -> Self {
        Self { store, tail, revoked }
    }
}

impl RevocationFeed for RevokedByLog {
    fn revocations(&self) -> BoxStream<'static, Revocation> {
        let (store, tail, revoked) = (self.store.clone(), self.tail.clone(), Arc::clone(&self.revoked));
        let heard = tail.everything();
        // What happened between the first reading and the moment from which the log is followed is a gap too.
        let first = stream::once(async move {
            tail.position().await;
            Heard::Gap
        });
        let told = first.chain(heard).then(move |heard| {
            let (store, revoked) = (store.clone(), Arc::clone(&revoked));
            async move {
                match heard {
                    Heard::Change(change) => revoked.take(&change).into_iter().collect(),
                    Heard::Gap => read_until_it_works(&store, &revoked).await,
                }
            }
        });
        told.flat_map(stream::iter).boxed()
    }
}

async fn read_until_it_works(store: &Store, revoked: &Revoked) -> Vec<Revocation> {
    loop {
        match revoked.read(store).await {
            Ok(revocations) => return revocations,
            Err(error) => {
                tracing::warn!(%error, "what was revoked cannot be read; it is tried again");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
