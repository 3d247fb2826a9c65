//! Which of an operation's plans a request gets.

use pulse_types::{Caller, Subject};
use sha2::{Digest, Sha256};

use super::operate::Client;
use crate::config::{Draw, OverridesConfig};
use crate::engine::{OverrideLabels, PlanVariant, Share};

/// The labels that are on for this client. The same client gets the same plan again, as far as the settings say.
pub(super) fn variant(config: &OverridesConfig, labels: &OverrideLabels, client: &Client) -> PlanVariant {
    if labels.is_empty() {
        return PlanVariant::default();
    }
    let seed = seed(config.draw, &client.caller);
    let overrides = labels.active(draw(&seed, ""), |label| {
        let rule = config.labels.get(label);
        rule.is_some_and(|rule| rule.is_on(&client.caller, &client.headers, || draw(&seed, label)))
    });
    PlanVariant { overrides, ..PlanVariant::default() }
}

/// What the numbers of a client come from.
fn seed(draw: Draw, caller: &Caller) -> Vec<u8> {
    match (draw, caller.subject) {
        (Draw::Request, _) | (_, Subject::Anonymous) => caller.request.uuid().as_bytes().to_vec(),
        (Draw::Caller, Subject::External) => {
            let identity = caller.identity.as_ref().map(|identity| (&identity.issuer, &identity.subject));
            serde_json::to_vec(&identity).expect("two names are plain data")
        }
        (Draw::Caller, subject) => serde_json::to_vec(&subject).expect("a subject is plain data"),
    }
}

/// The same for the same seed and label, and evenly spread over all of them.
fn draw(seed: &[u8], label: &str) -> Share {
    let hash = Sha256::new().chain_update(label).chain_update([0]).chain_update(seed).finalize();
    let number = hash.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    Share::of_whole(number % Share::WHOLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_spread_evenly() {
        let half = Share::of_whole(Share::WHOLE / 2);
        let below = (0..1000_u32).filter(|seed| draw(&seed.to_be_bytes(), "label") < half).count();
        assert!((450..550).contains(&below), "{below}");
    }
}
