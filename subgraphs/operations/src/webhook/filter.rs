//! Which events a webhook wants.

use std::collections::BTreeMap;

use pulse_types::{Change, ChangeKind};
use serde::{Deserialize, Serialize};

use super::WebhookError;
/// Changes of deliveries are sent to nobody: each would make another one.
use crate::delivery::SUBJECT as NEVER;

const MAX_SUBJECTS: usize = 50;
const MAX_ATTRIBUTES: usize = 20;

/// Which events: of these subjects, of these kinds, with these attributes. What is empty holds back nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct EventFilter {
    /// Subjects such as `entities.entity`, or beginnings of them such as `entities.*`.
    pub(crate) subjects: Vec<String>,
    /// What happened.
    pub(crate) kinds: Vec<ChangeKind>,
    /// Routing attributes, and what each must be or must have been before.
    pub(crate) attributes: BTreeMap<String, String>,
}

impl EventFilter {
    /// Whether `change` is wanted. An attribute that the change does not carry is not the wanted one.
    pub(crate) fn wants(&self, change: &Change) -> bool {
        let Self { subjects, kinds, attributes } = self;
        *change.subject != *NEVER
            && (subjects.is_empty() || subjects.iter().any(|wanted| is_of(&change.subject, wanted)))
            && (kinds.is_empty() || kinds.contains(&change.kind))
            && attributes.iter().all(|(name, value)| change.has(name, value) == Some(true))
    }

    /// Refuses what could never match, and too much of it.
    pub(crate) fn check(&self) -> Result<(), WebhookError> {
        let Self { subjects, kinds: _, attributes } = self;
        if subjects.len() > MAX_SUBJECTS || attributes.len() > MAX_ATTRIBUTES {
            return Err(WebhookError::FilterSize { subjects: MAX_SUBJECTS, attributes: MAX_ATTRIBUTES });
        }
        let too_long = |(name, value): (&String, &String)| name.is_empty() || name.len() + value.len() > 1000;
        if attributes.iter().any(too_long) {
            return Err(WebhookError::FilterAttribute);
        }
        match subjects.iter().find(|subject| !is_pattern(subject)) {
            Some(subject) => Err(WebhookError::Subject(subject.chars().take(100).collect())),
            None => Ok(()),
        }
    }
}

fn is_of(subject: &str, wanted: &str) -> bool {
    match wanted.strip_suffix(".*") {
        Some(beginning) => subject.strip_prefix(beginning).is_some_and(|rest| rest.starts_with('.')),
        None => subject == wanted,
    }
}

/// `subgraph.type` or `subgraph.*`, in the letters that subjects are made of.
fn is_pattern(text: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    };
    text.len() <= 100
        && text.split_once('.').is_some_and(|(subgraph, of)| is_word(subgraph) && (of == "*" || is_word(of)))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use serde_json::json;

    use super::*;

    fn change(subject: &str, kind: ChangeKind, before: &serde_json::Value) -> Change {
        Change {
            position: 1,
            tenant: None,
            kind,
            subject: subject.into(),
            key: uuid::Uuid::nil(),
            version: 1,
            changed: vec![],
            attributes: json!({ "type": "package" }).as_object().cloned().unwrap(),
            before: before.as_object().cloned().unwrap_or_default(),
            actor: None,
            request: None,
            at: DateTime::UNIX_EPOCH,
            facts: vec![],
        }
    }

    fn wants(subjects: &[&str], kinds: &[ChangeKind], attributes: &[(&str, &str)], change: &Change) -> bool {
        let filter = EventFilter {
            subjects: subjects.iter().map(|subject| (*subject).to_owned()).collect(),
            kinds: kinds.to_vec(),
            attributes: attributes.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
        };
        assert_eq!(filter.check(), Ok(()));
        filter.wants(change)
    }

    #[test]
    fn each_part_holds_back_what_it_does_not_name() {
        let made = change("entities.entity", ChangeKind::Created, &json!(null));
        assert!(wants(&[], &[], &[], &made));
        assert!(wants(&["vectors.*", "entities.*"], &[], &[], &made));
        assert!(wants(&["entities.entity"], &[ChangeKind::Created], &[("type", "package")], &made));
        assert!(!wants(&["entities.relationship", "entity.*", "ent.*"], &[], &[], &made));
        assert!(!wants(&[], &[ChangeKind::Updated, ChangeKind::Deleted], &[], &made));
        assert!(!wants(&[], &[], &[("type", "person")], &made));
        assert!(!wants(&[], &[], &[("colour", "red")], &made));
    }

    #[test]
    fn what_was_moved_out_of_the_filter_is_told_once_more() {
        let moved = change("entities.entity", ChangeKind::Updated, &json!({ "type": "person" }));
        assert!(wants(&[], &[], &[("type", "person")], &moved));
    }

    #[test]
    fn deliveries_are_sent_to_nobody() {
        let delivery = change(NEVER, ChangeKind::Updated, &json!(null));
        assert!(!wants(&[], &[], &[], &delivery));
        assert!(!wants(&["operations.*"], &[], &[], &delivery));
    }

    #[test]
    fn a_subject_that_no_event_can_have_is_refused() {
        for subject in
            ["", "*", "entities", "entities.", ".entity", "entities.*.x", "a.b.c", "a b.c", "entities.ent*"]
        {
            let filter = EventFilter { subjects: vec![subject.to_owned()], ..EventFilter::default() };
            assert_eq!(filter.check(), Err(WebhookError::Subject(subject.to_owned())), "{subject}");
        }
    }
}
