//! Attempts that get slower the more of them fail.
//!
//! What fails is counted by who is tried, from where, and both. Guessing one person's password from one place is slowed down
//! first; many people's from one place, and one person's from many places, later. The last of these never concerns a place
//! from which the person was signed in lately, so that nobody can keep somebody else out.

mod limit;
mod repo;

use std::net::IpAddr;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use pulse_sealing::Sealer;
use pulse_store::{Session, StoreError, Write};
use pulse_types::{Caller, OrgId, UserId};

use limit::Limit;

/// A digest of what is counted.
type Key = [u8; 32];

/// For how long a place is one that the person is known to be at.
const KNOWN_FOR: TimeDelta = TimeDelta::days(90);

/// Whoever tries has to wait.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("too many attempts: try again in {seconds} s")]
pub struct TooOften {
    /// For so many seconds.
    pub(crate) seconds: i64,
}

/// What is counted if something fails, and how much of it is too much.
pub(crate) struct Attempt {
    counted: Vec<(Key, Limit)>,
    /// Of them, what success makes good.
    forgiven: Option<Key>,
}

impl Attempt {
    /// Signing in with this address, whether anybody has it or not.
    pub(crate) async fn to_sign_in(
        nobody: &Session,
        sealer: &Sealer,
        login: &str,
    ) -> Result<Self, StoreError> {
        let place = place(nobody.caller());
        let both =
            sealer.digest("sign-in of somebody somewhere", &[login, place.as_deref().unwrap_or_default()]);
        let mut counted = vec![(both, Limit::OF_BOTH)];
        let mut is_known = false;
        if let Some(place) = &place {
            counted.push((sealer.digest("sign-in somewhere", &[place]), Limit::OF_A_PLACE));
        }
        if let Some(address) = nobody.caller().origin.as_ref().and_then(|origin| origin.address) {
            let since = nobody.store().clock().now() - KNOWN_FOR;
            is_known = repo::was_signed_in_from(nobody, login, &address.to_string(), since).await?;
        }
        if !is_known {
            counted.push((sealer.digest("sign-in of somebody", &[login]), Limit::OF_SOMEBODY));
        }
        Ok(Self { counted, forgiven: Some(both) })
    }

    /// Having a letter sent to this address. Each one counts, since none can fail.
    pub(crate) fn to_be_written_to(caller: &Caller, sealer: &Sealer, address: &str) -> Self {
        let mut counted = vec![(sealer.digest("letter to somebody", &[address]), Limit::OF_LETTERS)];
        if let Some(place) = place(caller) {
            counted.push((sealer.digest("letter from somewhere", &[&place]), Limit::OF_A_PLACE));
        }
        Self { counted, forgiven: None }
    }

    /// Registering with this address. Each one counts: those that are refused say who has registered, the others make people.
    pub(crate) fn to_register(caller: &Caller, sealer: &Sealer, address: &str) -> Self {
        let place = place(caller);
        let both = [address, place.as_deref().unwrap_or_default()];
        let mut counted = vec![(sealer.digest("registering of somebody somewhere", &both), Limit::OF_BOTH)];
        if let Some(place) = &place {
            counted.push((sealer.digest("registering somewhere", &[place]), Limit::OF_REGISTERING));
        }
        Self { counted, forgiven: None }
    }

    /// Being sent to an issuer. Each one counts, until somebody comes back whom the issuer knows.
    pub(crate) fn by_issuer(caller: &Caller, sealer: &Sealer, provider: &str) -> Self {
        let key = |place: &String| sealer.digest("sent to an issuer from somewhere", &[provider, place]);
        let key = place(caller).as_ref().map(key);
        Self { counted: key.map(|key| (key, Limit::OF_A_PLACE)).into_iter().collect(), forgiven: key }
    }

    /// Coming back from an issuer, whichever it was.
    pub(crate) fn to_come_back(caller: &Caller, sealer: &Sealer) -> Self {
        let key = place(caller).map(|place| sealer.digest("back from an issuer somewhere", &[&place]));
        Self { counted: key.map(|key| (key, Limit::OF_A_PLACE)).into_iter().collect(), forgiven: None }
    }

    /// Asking for a token as a program, from an address if it is known. Nobody guesses its secret, so that who has it never waits:
    /// the client is counted where it is tried alone, and nobody keeps it out from elsewhere.
    pub(crate) fn to_get_token(sealer: &Sealer, address: Option<IpAddr>, client: &str) -> Self {
        let place = address.map(place_of);
        let both = [client, place.as_deref().unwrap_or_default()];
        let mut counted = vec![(sealer.digest("token of a client somewhere", &both), Limit::OF_BOTH)];
        if let Some(place) = &place {
            counted.push((sealer.digest("token somewhere", &[place]), Limit::OF_A_PLACE));
        }
        Self { counted, forgiven: None }
    }

    /// Asking how an organization looks that nobody has, or that has set nothing.
    pub(crate) fn to_find_branding(caller: &Caller, sealer: &Sealer) -> Self {
        let key = place(caller).map(|place| sealer.digest("branding from somewhere", &[&place]));
        Self { counted: key.map(|key| (key, Limit::OF_LOOKING)).into_iter().collect(), forgiven: None }
    }

