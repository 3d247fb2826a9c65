//! What has changed, and what an answer was made of: the two that caches, live queries and streams compare.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{OrgId, UserId};

/// What happened to a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, async_graphql::Enum)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// It came to be.
    Created,
    /// It changed.
    Updated,
    /// It is gone.
    Deleted,
}

impl ChangeKind {
    /// The word that the log keeps.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
        }
    }

    /// The kind of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "created" => Some(Self::Created),
            "updated" => Some(Self::Updated),
            "deleted" => Some(Self::Deleted),
            _ => None,
        }
    }
}

/// One committed change, at its place in the log. It never carries personal values: readers fetch as themselves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Its place in the log: 1, 2, 3 …
    pub position: i64,
    /// The tenant whose data changed; `None` for what belongs to none.
    pub tenant: Option<OrgId>,
    /// What happened.
    pub kind: ChangeKind,
    /// To what: `subgraph.type`.
    pub subject: Arc<str>,
    /// To which one.
    pub key: Uuid,
    /// Its version after the change.
    pub version: i64,
    /// Names of the fields that changed.
    pub changed: Vec<String>,
    /// What others route by, as it is after the change (before it, for what is gone).
    pub attributes: Map<String, Value>,
    /// Those attributes that were different before the change, as they were.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub before: Map<String, Value>,
    /// The person who changed it.
    pub actor: Option<UserId>,
    /// The request that changed it.
    pub request: Option<Uuid>,
    /// When it was written.
    pub at: DateTime<Utc>,
    /// What was done, when this is the first change of its write.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<Fact>,
}

/// The subject by which those are told of a change that follow audit facts, whatever its own subject is. A write that
/// changes nothing that anybody could follow has a change of this subject for its facts alone.
pub const AUDIT: &str = "platform.audit";

/// What was done, as the audit keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// Its id in the audit.
    pub id: Uuid,
    /// What was done: `resource:action`.
    pub action: String,
    /// To what: `subgraph.type`.
    pub subject: String,
    /// To which one; `None` for a batch.
    pub key: Option<Uuid>,
    /// Its version after.
    pub version: Option<i64>,
    /// How many things: 1, or the size of the batch.
    pub items: i32,
}

impl Change {
    /// Whether those who follow `subjects` are told of it.
    pub fn is_of(&self, subjects: &[&str]) -> bool {
        subjects.contains(&&*self.subject) || !self.facts.is_empty() && subjects.contains(&AUDIT)
    }

    /// Whether those who act in `tenant` may see what has changed: it is theirs, or belongs to no tenant, as people do.
    pub fn reaches(&self, tenant: Option<OrgId>) -> bool {
        self.tenant.is_none() || self.tenant == tenant
    }

    /// Whether the attribute `name` is or was `value`, or has it among several; `None` when the change does not say.
    pub fn has(&self, name: &str, value: &str) -> Option<bool> {
        self.any_value(name, &mut |text| text == value)
    }

    /// The values that the attribute `name` has and had: those of which [`Change::has`] is true. `None` when the change does not say.
    pub fn values(&self, name: &str) -> Option<Vec<String>> {
        let mut values = Vec::new();
        let said = self.any_value(name, &mut |text| {
            values.push(text.to_owned());
            false
        });
        said.map(|_| values)
    }

    fn any_value(&self, name: &str, is_it: &mut dyn FnMut(&str) -> bool) -> Option<bool> {
        let (now, before) = (self.attributes.get(name), self.before.get(name));
        (now.is_some() || before.is_some())
            .then(|| [now, before].into_iter().flatten().any(|attribute| any_text(attribute, is_it)))
    }
}

fn any_text(attribute: &Value, is_it: &mut dyn FnMut(&str) -> bool) -> bool {
    match attribute {
        Value::String(text) => is_it(text),
        Value::Array(several) => several.iter().any(|one| any_text(one, is_it)),
        Value::Bool(flag) => is_it(if *flag { "true" } else { "false" }),
        Value::Number(number) => is_it(&number.to_string()),
        Value::Null | Value::Object(_) => false,
    }
}

/// What an answer was made of: one thing, or all things of a subject that have certain attributes. A tag says nothing of
/// the tenant: it belongs to the one of the caller who was answered, and what matters to it are the changes that reach
/// that tenant ([`Change::reaches`]).
///
/// Its text is `subject:key`, `subject` or `subject?name=value&name=value`, in which values are percent-encoded.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag {
    /// Of what: `subgraph.type`.
    pub subject: Cow<'static, str>,
    /// Which of them.
    pub of: Tagged,
}

/// Which things of a subject a [`Tag`] means.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tagged {
    /// The one with this id.
    Key(Uuid),
    /// Those whose attributes are these; all of them when there are none.
    Where(BTreeMap<Cow<'static, str>, String>),
}

/// Text that is no tag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no tag: expected subject:key or subject?name=value")]
pub struct InvalidTag(pub String);

impl Tag {
    /// The one thing with this id.
    pub const fn row(subject: &'static str, key: Uuid) -> Self {
        Self { subject: Cow::Borrowed(subject), of: Tagged::Key(key) }
    }

