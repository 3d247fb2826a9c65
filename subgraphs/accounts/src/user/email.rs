//! Addresses that people sign in with.

use serde::Serialize;

/// An email address in lower case. What it may contain is what browsers accept (HTML standard, "valid e-mail address"),
/// with a dot in the domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct EmailAddress(String);

/// Text that is no email address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEmail {
    /// Not of the form of an address.
    #[error("this is not an email address: expected something like name@example.com")]
    Form,
    /// Too long.
    #[error("an email address has at most 254 characters, this one has {0}")]
    Length(usize),
}

impl EmailAddress {
    /// Trims it, puts it into lower case and checks it.
    pub(crate) fn try_new(text: &str) -> Result<Self, InvalidEmail> {
        let text = text.trim();
        let length = text.chars().count();
        if length > 254 {
            return Err(InvalidEmail::Length(length));
        }
        let (local, domain) = text.rsplit_once('@').ok_or(InvalidEmail::Form)?;
        let labels: Vec<&str> = domain.split('.').collect();
        if is_local(local) && labels.len() > 1 && labels.into_iter().all(is_label) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(InvalidEmail::Form)
        }
    }

    /// The address.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_local(text: &str) -> bool {
    let allowed = |c: u8| c.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&c);
    (1..=64).contains(&text.len()) && text.bytes().all(allowed)
}

fn is_label(text: &str) -> bool {
    let allowed = |c: u8| c.is_ascii_alphanumeric() || c == b'-';
    (1..=63).contains(&text.len())
        && text.bytes().all(allowed)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_trimmed_and_in_lower_case() {
        let address = EmailAddress::try_new(" Ada.Lovelace+notes@Example.COM ").unwrap();
        assert_eq!(address.as_str(), "ada.lovelace+notes@example.com");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@example.com", "a".repeat(65));
        for text in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "ada@host",
            "a b@example.com",
            "a@b@example.com",
            "a@-b.com",
            "a@b..com",
            &long,
        ] {
            assert_eq!(EmailAddress::try_new(text), Err(InvalidEmail::Form), "{text}");
        }
        let longer = format!("a@{}.com", "b".repeat(260));
        assert_eq!(EmailAddress::try_new(&longer), Err(InvalidEmail::Length(266)));
    }
}
