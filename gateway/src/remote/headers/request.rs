//! From the client's request to the subgraph's.

use std::sync::Arc;

use http::header::{CONNECTION, HeaderMap, HeaderName, HeaderValue};
use pulse_types::Caller;
use regex::bytes::Regex;

use super::{InvalidHeaderRule, name, names, only, optional, pattern, unused, value};
use crate::config::RequestHeaderRule;

/// The rules for requests to one subgraph.
#[derive(Debug, Clone)]
pub(crate) struct RequestHeaders {
    subgraph: HeaderValue,
    rules: Vec<Rule>,
}

#[derive(Debug, Clone)]
enum Rule {
    Propagate { name: HeaderName, to: HeaderName, default: Option<HeaderValue> },
    Matching(Regex),
    Insert(HeaderName, Source),
    Remove(HeaderName),
    RemoveMatching(Regex),
}

#[derive(Debug, Clone)]
enum Source {
    Literal(HeaderValue),
    Subject,
    Tenant,
    Session,
    RequestId,
    Subgraph,
    /// A claim of the caller's token.
    Claim(String),
}

impl RequestHeaders {
    pub(crate) fn try_new(subgraph: &str, rules: &[RequestHeaderRule]) -> Result<Self, InvalidHeaderRule> {
        let rules = rules.iter().map(Rule::try_new).collect::<Result<_, _>>()?;
        Ok(Self { subgraph: value(subgraph)?, rules })
    }

    /// Whether no client's header ever goes on.
    pub(crate) const fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The headers that the rules make of a client's.
    pub(crate) fn of(&self, client: &HeaderMap, caller: &Arc<Caller>) -> HeaderMap {
        let mut out = HeaderMap::new();
        for rule in &self.rules {
            match rule {
                Rule::Propagate { name, to, default } => {
                    propagate(client, name, (to, default.as_ref()), &mut out);
                }
                Rule::Matching(pattern) => {
                    for name in client.keys().filter(|name| goes_on(name, pattern, client)) {
                        propagate(client, name, (name, None), &mut out);
                    }
                }
                Rule::Insert(name, source) => {
                    if let Some(value) = self.value(source, caller) {
                        out.insert(name, value);
                    }
                }
                Rule::Remove(name) => drop(out.remove(name)),
                Rule::RemoveMatching(pattern) => {
                    let gone: Vec<_> = out
                        .keys()
                        .filter(|name| pattern.is_match(name.as_str().as_bytes()))
                        .cloned()
                        .collect();
                    for name in gone {
                        out.remove(name);
                    }
                }
            }
        }
        out
    }

    /// Names of the client's headers on which an answer may depend; patterns cannot be named.
    pub(crate) fn names(&self) -> impl Iterator<Item = &HeaderName> {
        self.rules.iter().filter_map(|rule| match rule {
            Rule::Propagate { name, .. } => Some(name),
            _ => None,
        })
    }

    /// Whether an answer may depend on headers that cannot be named.
    pub(crate) fn has_patterns(&self) -> bool {
        self.rules.iter().any(|rule| matches!(rule, Rule::Matching(_)))
    }

    fn value(&self, source: &Source, caller: &Arc<Caller>) -> Option<HeaderValue> {
        let text = match source {
            Source::Literal(value) => return Some(value.clone()),
            Source::Subgraph => return Some(self.subgraph.clone()),
            Source::Subject => match (caller.actor(), &caller.identity) {
                (Some(user), _) => user.to_string(),
                (None, Some(identity)) => identity.subject.clone(),
                (None, None) => return None,
            },
            Source::Tenant => match (caller.org, &caller.identity) {
                (Some(org), _) => org.to_string(),
                (None, identity) => identity.as_ref()?.org.clone()?,
            },
            Source::Claim(name) => match caller.identity.as_ref()?.claims.get(name)? {
                serde_json::Value::Null => return None,
                serde_json::Value::String(text) => text.clone(),
                other => other.to_string(),
            },
            Source::Session => caller.session?.to_string(),
            Source::RequestId => caller.request.to_string(),
        };
        HeaderValue::try_from(text).ok()
    }
}

fn propagate(
    client: &HeaderMap,
    name: &HeaderName,
    (to, default): (&HeaderName, Option<&HeaderValue>),
    out: &mut HeaderMap,
) {
    let mut values = client.get_all(name).iter().peekable();
    if values.peek().is_none() || is_dropped(name, client) {
        if let Some(default) = default {
            out.insert(to, default.clone());
        }
        return;
    }
    out.remove(to);
    for value in values {
        let mut value = value.clone();
        if names::is_credential(name) {
            value.set_sensitive(true);
        }
        out.append(to, value);
    }
}

fn goes_on(name: &HeaderName, pattern: &Regex, client: &HeaderMap) -> bool {
    pattern.is_match(name.as_str().as_bytes())
        && names::may_be_sent(name)
        && !names::is_credential(name)
        && !is_dropped(name, client)
}

fn is_dropped(name: &HeaderName, client: &HeaderMap) -> bool {
    client.contains_key(CONNECTION) && names::is_of_connection(name, client)
}

impl Rule {
    fn try_new(rule: &RequestHeaderRule) -> Result<Self, InvalidHeaderRule> {
        let RequestHeaderRule {
            propagate,
            matching,
            rename,
            default,
            insert,
            value: literal,
            from,
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
        if kind != "insert" {
            unused(kind, &[("value", literal), ("from", from)])?;
        }
        let sent = |text: &str| names::check(name(text)?, names::may_be_sent);
        Ok(match kind {
            "propagate" => {
                let name = sent(subject)?;
                let to = optional(rename, sent)?.unwrap_or_else(|| name.clone());
                Self::Propagate { name, to, default: optional(default, value)? }
            }
            "matching" => Self::Matching(pattern(subject)?),
            "insert" => Self::Insert(sent(subject)?, Source::try_new(literal, from)?),
            "remove" => Self::Remove(name(subject)?),
            _ => Self::RemoveMatching(pattern(subject)?),
        })
    }
}

impl Source {
    fn try_new(literal: &str, from: &str) -> Result<Self, InvalidHeaderRule> {
        Ok(match only(&[("value", literal), ("from", from)])? {
            ("value", literal) => Self::Literal(value(literal)?),
            (_, "subject") => Self::Subject,
            (_, "tenant") => Self::Tenant,
            (_, "session") => Self::Session,
            (_, "request_id") => Self::RequestId,
            (_, "subgraph") => Self::Subgraph,
            (_, other) => {
                if let Some(claim) = other.strip_prefix("claim:") {
                    return Ok(Self::Claim(claim.to_owned()));
                }
                let message = format!(
                    "`from` is {other:?}; it may be subject, tenant, session, request_id, subgraph or claim:NAME, and a client's header \
                     goes on by `propagate`"
                );
                return Err(InvalidHeaderRule(message));
            }
        })
    }
}
