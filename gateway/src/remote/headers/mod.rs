//! Header rules: which headers go from a client to a subgraph, and which come back.

mod names;
mod request;
mod response;

pub(crate) use request::RequestHeaders;
pub(crate) use response::{MergedHeaders, ResponseHeaders};

use http::{HeaderName, HeaderValue};
use regex::bytes::Regex;

/// A header rule that cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a header rule is wrong: {0}")]
pub struct InvalidHeaderRule(String);

/// Which of a rule's settings is given. Exactly one must be.
fn only<'a>(settings: &[(&'static str, &'a str)]) -> Result<(&'static str, &'a str), InvalidHeaderRule> {
    let mut given = settings.iter().filter(|(_, text)| !text.is_empty());
    match (given.next(), given.next()) {
        (Some(one), None) => Ok(*one),
        (None, _) => {
            let names: Vec<_> = settings.iter().map(|(name, _)| format!("`{name}`")).collect();
            Err(InvalidHeaderRule(format!("it sets none of {}", names.join(", "))))
        }
        (Some((one, _)), Some((other, _))) => {
            Err(InvalidHeaderRule(format!("it sets both `{one}` and `{other}`; make two rules of it")))
        }
    }
}

/// Refuses settings that do not go with the one that makes the rule.
fn unused(kind: &str, settings: &[(&str, &str)]) -> Result<(), InvalidHeaderRule> {
    match settings.iter().find(|(_, text)| !text.is_empty()) {
        None => Ok(()),
        Some((name, _)) => Err(InvalidHeaderRule(format!("`{name}` does not go with `{kind}`"))),
    }
}

fn name(text: &str) -> Result<HeaderName, InvalidHeaderRule> {
    text.parse().map_err(|_| InvalidHeaderRule(format!("{text:?} is no name of a header")))
}

fn value(text: &str) -> Result<HeaderValue, InvalidHeaderRule> {
    text.parse().map_err(|_| InvalidHeaderRule(format!("{text:?} is no value of a header")))
}

fn optional<T>(
    text: &str,
    read: impl Fn(&str) -> Result<T, InvalidHeaderRule>,
) -> Result<Option<T>, InvalidHeaderRule> {
    if text.is_empty() { Ok(None) } else { read(text).map(Some) }
}

/// A pattern of whole names, in any case.
fn pattern(text: &str) -> Result<Regex, InvalidHeaderRule> {
    Regex::new(&format!("^(?i-u:{text})$"))
        .map_err(|error| InvalidHeaderRule(format!("{text:?} is no regular expression: {error}")))
}
