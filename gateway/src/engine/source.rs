//! Where a subscription's events come from: the field that streams, who may share its stream, and how a stream that
//! broke off is taken up after the last event's cursor.
//!
//! The convention for cursors: each event of a source says in its response's `extensions.cursor` where it is, and the
//! field takes an argument `after`; a stream opened with it begins behind that event, without a gap.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use graphql_tools::static_graphql::query::{
    self, Definition, Field, OperationDefinition, Selection, VariableDefinition,
};
use graphql_tools::static_graphql::schema as sdl;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::caching::Hints;
use super::plan::Node;
use crate::value::{Object, Text, Value};

/// The argument that says behind which event a stream begins.
const AFTER: &str = "after";

/// The variable for it where the operation has none that could be used.
const AFTER_VARIABLE: &str = "pulseAfter";

/// Who shares streams of the same operation, and answers that are kept; the narrowest first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SharingScope {
    /// Those of one and the same caller.
    #[default]
    Caller,
    /// Those of everybody in a tenant: `@cacheControl(scope: TENANT)`.
    Tenant,
    /// Everybody's: `@cacheControl(scope: PUBLIC)`.
    Public,
}

/// The fields of the supergraph's subscription type.
#[derive(Debug, Default)]
pub(super) struct EventFields(FxHashMap<String, EventField>);

#[derive(Debug)]
struct EventField {
    scope: SharingScope,
    /// The type of its argument `after`.
    after: Option<sdl::Type>,
}

/// The source of one operation.
#[derive(Debug, Clone, Default)]
pub(super) struct EventSource {
    pub(super) scope: SharingScope,
    after: After,
    /// Whether its cursors are whole numbers.
    counts: bool,
    pub(super) resumption: Option<Resumption>,
}

/// What the operation itself says of where its stream begins.
#[derive(Debug, Clone, Default)]
enum After {
    #[default]
    Absent,
    Literal,
    Variable(Text),
}

/// How the stream is opened behind an event.
#[derive(Debug, Clone)]
pub struct Resumption {
    /// The text to send instead.
    pub query: Arc<str>,
    /// Names that text.
    pub query_hash: u64,
    /// The variable for the cursor.
    pub variable: Text,
}

impl EventFields {
    pub(super) fn of(document: &sdl::Document, subscription: Option<&str>, hints: &Hints) -> Self {
        let objects = document.definitions.iter().filter_map(|definition| match definition {
            sdl::Definition::TypeDefinition(sdl::TypeDefinition::Object(object)) => Some(object),
            _ => None,
        });
        let fields = objects
            .filter(|object| Some(object.name.as_str()) == subscription)
            .flat_map(|object| &object.fields)
            .map(|field| {
                let after = field.arguments.iter().find(|argument| argument.name == AFTER);
                let after = after.map(|argument| argument.value_type.clone());
                let hint = subscription.and_then(|parent| hints.of_field(parent, &field.name));
                let scope = hint.and_then(|hint| hint.scope).unwrap_or_default();
                (field.name.clone(), EventField { scope, after })
            });
        Self(fields.collect())
    }

    /// The source that a subscription's plan streams from.
    pub(super) fn source(&self, plan: &Node) -> Option<EventSource> {
        let text = &plan.source()?.request.query;
        let document = graphql_tools::parser::parse_query::<String>(text).ok()?.into_static();
        let (operation, field) = operation(&document)?;
        let known = self.0.get(&field.name)?;
        let after = match field.arguments.iter().find(|(name, _)| name == AFTER).map(|(_, value)| value) {
            None | Some(query::Value::Null) => After::Absent,
            Some(query::Value::Variable(name)) => After::Variable(name.as_str().into()),
            Some(_) => After::Literal,
        };
        let resumption = known.after.as_ref().map(|kind| match &after {
            After::Variable(name) if is_used_once(text, name) => {
                Resumption { query: Arc::clone(text), query_hash: hash(text), variable: name.clone() }
            }
            _ => resumption(operation, &document, kind),
        });
        let counts = known.after.as_ref().is_some_and(|kind| kind.inner_type() == "Int");
        Some(EventSource { scope: known.scope, after, counts, resumption })
    }
}

