//! What ends before its access token does: sessions, people, memberships, API keys and service accounts; and which tokens may
//! say what is no longer so.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt};
use moka::sync::Cache;
use pulse_accounts::{ACCESS_CHANGES, AccessQuestion, AccessSubject, Held, MAX_ACCESS_SUBJECTS};
use pulse_events::{Heard, Log, Tail};
use pulse_gateway::ports::{Revocation, RevocationFeed};
use pulse_store::{LONGEST_WRITE, Store, StoreError};
use pulse_tokens::ACCESS_TOKEN_SECONDS;
use pulse_types::{Caller, Change, ChangeKind, MachineId, OrgId, Role, SessionId, Subject, UserId};
use serde_json::{Map, Value};

use super::machines::VerifyMachines;

/// For how long it has to be known that something ended: no token lives longer.
pub(super) const KEPT: Duration = Duration::from_secs(ACCESS_TOKEN_SECONDS.unsigned_abs() + 60);

/// The pause before a log that could not be read is tried again.
const PAUSE: Duration = Duration::from_millis(200);

const SESSION: &str = "accounts.session";
const MEMBERSHIP: &str = "accounts.membership";
const USER: &str = "accounts.user";
const MACHINE: &str = "accounts.machine";
const ROLE: &str = "accounts.role";
const UNIT: &str = "accounts.unit";

/// What [`Revoked`] is made of.
pub(super) fn subjects() -> Vec<&'static str> {
    [&[SESSION, MEMBERSHIP, USER, MACHINE], &ACCESS_CHANGES[..]].concat()
}

/// What ended within the life of a token. A token says what was true when it was made; this says what no longer is, or may no
/// longer be.
#[derive(Debug)]
pub struct Revoked {
    sessions: Cache<SessionId, ()>,
    users: Cache<UserId, ()>,
    /// Who has left a tenant.
    left: Cache<(UserId, OrgId), Until>,
    /// In which tenants what people may is another thing than it was: of one person, or of anybody.
    changed: Cache<(OrgId, Option<UserId>), Until>,
    /// How often what a machine may do has changed; as often as can be counted, of one that was revoked.
    machines: Cache<MachineId, i64>,
    /// Who has come lately, and with which rights.
    seen: Cache<(OrgId, Subject), Arc<Held>>,
}

/// A change that not every token knows of.
#[derive(Debug, Clone, Copy)]
struct Until {
    /// Tokens made until then, in seconds since 1970, may claim what was before. Later ones were made of what is, or of what has
    /// become of it since, of which this process need not have heard yet.
    issued: i64,
    /// Where the log tells of it.
    position: i64,
}

impl Until {
    fn of(change: &Change) -> Self {
        Self { issued: (change.at + LONGEST_WRITE).timestamp(), position: change.position }
    }
}

/// What a change means for those who have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// That much is known.
    Ends(Revocation),
    /// Whoever is concerned may have other rights now: who, has to be asked.
    Access {
        org: OrgId,
        /// The one whom it concerns; `None` for anybody there.
        user: Option<UserId>,
        position: i64,
    },
}

/// How many who have come are remembered. Of more, some are told of narrower rights by their token's end alone.
const SEEN: u64 = 200_000;

impl Default for Revoked {
    fn default() -> Self {
        let seen = Cache::builder().time_to_live(KEPT).max_capacity(SEEN).build();
        Self { sessions: kept(), users: kept(), left: kept(), changed: kept(), machines: kept(), seen }
    }
}

fn kept<K: std::hash::Hash + Eq + Send + Sync + 'static, V: Clone + Send + Sync + 'static>() -> Cache<K, V> {
    Cache::builder().time_to_live(KEPT).build()
}

impl Revoked {
    /// Takes in what the log says of the time in which tokens were made that are still good.
    pub async fn read(&self, store: &Store) -> Result<(), StoreError> {
        for change in read_all(store).await? {
            self.take(&change);
        }
        Ok(())
    }

    /// Takes in a change; what it means, if anything.
    pub(super) fn take(&self, change: &Change) -> Option<Meaning> {
        if change.is_of(&ACCESS_CHANGES) {
            return self.take_access(change);
        }
        self.take_end(change).map(Meaning::Ends)
    }

    fn take_end(&self, change: &Change) -> Option<Revocation> {
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
        let key = (user, org);
        if now.is_none() {
            self.left.insert(key, Until::of(change));
        } else {
            self.left.invalidate(&key);
        }
        if !lost {
            return None;
        }
        self.changed.insert((org, Some(user)), Until::of(change));
        Some(Revocation::Membership { user, org })
    }

