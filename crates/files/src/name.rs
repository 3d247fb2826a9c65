//! Names that are safe to use as paths.

use std::fmt;
use std::str::FromStr;

const MOST_SEGMENTS: usize = 4;
const LONGEST_SEGMENT: usize = 100;

/// A file's name: 1 to 4 segments with `/` between, each of 1 to 100 letters, digits, `.`, `_` and `-` that does not begin with
/// a dot. It leads nowhere but into the store's folder.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FileName(String);

/// Text that is no such name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no name of a file: expected 1 to 4 plain segments such as exports/a.json")]
pub struct InvalidFileName(pub String);

impl FileName {
    /// The name as a relative path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for FileName {
    type Err = InvalidFileName;

    fn from_str(text: &str) -> Result<Self, InvalidFileName> {
        let is_plain = |segment: &str| {
            (1..=LONGEST_SEGMENT).contains(&segment.len())
                && !segment.starts_with('.')
                && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        };
        if text.split('/').count() <= MOST_SEGMENTS && text.split('/').all(is_plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidFileName(text.chars().take(200).collect()))
        }
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_nowhere_but_into_the_folder() {
        for name in ["a", "exports/0198.json", "a/b/c/d-e_f.G"] {
            assert_eq!(name.parse::<FileName>().map(|name| name.to_string()), Ok(name.to_owned()));
        }
        let long = "x".repeat(101);
        for name in [
            "",
            "/",
            "/a",
            "a/",
            "a//b",
            "..",
            "a/../b",
            ".hidden",
            "a/b/c/d/e",
            "a b",
            "a\\b",
            "a\0",
            "ü",
            &long,
        ] {
            assert_eq!(name.parse::<FileName>(), Err(InvalidFileName(name.to_owned())), "{name:?}");
        }
    }
}
