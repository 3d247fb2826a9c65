//! Recovery codes: for whoever has lost the app.

use std::collections::HashSet;

use data_encoding::BASE32_NOPAD;
use pulse_types::{Secret, UserId};
use sha2::{Digest, Sha256};

/// How many a person gets at once.
const RECOVERY_CODES: usize = 10;

/// New codes, as people keep them: four groups of four, with 80 random bits.
pub(super) fn random_codes() -> Vec<Secret> {
    let mut codes = HashSet::new();
    while codes.len() < RECOVERY_CODES {
        codes.insert(BASE32_NOPAD.encode(&rand::random::<[u8; 10]>()).to_ascii_lowercase());
    }
    codes.into_iter().map(|code| Secret::new(grouped(&code))).collect()
}

/// What the database keeps of a person's code. Case, spaces and dashes do not matter. It needs no cost: nobody tries 2^80.
pub(super) fn hash(user: UserId, code: &Secret) -> [u8; 32] {
    let code: String = code.expose().chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    let digest = Sha256::new().chain_update(user.uuid().as_bytes());
    digest.chain_update(code.to_ascii_lowercase()).finalize().into()
}

fn grouped(code: &str) -> String {
    let groups: Vec<&str> = (0..code.len()).step_by(4).map(|at| &code[at..code.len().min(at + 4)]).collect();
    groups.join("-")
}

#[cfg(test)]
mod tests {
    use pulse_types::UserId;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn each_code_is_another_in_four_groups() {
        let codes = random_codes();
        let texts: HashSet<_> = codes.iter().map(Secret::expose).collect();
        assert_eq!(texts.len(), RECOVERY_CODES);
        for text in texts {
            let lengths: Vec<_> = text.split('-').map(str::len).collect();
            assert_eq!(lengths, [4, 4, 4, 4], "{text}");
        }
    }

    #[test]
    fn how_a_code_is_written_does_not_matter_and_whose_it_is_does() {
        let (ada, eve) = (UserId::from_uuid(Uuid::from_u128(1)), UserId::from_uuid(Uuid::from_u128(2)));
        let written = |text: &str| hash(ada, &Secret::new(text));
        assert_eq!(written("abcd-efgh-2345-ijkl"), written(" ABCDEFGH 2345 ijkl\n"));
        assert_ne!(written("abcd-efgh-2345-ijkl"), written("abcd-efgh-2345-ijkm"));
        let code = Secret::new("abcd-efgh-2345-ijkl");
        assert_ne!(hash(ada, &code), hash(eve, &code));
    }
}
