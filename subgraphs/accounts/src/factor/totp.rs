//! Codes of an app: time-based one-time passwords (RFC 6238), in the one form that every app understands.

use chrono::{DateTime, Utc};
use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, Mac};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use pulse_types::Secret;
use sha1::Sha1;

/// For how many seconds the app shows a code.
const STEP_SECONDS: i64 = 30;

/// Clocks may differ by so many steps.
const SKEW: i64 = 1;

/// Codes have six digits.
const MODULUS: u32 = 1_000_000;

/// As many bytes as the hash has (RFC 4226 §4).
const SECRET_BYTES: usize = 20;

/// What the app and Pulse share.
pub(crate) struct TotpSecret([u8; SECRET_BYTES]);

impl TotpSecret {
    /// Another one each time.
    pub(crate) fn random() -> Self {
        Self(rand::random())
    }

    /// The secret in base32, as apps take it when it is typed in.
    pub(crate) fn to_base32(&self) -> Secret {
        Secret::new(BASE32_NOPAD.encode(&self.0))
    }

    /// The secret that was written in base32, if it is one.
    pub(crate) fn from_base32(text: &Secret) -> Option<Self> {
        let bytes = BASE32_NOPAD.decode(text.expose().as_bytes()).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// What an app reads out of a picture: the secret, and what to call it.
    pub(crate) fn uri(&self, issuer: &str, account: &str) -> Secret {
        let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        let (issuer, account) = (encode(issuer), encode(account));
        let secret = self.to_base32();
        Secret::new(format!(
            "otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}&algorithm=SHA1&digits=6&period={STEP_SECONDS}",
            secret.expose()
        ))
    }

    /// The step of which the app shows this code now, or a step ago, or in a step. Steps up to `last_used` do not count: no
    /// code is good twice, and none that is older than one that was used.
    pub(crate) fn step_of(&self, code: &str, now: DateTime<Utc>, last_used: i64) -> Option<i64> {
        let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
        if code.len() != 6 || !code.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        let code: u32 = code.parse().ok()?;
        let step = now.timestamp().div_euclid(STEP_SECONDS);
        // Each is computed, whichever it is.
        let matching = (step - SKEW..=step + SKEW).map(|step| (step, self.code(step) == code));
        matching
            .fold(None, |found, (step, is_right)| if is_right { Some(step) } else { found })
            .filter(|step| *step > last_used)
    }

    /// The code of a step (RFC 4226 §5.3).
    fn code(&self, step: i64) -> u32 {
        let mut mac = <Hmac<Sha1> as Mac>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(&step.to_be_bytes());
        let digest = mac.finalize().into_bytes();
        let offset = usize::from(digest[19] & 0xf);
        let four = [digest[offset], digest[offset + 1], digest[offset + 2], digest[offset + 3]];
        (u32::from_be_bytes(four) & 0x7fff_ffff) % MODULUS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn codes_are_those_of_the_rfc() {
        // RFC 6238, appendix B, SHA-1; of its eight digits the last six.
        let secret = TotpSecret(*b"12345678901234567890");
        for (seconds, code) in [
            (59, 287_082),
            (1_111_111_109, 81_804),
            (1_111_111_111, 50_471),
            (1_234_567_890, 5_924),
            (2_000_000_000, 279_037),
            (20_000_000_000, 353_130),
        ] {
            assert_eq!(secret.code(seconds / 30), code, "{seconds}");
        }
    }

    #[test]
    fn a_code_is_good_a_step_before_and_after_and_once() {
        let secret = TotpSecret(*b"12345678901234567890");
        let step = 2_000_000_000 / 30;
        let good = |seconds, last_used| secret.step_of("279 037", at(seconds), last_used);
        assert_eq!(good(2_000_000_000, 0), Some(step));
        assert_eq!(good((step - 1) * 30, 0), Some(step));
        assert_eq!(good((step + 2) * 30 - 1, 0), Some(step));
        assert_eq!(good((step - 1) * 30 - 1, 0), None);
        assert_eq!(good((step + 2) * 30, 0), None);
        assert_eq!(good(2_000_000_000, step - 1), Some(step));
        assert_eq!(good(2_000_000_000, step), None);
        for wrong in ["279038", "", "27903", "2790370", "+79037", "２７９０３７", "abcdef"] {
            assert_eq!(secret.step_of(wrong, at(2_000_000_000), 0), None, "{wrong}");
        }
    }

    #[test]
    fn a_secret_is_written_for_people_and_for_apps() {
        let secret = TotpSecret(*b"12345678901234567890");
        let text = secret.to_base32();
        assert_eq!(text.expose(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(TotpSecret::from_base32(&text).unwrap().0, secret.0);
        assert!(TotpSecret::from_base32(&Secret::new("GEZDGNBV")).is_none());
        let uri = secret.uri("Pulse & Co", "ada@example.com");
        let expected = "otpauth://totp/Pulse%20%26%20Co:ada%40example%2Ecom?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Pulse%20%26%20Co&algorithm=SHA1&digits=6&period=30";
        assert_eq!(uri.expose(), expected);
        assert_ne!(TotpSecret::random().0, TotpSecret::random().0);
    }
}