    /// Inviting somebody to a tenant. Each letter counts: 100 an hour by the clock, and few to one address.
    pub(crate) fn to_invite(sealer: &Sealer, (org, address): (OrgId, &str), now: DateTime<Utc>) -> Self {
        const HOUR: i64 = 3_600;
        let (org, hour) = (org.to_string(), now.timestamp().div_euclid(HOUR));
        let left = TimeDelta::seconds((hour + 1) * HOUR - now.timestamp());
        let within = sealer.digest("invitations of an hour", &[&org, &hour.to_string()]);
        let letter = sealer.digest("invitation of somebody", &[&org, address]);
        let counted = vec![(within, Limit::of_invitations(left)), (letter, Limit::OF_LETTERS)];
        Self { counted, forgiven: None }
    }

    /// Showing a second factor, after the first one or in a session that acts as the person.
    pub(crate) async fn to_show_factor(
        person: &Session,
        sealer: &Sealer,
        user: UserId,
    ) -> Result<Self, StoreError> {
        let caller = person.caller();
        let (id, place) = (user.to_string(), place(caller).unwrap_or_default());
        let both = sealer.digest("factor of somebody somewhere", &[&id, &place]);
        let mut counted = vec![(both, Limit::OF_BOTH)];
        let is_known = match caller.origin.as_ref().and_then(|origin| origin.address) {
            Some(address) => {
                let since = person.store().clock().now() - KNOWN_FOR;
                repo::is_known_at(person, user, &address.to_string(), since).await?
            }
            None => false,
        };
        if !is_known {
            counted.push((sealer.digest("factor of somebody", &[&id]), Limit::OF_A_FACTOR));
        }
        Ok(Self { counted, forgiven: Some(both) })
    }

    /// Showing one's own password in a session.
    pub(crate) fn to_prove(sealer: &Sealer, user: UserId) -> Self {
        let key = sealer.digest("proof of somebody", &[&user.to_string()]);
        Self { counted: vec![(key, Limit::OF_BOTH)], forgiven: Some(key) }
    }

    /// Whether it may be tried now. What failed meanwhile counts too: to be asked again before an answer is given away. No
    /// connection is kept: hashes take long, and many wait for them.
    pub(crate) async fn check(&self, session: &Session) -> Result<Result<(), TooOften>, StoreError> {
        let now = session.store().clock().now();
        let until = repo::blocked_until(session, &self.keys()).await?;
        session.forget().await;
        Ok(wait(until, now))
    }

    /// The same in a write, in which nobody else counts meanwhile.
    pub(crate) async fn check_in_tx(&self, write: &mut Write) -> Result<Result<(), TooOften>, StoreError> {
        let now = write.now();
        let until = repo::lock_in_tx(write, &self.keys()).await?;
        Ok(wait(until, now))
    }

    /// The same, where it counts at once.
    pub(crate) async fn count_in_tx(&self, write: &mut Write) -> Result<Result<(), TooOften>, StoreError> {
        if let Err(too_often) = self.check_in_tx(write).await? {
            return Ok(Err(too_often));
        }
        self.failed_in_tx(write).await.map(Ok)
    }

    /// It has failed.
    pub(crate) async fn failed_in_tx(&self, write: &mut Write) -> Result<(), StoreError> {
        let counts = repo::count_in_tx(write, &self.keys()).await?;
        let now = write.now();
        let blocked = counts.into_iter().filter_map(|(key, failures)| {
            let (_, limit) = self.counted.iter().find(|(counted, _)| counted[..] == key[..])?;
            limit.delay(failures).map(|delay| (key, now + delay))
        });
        let (keys, until): (Vec<Vec<u8>>, Vec<DateTime<Utc>>) = blocked.unzip();
        repo::block_in_tx(write, &keys, &until).await
    }

    /// It went well: who tried is no stranger here.
    pub(crate) async fn succeeded_in_tx(&self, write: &mut Write) -> Result<(), StoreError> {
        match &self.forgiven {
            Some(key) => repo::forget_in_tx(write, key).await,
            None => Ok(()),
        }
    }

    /// In one order, so that no two wait for each other.
    fn keys(&self) -> Vec<Vec<u8>> {
        let mut keys: Vec<_> = self.counted.iter().map(|(key, _)| key.to_vec()).collect();
        keys.sort_unstable();
        keys
    }
}

/// A session of nobody who asks from where this one does.
pub(crate) fn nobody(session: &Session) -> Session {
    let asked = session.caller();
    let caller = Caller { origin: asked.origin.clone(), ..Caller::anonymous(asked.request) };
    session.store().session(Arc::new(caller))
}

/// Where the caller asks from: its address, of IPv6 the network, which is what one customer has.
fn place(caller: &Caller) -> Option<String> {
    caller.origin.as_ref()?.address.map(place_of)
}

fn place_of(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

fn wait(until: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Result<(), TooOften> {
    match until.map(|until| until - now).filter(|left| *left > TimeDelta::zero()) {
        Some(left) => Err(TooOften { seconds: (left.num_milliseconds() + 999) / 1000 }),
        None => Ok(()),
    }
}
