//! What people and organizations are called.

use serde::Serialize;

/// A name for people: 1 to 120 characters, without line breaks and other control characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Name(String);

/// Text that is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// Too short or too long.
    #[error("a name has 1 to 120 characters, this one has {0}")]
    Length(usize),
    /// It would not print on one line.
    #[error("a name has no line breaks or other control characters")]
    ControlCharacter,
}

impl Name {
    /// Trims and checks it.
    pub(crate) fn try_new(text: &str) -> Result<Self, InvalidName> {
        let text = text.trim();
        let length = text.chars().count();
        if !(1..=120).contains(&length) {
            return Err(InvalidName::Length(length));
        }
        if text.chars().any(char::is_control) {
            return Err(InvalidName::ControlCharacter);
        }
        Ok(Self(text.to_owned()))
    }

    /// The name.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_trimmed_and_measured_in_characters() {
        assert_eq!(Name::try_new("  Zoë ").unwrap().as_str(), "Zoë");
        assert!(Name::try_new(&"ö".repeat(120)).is_ok());
        assert_eq!(Name::try_new(&"ö".repeat(121)), Err(InvalidName::Length(121)));
        assert_eq!(Name::try_new("   "), Err(InvalidName::Length(0)));
        assert_eq!(Name::try_new("a\nb"), Err(InvalidName::ControlCharacter));
    }
}
