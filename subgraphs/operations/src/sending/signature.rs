//! Signatures, as the Standard Webhooks specification says.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use pulse_types::Secret;
use sha2::Sha256;

/// What every secret begins with.
pub(crate) const SECRET_PREFIX: &str = "whsec_";

/// A secret whose text is not `whsec_` and base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a stored signing secret is not whsec_ and base64")]
pub(crate) struct InvalidSecret;

/// The header `webhook-signature`: one signature for each secret, so that receivers may still have the old one.
pub(crate) fn signatures(
    secrets: &[Secret],
    (id, timestamp, body): (&str, i64, &str),
) -> Result<String, InvalidSecret> {
    let sign = |secret: &Secret| {
        let encoded = secret.expose().strip_prefix(SECRET_PREFIX).ok_or(InvalidSecret)?;
        let key = STANDARD.decode(encoded).map_err(|_| InvalidSecret)?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| InvalidSecret)?;
        for part in [id, ".", &timestamp.to_string(), ".", body] {
            mac.update(part.as_bytes());
        }
        Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    };
    Ok(secrets.iter().map(sign).collect::<Result<Vec<_>, _>>()?.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's own libraries.
    #[test]
    fn it_signs_as_the_specification_does() {
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let message = ("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(signatures(std::slice::from_ref(&secret), message).as_deref(), Ok(expected));
        let both = signatures(&[secret, Secret::new("whsec_AAAA")], message).unwrap();
        assert!(both.starts_with(&format!("{expected} v1,")), "{both}");
    }

    #[test]
    fn a_secret_of_another_form_signs_nothing() {
        for text in ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_%"] {
            assert_eq!(signatures(&[Secret::new(text)], ("a", 1, "b")), Err(InvalidSecret));
        }
    }
}