    /// Something that is laid down in a tenant. A new role nobody has yet, and of a new unit nothing holds that does not hold in
    /// the one that it is in.
    fn take_access(&self, change: &Change) -> Option<Meaning> {
        let org = change.tenant?;
        let inherits = change.attributes.get("parent").is_some_and(Value::is_string);
        let is_bare = *change.subject == *ROLE || *change.subject == *UNIT && !inherits;
        if change.kind == ChangeKind::Created && is_bare {
            return None;
        }
        let user = change.attributes.get("user").and_then(Value::as_str).and_then(|user| user.parse().ok());
        self.changed.insert((org, user), Until::of(change));
        Some(Meaning::Access { org, user, position: change.position })
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
        let left = caller.org.and_then(|org| self.left.get(&(user, org)));
        if left.is_some_and(|left| issued <= left.issued) {
            return Err(LEFT);
        }
        Ok(())
    }

    /// Up to which position of the log somebody has to be asked what the caller may, whose token was `issued` then; `None` when
    /// the token says what is so.
    pub(super) fn asks(&self, caller: &Caller, issued: i64) -> Option<i64> {
        let (org, user) = (caller.org?, caller.answerable()?);
        let changed = [Some(user), None].map(|user| self.changed.get(&(org, user)));
        let changed = changed.into_iter().flatten().filter(|until| issued <= until.issued);
        changed.map(|until| until.position).max()
    }

    /// Remembers with which rights somebody has come: they are told when they have fewer. Of several tokens one may say more than
    /// another.
    pub(super) fn note(&self, caller: &Caller) {
        let Some(org) = caller.org else { return };
        let entry = self.seen.entry((org, caller.subject));
        entry.and_upsert_with(|before| {
            let before = before.map(moka::Entry::into_value);
            let said = before.iter().flat_map(|held| held.scopes.iter()).chain(caller.permissions.iter());
            let scopes = said.cloned().collect();
            // Before they are asked for, a token's caller has none.
            let kept = before.as_ref().filter(|_| caller.rights.is_none()).map(|held| held.rights.clone());
            let rights = kept.unwrap_or_else(|| caller.rights.clone());
            Arc::new(Held { is_member: true, scopes, rights, until: None })
        });
    }

    /// Who has come to a tenant lately: one person with all programs, or everybody.
    fn seen_in(&self, org: OrgId, user: Option<UserId>) -> Vec<(Subject, Arc<Held>)> {
        let concerns = |subject: Subject| match subject {
            Subject::User(of) | Subject::Machine { maker: of, .. } => user.is_none_or(|user| user == of),
            Subject::Anonymous | Subject::External | Subject::System => false,
        };
        let seen = self.seen.iter().filter(|(key, _)| key.0 == org && concerns(key.1));
        seen.map(|(key, held)| (key.1, held)).collect()
    }

    /// Asks what those may who have come to a tenant, and tells of those to whom that is news. Of nobody who cannot be asked about
    /// anything is believed.
    async fn compare(
        &self,
        machines: &dyn VerifyMachines,
        (org, user, position): (OrgId, Option<UserId>, i64),
    ) -> Vec<Revocation> {
        let seen = self.seen_in(org, user);
        let mut news = Vec::new();
        for some in seen.chunks(MAX_ACCESS_SUBJECTS) {
            let subjects = some.iter().filter_map(|(subject, held)| asked_about(*subject, held)).collect();
            let answer = machines.access(AccessQuestion { org, subjects, at_least: position }).await;
            let now = answer.unwrap_or_else(|error| {
                tracing::warn!(%error, "what people may cannot be asked; they are let go of");
                vec![Held::default(); some.len()]
            });
            for ((subject, before), now) in some.iter().zip(now) {
                news.extend(told(org, *subject, before, &now));
                self.seen.insert((org, *subject), Arc::new(now));
            }
        }
        news
    }
}

/// Whoever a token is about is a member no more.
pub(super) const LEFT: &str = "you are no longer a member of this organization: get a token for another one";

/// Who is to be asked about; a program is asked about with the scopes that it came with.
pub(super) fn asked_about(subject: Subject, held: &Held) -> Option<AccessSubject> {
    match subject {
        Subject::User(user) => Some(AccessSubject { user, machine: None }),
        Subject::Machine { id, maker } => {
            Some(AccessSubject { user: maker, machine: Some((id, held.scopes.clone())) })
        }
        Subject::Anonymous | Subject::External | Subject::System => None,
    }
}

/// What there is to tell of somebody who had those rights and has these: fewer end streams; others have credentials verified
/// anew, and streams go on.
fn told(org: OrgId, subject: Subject, before: &Held, now: &Held) -> Option<Revocation> {
    let is_less = before.is_more_than(now);
    let is_same = before.scopes == now.scopes && before.rights == now.rights;
    match subject {
        _ if is_same && now.is_member => None,
        Subject::User(user) if is_less => Some(Revocation::Membership { user, org }),
        Subject::Machine { id, .. } if is_less => Some(Revocation::MachineRights(id)),
        Subject::User(user) | Subject::Machine { maker: user, .. } => Some(Revocation::Rights { user, org }),
        Subject::Anonymous | Subject::External | Subject::System => None,
    }
}

