//! What takes an erasure back: a token that is kept nowhere, since it proves itself.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pulse_sealing::Sealer;
use pulse_types::{PrivacyRequestId, Secret, UserId};
use uuid::Uuid;

const PURPOSE: &str = "accounts.undo_erasure";

/// Which erasure, of whom, asked for by whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct UndoToken {
    pub(super) request: PrivacyRequestId,
    pub(super) person: UserId,
    pub(super) requester: UserId,
}

impl UndoToken {
    /// The token's text: the three ids and their signature.
    pub(super) fn sign(&self, sealer: &Sealer) -> Secret {
        let ids = [self.request.uuid(), self.person.uuid(), self.requester.uuid()];
        let mac = sealer.digest(PURPOSE, &ids.map(|id| id.to_string()).each_ref().map(String::as_str));
        let bytes = [&ids.map(Uuid::into_bytes).concat()[..], &mac].concat();
        Secret::new(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// What the text says, if it was signed here.
    pub(super) fn read(sealer: &Sealer, token: &Secret) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(token.expose()).ok().filter(|bytes| bytes.len() == 80)?;
        let id = |at: usize| Uuid::from_slice(&bytes[at..at + 16]).ok();
        let ids = [id(0)?, id(16)?, id(32)?];
        let [request, person, requester] = ids;
        let texts = ids.map(|id| id.to_string());
        sealer.is_digest(PURPOSE, &texts.each_ref().map(String::as_str), &bytes[48..]).then(|| Self {
            request: PrivacyRequestId::from_uuid(request),
            person: UserId::from_uuid(person),
            requester: UserId::from_uuid(requester),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_as_it_was_made_alone() {
        let sealer =
            Sealer::try_new(&Secret::new("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="), &[]).unwrap();
        let id = Uuid::from_u128;
        let token = UndoToken {
            request: PrivacyRequestId::from_uuid(id(1)),
            person: UserId::from_uuid(id(2)),
            requester: UserId::from_uuid(id(3)),
        };
        let text = token.sign(&sealer);
        assert_eq!(UndoToken::read(&sealer, &text), Some(token));
        let mut bytes = URL_SAFE_NO_PAD.decode(text.expose()).unwrap();
        bytes[20] ^= 1;
        for other in [URL_SAFE_NO_PAD.encode(bytes), String::new(), "AAAA".to_owned(), "%".to_owned()] {
            assert_eq!(UndoToken::read(&sealer, &Secret::new(other)), None);
        }
    }
}