impl EventSource {
    /// Where the client itself wants its stream to begin, when it says so.
    pub(super) fn begins_after(&self, variables: &Object) -> Option<Value> {
        match &self.after {
            After::Absent => None,
            After::Literal => Some(Value::Null),
            After::Variable(name) => variables.get(name).filter(|value| !value.is_null()).cloned(),
        }
    }

    /// The cursor that a client was told as text; `None` where the text is none.
    pub(super) fn cursor(&self, text: &str) -> Option<Value> {
        if self.counts { text.parse::<i64>().ok().map(Value::from) } else { Some(text.into()) }
    }
}

/// The one operation of a plan's document, and its one root field.
fn operation(document: &query::Document) -> Option<(&query::Subscription, &Field)> {
    let operation = document.definitions.iter().find_map(|definition| match definition {
        Definition::Operation(OperationDefinition::Subscription(operation)) => Some(operation),
        _ => None,
    })?;
    match operation.selection_set.items.as_slice() {
        [Selection::Field(field)] => Some((operation, field)),
        _ => None,
    }
}

/// The document with the cursor in a variable of its own.
fn resumption(operation: &query::Subscription, document: &query::Document, kind: &sdl::Type) -> Resumption {
    let mut operation = operation.clone();
    // The printer leaves out the variables of an operation without a name.
    operation.name.get_or_insert_with(|| "Resumed".to_owned());
    operation.variable_definitions.push(VariableDefinition {
        position: operation.position,
        name: AFTER_VARIABLE.to_owned(),
        var_type: kind.clone(),
        default_value: None,
    });
    if let Some(Selection::Field(field)) = operation.selection_set.items.first_mut() {
        field.arguments.retain(|(name, _)| name != AFTER);
        field.arguments.push((AFTER.to_owned(), query::Value::Variable(AFTER_VARIABLE.to_owned())));
    }
    let mut document = document.clone();
    for definition in &mut document.definitions {
        if matches!(definition, Definition::Operation(_)) {
            *definition = Definition::Operation(OperationDefinition::Subscription(operation.clone()));
        }
    }
    let query: Arc<str> = document.to_string().into();
    Resumption { query_hash: hash(&query), query, variable: AFTER_VARIABLE.into() }
}

/// Whether a variable stands in a text twice: where it is declared, and at `after`.
fn is_used_once(text: &str, variable: &str) -> bool {
    let named = |at: usize| {
        let rest = text[at + 1..].strip_prefix(variable);
        rest.is_some_and(|rest| !rest.starts_with(|next: char| next == '_' || next.is_ascii_alphanumeric()))
    };
    text.match_indices('$').filter(|(at, _)| named(*at)).count() == 2
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resumed(text: &str) -> String {
        let document = graphql_tools::parser::parse_query::<String>(text).unwrap().into_static();
        let (operation, _) = super::operation(&document).unwrap();
        let kind = query::Type::NamedType("String".to_owned());
        resumption(operation, &document, &kind).query.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_stream_is_taken_up_by_a_variable_of_its_own() {
        assert_eq!(
            resumed("subscription { posts(room: \"a\") { id } }"),
            "subscription Resumed($pulseAfter: String) { posts(room: \"a\", after: $pulseAfter) { id } }"
        );
        assert_eq!(
            resumed("subscription($room: ID!) { p: posts(after: \"3\", room: $room) { id } }"),
            "subscription Resumed($room: ID!$pulseAfter: String) { p: posts(room: $room, after: $pulseAfter) { id } }"
        );
    }

    #[test]
    fn a_variable_that_is_used_elsewhere_is_not_taken() {
        assert!(is_used_once(
            "subscription($a: String, $ab: ID) { posts(after: $a, room: $ab) { id } }",
            "a"
        ));
        assert!(!is_used_once("subscription($a: String) { posts(after: $a) { id(x: $a) } }", "a"));
    }
}