/// Tells a gateway in the same process of what the event log says has ended.
pub struct RevokedByLog {
    store: Store,
    tail: Tail,
    revoked: Arc<Revoked>,
    machines: Arc<dyn VerifyMachines>,
}

impl RevokedByLog {
    /// Keeps `revoked` true, and tells of what it takes in; `machines` is asked what those may to whom something has changed.
    pub fn new(
        (store, tail): (Store, Tail),
        revoked: Arc<Revoked>,
        machines: Arc<dyn VerifyMachines>,
    ) -> Self {
        Self { store, tail, revoked, machines }
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
        let taken = stream::unfold((first.chain(heard).boxed(), -1), move |(mut heard, mut position)| {
            let (store, revoked) = (store.clone(), Arc::clone(&revoked));
            async move {
                let changes = match heard.next().await? {
                    Heard::Change(change) => vec![change],
                    Heard::Gap => read_until_it_works(&store).await,
                };
                // Another log has places of its own.
                if changes.last().is_some_and(|last| last.position < position) {
                    position = -1;
                }
                let mut meanings = Vec::new();
                for change in changes {
                    let meaning = revoked.take(&change);
                    // What was told before is not told again: whoever got a new token since would lose their streams to it.
                    meanings.extend(meaning.filter(|_| change.position > position));
                    position = position.max(change.position);
                }
                Some((meanings, (heard, position)))
            }
        });
        revocations(&self.revoked, &self.machines, taken.boxed())
    }
}

/// What there is to tell of changes. What has ended is told of at once; whom else something concerns has to be asked about first,
/// and is asked about together with all that comes in meanwhile.
pub(super) fn revocations(
    revoked: &Arc<Revoked>,
    machines: &Arc<dyn VerifyMachines>,
    meanings: BoxStream<'static, Vec<Meaning>>,
) -> BoxStream<'static, Revocation> {
    let (revoked, machines) = (Arc::clone(revoked), Arc::clone(machines));
    let asking = Asking { meanings, waiting: BTreeMap::new(), asked: None };
    let told = stream::unfold(asking, move |mut asking| {
        let (revoked, machines) = (Arc::clone(&revoked), Arc::clone(&machines));
        async move {
            loop {
                if asking.asked.is_none() && !asking.waiting.is_empty() {
                    let (revoked, machines) = (Arc::clone(&revoked), Arc::clone(&machines));
                    let waiting = std::mem::take(&mut asking.waiting);
                    asking.asked =
                        Some(async move { revoked.compare_all(&*machines, waiting).await }.boxed());
                }
                let answered = async {
                    match &mut asking.asked {
                        Some(asked) => asked.await,
                        None => std::future::pending().await,
                    }
                };
                tokio::select! {
                    biased;
                    meanings = asking.meanings.next() => {
                        let ended = asking.take(meanings?);
                        if !ended.is_empty() {
                            return Some((ended, asking));
                        }
                    }
                    told = answered => {
                        asking.asked = None;
                        return Some((told, asking));
                    }
                }
            }
        }
    });
    told.flat_map(stream::iter).boxed()
}

/// Whom something concerns, by tenant: one person, or anybody there. Up to which position of the log it has to be known.
type Concerned = BTreeMap<(OrgId, Option<UserId>), i64>;

struct Asking {
    meanings: BoxStream<'static, Vec<Meaning>>,
    waiting: Concerned,
    asked: Option<BoxFuture<'static, Vec<Revocation>>>,
}

impl Asking {
    /// What has ended; of the rest is asked by and by.
    fn take(&mut self, meanings: Vec<Meaning>) -> Vec<Revocation> {
        let mut ended = Vec::new();
        for meaning in meanings {
            match meaning {
                Meaning::Ends(revocation) => ended.push(revocation),
                Meaning::Access { org, user, position } => {
                    let last = self.waiting.entry((org, user)).or_insert(position);
                    *last = position.max(*last);
                }
            }
        }
        ended
    }
}

impl Revoked {
    async fn compare_all(&self, machines: &dyn VerifyMachines, concerned: Concerned) -> Vec<Revocation> {
        let mut told = Vec::new();
        for ((org, user), position) in concerned {
            told.extend(self.compare(machines, (org, user, position)).await);
        }
        told
    }
}

/// What the log says of the time in which tokens were made that are still good.
async fn read_all(store: &Store) -> Result<Vec<Change>, StoreError> {
    let since = store.clock().now() - TimeDelta::from_std(KEPT).unwrap_or(TimeDelta::MAX);
    Log::new(store.clone()).since(since, &subjects()).await
}

async fn read_until_it_works(store: &Store) -> Vec<Arc<Change>> {
    loop {
        match read_all(store).await {
            Ok(changes) => return changes.into_iter().map(Arc::new).collect(),
            Err(error) => {
                tracing::warn!(%error, "what was revoked cannot be read; it is tried again");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
