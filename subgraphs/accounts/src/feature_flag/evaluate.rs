//! Whether a feature is on for somebody: one pure function.

use std::collections::BTreeSet;

use pulse_types::{Role, UnitId, UserId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// For whom a feature is on or off. Of what is given, all must hold; of each list, one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) roles: Vec<Role>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) units: Vec<UnitId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) users: Vec<UserId>,
    /// The share of all, in per cent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) percentage: Option<u8>,
    /// Whether the feature is on for those for whom it holds.
    pub(crate) on: bool,
}

/// A feature, as far as it decides.
#[derive(Debug, Clone)]
pub(crate) struct Flag<'a> {
    pub(crate) id: Uuid,
    pub(crate) is_on: bool,
    pub(crate) by_default: bool,
    pub(crate) rules: &'a [Rule],
}

/// Who asks.
#[derive(Debug, Clone)]
pub(crate) struct Asker {
    pub(crate) id: Option<UserId>,
    pub(crate) role: Option<Role>,
    /// The units that it belongs to, and those above them.
    pub(crate) units: BTreeSet<UnitId>,
}

/// Why a feature is on or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, async_graphql::Enum)]
#[graphql(name = "FlagReason")]
pub(crate) enum Reason {
    /// There is no such feature here.
    Unknown,
    /// It is off for everybody.
    Off,
    /// A rule says so.
    Rule,
    /// No rule holds.
    Default,
}

/// The first rule that holds decides.
pub(crate) fn evaluate(flag: &Flag<'_>, asker: &Asker) -> (bool, Reason) {
    if !flag.is_on {
        return (false, Reason::Off);
    }
    match flag.rules.iter().find(|rule| holds(rule, flag.id, asker)) {
        Some(rule) => (rule.on, Reason::Rule),
        None => (flag.by_default, Reason::Default),
    }
}

fn holds(rule: &Rule, flag: Uuid, asker: &Asker) -> bool {
    let Rule { roles, units, users, percentage, on: _ } = rule;
    (roles.is_empty() || asker.role.is_some_and(|role| roles.contains(&role)))
        && (units.is_empty() || units.iter().any(|unit| asker.units.contains(unit)))
        && (users.is_empty() || asker.id.is_some_and(|id| users.contains(&id)))
        && percentage.is_none_or(|share| asker.id.is_some_and(|id| part(flag, id) < u32::from(share) * 100))
}

/// Where somebody stands among all, 0 to 9,999: always the same for a feature, and at another place for another one, so that
/// it is not always the same people who are first.
fn part(flag: Uuid, id: UserId) -> u32 {
    let digest = Sha256::new().chain_update(flag.as_bytes()).chain_update(id.uuid().as_bytes()).finalize();
    let [a, b, c, d, ..] = <[u8; 32]>::from(digest);
    u32::from_be_bytes([a, b, c, d]) % 10_000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asker(id: u128) -> Asker {
        let id = Some(UserId::from_uuid(Uuid::from_u128(id)));
        Asker { id, role: Some(Role::Member), units: BTreeSet::new() }
    }

    fn share(flag: u128, percentage: u8, asker: &Asker) -> bool {
        let rules = [Rule { percentage: Some(percentage), on: true, ..Rule::default() }];
        let flag = Flag { id: Uuid::from_u128(flag), is_on: true, by_default: false, rules: &rules };
        evaluate(&flag, asker).0
    }

    #[test]
    fn a_share_is_stable_grows_only_and_is_about_what_it_says() {
        let seed: u64 = rand::random();
        eprintln!("seed {seed}");
        let mut state = u128::from(seed);
        let mut next = || {
            // A linear congruential generator of 128 bits, for ids alone.
            state = state.wrapping_mul(0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645).wrapping_add(1);
            state
        };
        for _ in 0..20 {
            let flag = next();
            let people: Vec<Asker> = (0..500).map(|_| asker(next())).collect();
            for person in &people {
                let on: Vec<bool> = (0..=100).map(|percentage| share(flag, percentage, person)).collect();
                let again: Vec<bool> = (0..=100).map(|percentage| share(flag, percentage, person)).collect();
                assert_eq!(on, again);
                assert!(on.is_sorted(), "who is in stays in");
                assert_eq!((on[0], on[100]), (false, true));
            }
            let half = people.iter().filter(|person| share(flag, 50, person)).count();
            // Further than six standard deviations from half of 500.
            assert!((180..=320).contains(&half), "{half} of 500");
        }
    }

    #[test]
    fn a_place_among_all_never_changes() {
        let place = |flag, id| part(Uuid::from_u128(flag), UserId::from_uuid(Uuid::from_u128(id)));
        assert_ne!(place(1, 1), place(2, 1));
        assert_ne!(place(1, 1), place(1, 2));
    }

    #[test]
    fn the_first_rule_that_holds_decides() {
        let team = UnitId::from_uuid(Uuid::from_u128(7));
        let ada = asker(1);
        let rules = [
            Rule { users: vec![ada.id.unwrap()], on: false, ..Rule::default() },
            Rule { roles: vec![Role::Owner], units: vec![team], on: true, ..Rule::default() },
            Rule { roles: vec![Role::Viewer], on: true, ..Rule::default() },
        ];
        let flag = Flag { id: Uuid::from_u128(9), is_on: true, by_default: true, rules: &rules };
        assert_eq!(evaluate(&flag, &ada), (false, Reason::Rule));
        assert_eq!(evaluate(&flag, &asker(2)), (true, Reason::Default));
        let owner = Asker { role: Some(Role::Owner), ..asker(2) };
        let off = Flag { by_default: false, ..flag.clone() };
        assert_eq!(evaluate(&off, &owner), (false, Reason::Default));
        let inside = Asker { units: BTreeSet::from([team]), ..owner };
        assert_eq!(evaluate(&off, &inside), (true, Reason::Rule));
        assert_eq!(evaluate(&Flag { is_on: false, ..flag }, &inside), (false, Reason::Off));
        let nobody = Asker { id: None, role: None, units: BTreeSet::new() };
        let all = [Rule { percentage: Some(100), on: true, ..Rule::default() }];
        let shared = Flag { rules: &all, ..off };
        assert_eq!(evaluate(&shared, &nobody), (false, Reason::Default));
    }
}
