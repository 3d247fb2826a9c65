//! Whose requests are counted together: an expression such as `caller.org+operation` or `caller.user|ip`.

use std::fmt;

use http::HeaderName;
use serde::{Deserialize, Serialize};

/// Parts joined by `+`, each with alternatives joined by `|`, of which the first that a request has is used. Requests that
/// have none of them are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyExpression(Vec<Vec<KeyPart>>);

/// Something that tells requests apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeyPart {
    /// The organization that the caller acts in.
    Org,
    /// The person, or whom another issuer of tokens knows.
    User,
    /// The API key as it was sent.
    ApiKey,
    /// The client's address.
    Ip,
    /// The operation's name.
    Operation,
    /// A header of the request.
    Header(HeaderName),
    /// A claim of the caller's token.
    Claim(String),
}

/// An expression that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no part of a key: write caller.org, caller.user, caller.api_key, ip, operation, header:NAME or claim:NAME, \
     joined with `+`, or with `|` for what to use instead"
)]
pub struct InvalidKeyExpression(String);

impl KeyExpression {
    /// The key that all requests have in common.
    pub(crate) const fn everybody() -> Self {
        Self(Vec::new())
    }

    /// The caller, whoever it is.
    pub(crate) fn caller() -> Self {
        Self(vec![vec![KeyPart::User]])
    }

    /// The parts, each with its alternatives.
    pub(crate) fn parts(&self) -> &[Vec<KeyPart>] {
        &self.0
    }
}

impl TryFrom<String> for KeyExpression {
    type Error = InvalidKeyExpression;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let alternatives = |part: &str| part.split('|').map(key_part).collect::<Result<Vec<_>, _>>();
        Ok(Self(text.split('+').map(alternatives).collect::<Result<_, _>>()?))
    }
}

fn key_part(text: &str) -> Result<KeyPart, InvalidKeyExpression> {
    let text = text.trim();
    let invalid = || InvalidKeyExpression(text.to_owned());
    match text.split_once(':') {
        None => match text {
            "caller.org" => Ok(KeyPart::Org),
            "caller.user" => Ok(KeyPart::User),
            "caller.api_key" => Ok(KeyPart::ApiKey),
            "ip" => Ok(KeyPart::Ip),
            "operation" => Ok(KeyPart::Operation),
            _ => Err(invalid()),
        },
        Some(("header", name)) => name.parse().map(KeyPart::Header).map_err(|_| invalid()),
        Some(("claim", name)) if !name.is_empty() => Ok(KeyPart::Claim(name.to_owned())),
        Some(_) => Err(invalid()),
    }
}

impl fmt::Display for KeyPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Org => f.write_str("caller.org"),
            Self::User => f.write_str("caller.user"),
            Self::ApiKey => f.write_str("caller.api_key"),
            Self::Ip => f.write_str("ip"),
            Self::Operation => f.write_str("operation"),
            Self::Header(name) => write!(f, "header:{name}"),
            Self::Claim(name) => write!(f, "claim:{name}"),
        }
    }
}

impl From<KeyExpression> for String {
    fn from(key: KeyExpression) -> Self {
        let alternatives =
            |part: &Vec<KeyPart>| part.iter().map(ToString::to_string).collect::<Vec<_>>().join("|");
        key.0.iter().map(alternatives).collect::<Vec<_>>().join("+")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_reads_as_it_is_written() {
        for text in ["caller.org", "caller.api_key|caller.user|ip+operation", "header:x-client+claim:plan"] {
            assert_eq!(String::from(KeyExpression::try_from(text.to_owned()).unwrap()), text);
        }
        for text in ["", "caller", "caller.org+", "header:", "header:a b", "claim:", "cookie:x"] {
            assert!(KeyExpression::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
