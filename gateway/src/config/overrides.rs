//! Progressive `@override`: which labels are on for which requests.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName};
use pulse_types::{Caller, Permission};
use serde::{Deserialize, Serialize};

use crate::engine::Share;

/// The section `[gateway.overrides]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct OverridesConfig {
    /// Who draws the number that decides labels of the form `percent(x)`.
    pub draw: Draw,
    /// When a label with a name of its own is on. One that is not here is off.
    pub labels: BTreeMap<String, LabelRule>,
}

/// Who draws a number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Draw {
    /// Each known caller once and for all; an anonymous one with every request.
    #[default]
    Caller,
    /// Every request.
    Request,
}

/// When a label is on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum LabelRule {
    /// For every request.
    Always,
    /// For none.
    Never,
    /// For a share of them.
    Percent(Share, String),
    /// For those that have this header, with this value where there is one.
    Header(HeaderName, Option<String>),
    /// For callers with this permission.
    Permission(Permission),
}

/// A rule that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no rule for a label: write \"always\", \"never\", \"percent 25\", \"header NAME\", \"header NAME=VALUE\" or \
     \"permission NAME\""
)]
pub struct InvalidLabelRule(String);

impl LabelRule {
    /// Whether the label is on. `drawn` is the request's number for this label.
    pub(crate) fn is_on(&self, caller: &Caller, headers: &HeaderMap, drawn: impl Fn() -> Share) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Percent(share, _) => drawn() < *share,
            Self::Header(name, None) => headers.contains_key(name),
            Self::Header(name, Some(wanted)) => {
                headers.get_all(name).iter().any(|value| value.as_bytes() == wanted.as_bytes())
            }
            Self::Permission(permission) => caller.permissions.contains(permission),
        }
    }
}

impl TryFrom<String> for LabelRule {
    type Error = InvalidLabelRule;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let (kind, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
        let rest = rest.trim();
        let rule = match (kind, rest) {
            ("always", "") => Some(Self::Always),
            ("never", "") => Some(Self::Never),
            ("percent", number) => percentage(number).map(|share| Self::Percent(share, number.to_owned())),
            ("header", header) => header_rule(header),
            ("permission", name) if !name.is_empty() => Some(Self::Permission(name.to_owned().into())),
            _ => None,
        };
        rule.ok_or(InvalidLabelRule(text))
    }
}

fn header_rule(text: &str) -> Option<LabelRule> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name.trim(), Some(value.trim().to_owned())),
        None => (text, None),
    };
    Some(LabelRule::Header(name.parse().ok()?, value))
}

/// Up to eight digits after the point, as in a label.
fn percentage(text: &str) -> Option<Share> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > 8 {
        return None;
    }
    let parts = format!("{whole}{fraction:0<8}").parse::<u64>().ok()?;
    (parts <= Share::WHOLE).then_some(Share::of_whole(parts))
}

impl From<LabelRule> for String {
    fn from(rule: LabelRule) -> Self {
        match rule {
            LabelRule::Always => "always".into(),
            LabelRule::Never => "never".into(),
            LabelRule::Percent(_, number) => format!("percent {number}"),
            LabelRule::Header(name, None) => format!("header {name}"),
            LabelRule::Header(name, Some(value)) => format!("header {name}={value}"),
            LabelRule::Permission(permission) => format!("permission {}", permission.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_rule_is_read_and_written_alike() {
        for text in
            ["always", "never", "percent 0.00000001", "percent 100", "header x-beta", "header x-beta=on"]
        {
            let rule = LabelRule::try_from(text.to_owned()).unwrap();
            assert_eq!(String::from(rule), text);
        }
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for text in [
            "",
            "sometimes",
            "percent",
            "percent 101",
            "percent -1",
            "percent 1.123456789",
            "header",
            "always 1",
        ] {
            assert_eq!(
                LabelRule::try_from(text.to_owned()),
                Err(InvalidLabelRule(text.to_owned())),
                "{text}"
            );
        }
    }
}
