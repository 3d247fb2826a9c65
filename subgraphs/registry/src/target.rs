//! Names of environments, variants and subgraphs.

/// The variant that is meant where none is named.
pub(crate) const USUAL_VARIANT: &str = "current";

/// A name has at most so many characters.
const LONGEST: usize = 64;

/// Where schemas are published to: a variant of a graph in an environment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Target {
    pub(crate) environment: String,
    pub(crate) variant: String,
}

/// A name that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{given:?} is no name of {what}: it has 1 to {LONGEST} letters, digits, dots, hyphens and underscores, and begins with a letter or digit"
)]
pub(crate) struct InvalidName {
    /// What it should name.
    pub(crate) what: &'static str,
    /// The argument that it was given in.
    pub(crate) argument: &'static str,
    /// What was given, cut to 64 characters.
    pub(crate) given: String,
}

impl Target {
    /// Checks both names.
    pub(crate) fn try_new(environment: String, variant: String) -> Result<Self, InvalidName> {
        check_name("an environment", "environment", &environment)?;
        check_name("a variant", "variant", &variant)?;
        Ok(Self { environment, variant })
    }
}

/// Checks the name of a subgraph.
pub(crate) fn check_subgraph(name: &str) -> Result<(), InvalidName> {
    check_name("a subgraph", "subgraph", name)
}

/// Checks the name of an environment.
pub(crate) fn check_environment(name: &str) -> Result<(), InvalidName> {
    check_name("an environment", "environment", name)
}

fn check_name(what: &'static str, argument: &'static str, given: &str) -> Result<(), InvalidName> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_');
    let begins_well = given.starts_with(|letter: char| letter.is_ascii_alphanumeric());
    if begins_well && given.len() <= LONGEST && given.chars().all(is_part) {
        return Ok(());
    }
    Err(InvalidName { what, argument, given: given.chars().take(LONGEST).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_begin_with_a_letter_or_digit_and_are_short() {
        for good in ["production", "pr-12", "a", "1.2_x", &"x".repeat(64)] {
            assert_eq!(check_name("a variant", "variant", good), Ok(()), "{good}");
        }
        for bad in ["", "-a", "_a", "a b", "ä", "a/b", &"x".repeat(65)] {
            let refused = check_name("a variant", "variant", bad).unwrap_err();
            assert!(refused.to_string().contains("is no name of a variant"), "{refused}");
        }
    }
}
