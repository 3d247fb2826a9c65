//! The name of an organization in addresses and commands.

use serde::Serialize;

/// 2 to 63 characters of a–z, 0–9 and `-`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Slug(String);

/// Text that is no slug.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a slug has 2 to 63 characters of a-z, 0-9 and \"-\", such as acme-labs")]
pub struct InvalidSlug;

impl Slug {
    /// Checks it.
    pub(crate) fn try_new(text: &str) -> Result<Self, InvalidSlug> {
        let allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
        if (2..=63).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidSlug)
        }
    }

    /// The slug.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_short_and_plain() {
        let (longest, longer) = ("a".repeat(63), "a".repeat(64));
        for text in ["a1", "acme-labs", &longest] {
            assert_eq!(Slug::try_new(text).unwrap().as_str(), text);
        }
        for text in ["", "a", "Acme", "acme labs", "acme_labs", "äcme", &longer] {
            assert_eq!(Slug::try_new(text), Err(InvalidSlug), "{text}");
        }
    }
}