    /// All things of the subject.
    pub const fn list(subject: &'static str) -> Self {
        Self { subject: Cow::Borrowed(subject), of: Tagged::Where(BTreeMap::new()) }
    }

    /// Only those whose attribute `name` is `value`. Of use for lists alone.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Tagged::Where(attributes) = &mut self.of {
            attributes.insert(Cow::Borrowed(name), value.into());
        }
        self
    }

    /// Whether an answer with this tag may be different after `change`, of which it is known that the caller's tenant can
    /// see it. An attribute of which the change says nothing may have any value.
    pub fn concerns(&self, change: &Change) -> bool {
        *self.subject == *change.subject
            && match &self.of {
                Tagged::Key(key) => *key == change.key,
                Tagged::Where(attributes) => {
                    attributes.iter().all(|(name, value)| change.has(name, value).unwrap_or(true))
                }
            }
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.subject)?;
        match &self.of {
            Tagged::Key(key) => write!(f, ":{key}"),
            Tagged::Where(attributes) => {
                for (index, (name, value)) in attributes.iter().enumerate() {
                    let separator = if index == 0 { '?' } else { '&' };
                    write!(f, "{separator}{name}={}", Encoded(value))?;
                }
                Ok(())
            }
        }
    }
}

/// A value in which only letters, digits and `-._~` stand for themselves (RFC 3986 §2.3).
struct Encoded<'a>(&'a str);

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                write!(f, "{}", char::from(byte))?;
            } else {
                write!(f, "%{byte:02X}")?;
            }
        }
        Ok(())
    }
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let high = char::from(rest.next()?).to_digit(16)?;
                let low = char::from(rest.next()?).to_digit(16)?;
                u8::try_from(high * 16 + low).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

impl FromStr for Tag {
    type Err = InvalidTag;

    fn from_str(text: &str) -> Result<Self, InvalidTag> {
        read(text).ok_or_else(|| InvalidTag(text.chars().take(100).collect()))
    }
}

fn read(text: &str) -> Option<Tag> {
    let (subject, of) = if let Some((subject, attributes)) = text.split_once('?') {
        let attribute = |pair: &str| {
            let (name, value) = pair.split_once('=')?;
            Some((Cow::Owned(name.to_owned()), decoded(value)?))
        };
        (subject, Tagged::Where(attributes.split('&').map(attribute).collect::<Option<_>>()?))
    } else if let Some((subject, key)) = text.split_once(':') {
        (subject, Tagged::Key(key.parse().ok()?))
    } else {
        (text, Tagged::Where(BTreeMap::new()))
    };
    let valid = !subject.is_empty()
        && subject.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    valid.then(|| Tag { subject: Cow::Owned(subject.to_owned()), of })
}

impl Serialize for Tag {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Tag {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(attributes: &Value, before: &Value) -> Change {
        let object = |value: &Value| value.as_object().cloned().unwrap_or_default();
        Change {
            position: 1,
            tenant: None,
            kind: ChangeKind::Updated,
            subject: "entities.entity".into(),
            key: Uuid::from_u128(7),
            version: 2,
            changed: vec![],
            attributes: object(attributes),
            before: object(before),
            actor: None,
            request: None,
            at: DateTime::UNIX_EPOCH,
            facts: vec![],
        }
    }

    #[test]
    fn a_tag_reads_back() {
        let list = Tag::list("entities.entity").with("type", "a b&=ü%").with("x", "");
        assert_eq!(list.to_string(), "entities.entity?type=a%20b%26%3D%C3%BC%25&x=");
        for tag in [list, Tag::list("a.b"), Tag::row("a.b", Uuid::from_u128(9))] {
            assert_eq!(tag.to_string().parse(), Ok(tag));
        }
    }

    #[test]
    fn other_text_is_no_tag() {
        for text in ["", ":", "a b", "a?b", "a:b", "a?b=%4", "a?b=%zz", "a?b=%ff"] {
            assert_eq!(text.parse::<Tag>(), Err(InvalidTag(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn a_row_is_concerned_by_its_own_change_alone() {
        let change = change(&Value::Null, &Value::Null);
        assert!(Tag::row("entities.entity", Uuid::from_u128(7)).concerns(&change));
        assert!(!Tag::row("entities.entity", Uuid::from_u128(8)).concerns(&change));
        assert!(!Tag::row("entities.other", Uuid::from_u128(7)).concerns(&change));
    }

    #[test]
    fn a_list_is_concerned_by_what_was_or_is_or_may_be_in_it() {
        let list = |kind: &str| Tag::list("entities.entity").with("type", kind);
        let moved = change(&serde_json::json!({"type": "package"}), &serde_json::json!({"type": "person"}));
        assert!(list("package").concerns(&moved));
        assert!(list("person").concerns(&moved));
        assert!(!list("license").concerns(&moved));
        assert!(Tag::list("entities.entity").concerns(&moved));
        let silent = change(&Value::Null, &Value::Null);
        assert!(list("license").concerns(&silent));
        let several = change(&serde_json::json!({"type": ["a", "b"]}), &Value::Null);
        assert!(list("b").concerns(&several) && !list("c").concerns(&several));
    }
}
