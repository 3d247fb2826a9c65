//! From the subgraphs' responses to the client's.

use std::collections::BTreeMap;

use http::header::{CONNECTION, Entry, HeaderMap, HeaderName, HeaderValue};
use regex::bytes::Regex;

use super::{InvalidHeaderRule, RequestHeaders, name, names, only, optional, pattern, unused, value};
use crate::config::{GatewayConfig, ResponseHeaderRule, Strategy};

/// The rules for answers of all subgraphs.
#[derive(Debug, Clone)]
pub(crate) struct ResponseHeaders {
    all: Vec<Rule>,
    own: BTreeMap<String, Vec<Rule>>,
    varies_on: Vec<HeaderName>,
    varies_on_anything: bool,
}

#[derive(Debug, Clone)]
enum Rule {
    Propagate { name: HeaderName, to: HeaderName, default: Option<HeaderValue>, strategy: Strategy },
    Matching(Regex, Strategy),
    Insert(HeaderName, HeaderValue, Strategy),
    Remove(HeaderName),
    RemoveMatching(Regex),
}

/// The headers of one answer that come back, each with what to do where another answer has it too.
type Returned = Vec<(HeaderName, HeaderValue, Strategy)>;

/// What the answers so far give the client's response.
#[derive(Debug, Default)]
pub(crate) struct MergedHeaders {
    pub(crate) headers: HeaderMap,
}

impl ResponseHeaders {
    pub(crate) fn try_new(config: &GatewayConfig) -> Result<Self, InvalidHeaderRule> {
        let rules =
            |rules: &[ResponseHeaderRule]| rules.iter().map(Rule::try_new).collect::<Result<Vec<_>, _>>();
        let all = rules(&config.remote.headers.response)?;
        let mut sent = vec![RequestHeaders::try_new("", &config.remote.headers.request)?];
        let mut own = BTreeMap::new();
        for name in config.subgraphs.keys() {
            let config = config.remote_for(name);
            own.insert(name.clone(), rules(&config.headers.response)?);
            sent.push(RequestHeaders::try_new("", &config.headers.request)?);
        }
        let mut varies_on: Vec<_> = sent.iter().flat_map(RequestHeaders::names).cloned().collect();
        varies_on.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        varies_on.dedup();
        let varies_on_anything = sent.iter().any(RequestHeaders::has_patterns);
        Ok(Self { all, own, varies_on, varies_on_anything })
    }

    /// Names of the client's headers that go to subgraphs, so that an answer may depend on them.
    pub(crate) fn varies_on(&self) -> &[HeaderName] {
        &self.varies_on
    }

    /// Whether an answer may depend on headers that cannot be named.
    pub(crate) const fn varies_on_anything(&self) -> bool {
        self.varies_on_anything
    }

    /// Adds what comes back of a subgraph's answer.
    pub(crate) fn add(&self, subgraph: &str, answer: &HeaderMap, merged: &mut MergedHeaders) {
        let rules = self.own.get(subgraph).unwrap_or(&self.all);
        if rules.is_empty() {
            return;
        }
        let mut returned = Returned::new();
        for rule in rules {
            rule.apply(answer, &mut returned);
        }
        let mut seen: Vec<HeaderName> = Vec::new();
        for (name, value, strategy) in returned {
            // Several values of one answer stay together.
            let again = seen.contains(&name);
            match merged.headers.entry(&name) {
                Entry::Vacant(entry) => drop(entry.insert(value)),
                Entry::Occupied(mut entry) => match strategy {
                    _ if again => entry.append(value),
                    Strategy::Append => entry.append(value),
                    Strategy::Last => drop(entry.insert(value)),
                    Strategy::First => continue,
                },
            }
            seen.push(name);
        }
    }
}

impl Rule {
    fn apply(&self, answer: &HeaderMap, out: &mut Returned) {
        match self {
            Self::Propagate { name, to, default, strategy } => {
                let values = answer.get_all(name).iter().filter(|_| !is_dropped(name, answer));
                let before = out.len();
                out.extend(values.map(|value| (to.clone(), value.clone(), *strategy)));
                if out.len() == before {
                    out.extend(default.clone().map(|value| (to.clone(), value, *strategy)));
                }
            }
            Self::Matching(pattern, strategy) => {
                let found = answer.iter().filter(|(name, _)| comes_back(name, pattern, answer));
                out.extend(found.map(|(name, value)| (name.clone(), value.clone(), *strategy)));
            }
            Self::Insert(name, value, strategy) => out.push((name.clone(), value.clone(), *strategy)),
            Self::Remove(gone) => out.retain(|(name, ..)| name != gone),
            Self::RemoveMatching(gone) => out.retain(|(name, ..)| !gone.is_match(name.as_str().as_bytes())),
        }
    }

    fn try_new(rule: &ResponseHeaderRule) -> Result<Self, InvalidHeaderRule> {
        let ResponseHeaderRule {
            propagate,
            matching,
            rename,
            default,
            insert,
            value: literal,
            strategy,
            remove,
            remove_matching,
        } = rule;
        let kinds = [
            ("propagate", propagate.as_str()),
            ("matching", matching),
            ("insert", insert),
            ("remove", remove),
            ("remove_matching", remove_matching),
        ];
        let (kind, subject) = only(&kinds)?;
        if kind != "propagate" {
            unused(kind, &[("rename", rename), ("default", default)])?;
        }
        if kind == "insert" {
            only(&[("value", literal)])?;
        } else {
            unused(kind, &[("value", literal)])?;
        }
        let returned = |text: &str| names::check(name(text)?, names::may_come_back);
        Ok(match kind {
            "propagate" => {
                let name = returned(subject)?;
                let to = optional(rename, returned)?.unwrap_or_else(|| name.clone());
                Self::Propagate { name, to, default: optional(default, value)?, strategy: *strategy }
            }
            "matching" => Self::Matching(pattern(subject)?, *strategy),
            "insert" => Self::Insert(returned(subject)?, value(literal)?, *strategy),
            "remove" => Self::Remove(name(subject)?),
            _ => Self::RemoveMatching(pattern(subject)?),
        })
    }
}

fn comes_back(name: &HeaderName, pattern: &Regex, answer: &HeaderMap) -> bool {
    pattern.is_match(name.as_str().as_bytes())
        && names::may_come_back(name)
        && !names::is_personal(name)
        && !is_dropped(name, answer)
}

fn is_dropped(name: &HeaderName, answer: &HeaderMap) -> bool {
    answer.contains_key(CONNECTION) && names::is_of_connection(name, answer)
}
