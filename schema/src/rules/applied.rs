//! Applied directives: known, in the right place, with the right arguments.

use std::collections::BTreeSet;

use async_graphql_parser::types::DirectiveLocation;
use async_graphql_value::ConstValue;

use super::{
    Report,
    elements::{self, Element},
    references::is_similar,
};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    print,
    subgraph::{
        Directive, Field, Subgraph,
        spec::{Accepts, CACHE_SCOPE, DEFINITIONS, Definition, Fed},
    },
};

/// What every schema, or every linked one, may apply.
const BUILTIN: [&str; 3] = ["deprecated", "specifiedBy", "oneOf"];

pub(super) fn directives_fit(subgraph: &Subgraph, report: &mut Report) {
    for element in elements::of(subgraph) {
        let mut seen = BTreeSet::new();
        for directive in element.directives {
            let mut refuse = |code: Code, message: String, help: String| {
                report.push(
                    Diagnostic::error(code, &element.coordinate, message)
                        .at(subgraph, directive.pos)
                        .help(help),
                );
            };
            if let Some((code, message, help)) = problem(subgraph, &element, directive) {
                refuse(code, message, help);
            }
            let is_repeat = !seen.insert(&directive.name);
            if is_repeat && !is_repeatable(subgraph, directive) {
                let message = format!("@{} is applied twice", directive.name);
                refuse(Code::InvalidGraphql, message, "apply it once".to_owned());
            }
        }
    }
}

type Problem = (Code, String, String);

fn problem(subgraph: &Subgraph, element: &Element<'_>, directive: &Directive) -> Option<Problem> {
    let name = &directive.name;
    if let Some(fed) = directive.fed {
        return federation_problem(fed.definition(), element.location, directive);
    }
    if BUILTIN.contains(&name.as_str()) || subgraph.links.is_link(name) {
        return None;
    }
    let Some(defined) = subgraph.directives.get(name) else {
        return Some((
            Code::InvalidGraphql,
            format!("directive @{name} is not known in this subgraph"),
            unknown_help(subgraph, name),
        ));
    };
    if !defined.has_location(element.location) {
        return Some(misplaced(name, element.location));
    }
    if let Some((unknown, _)) = directive.args.iter().find(|(given, _)| !defined.args.contains_key(given)) {
        return Some((
            Code::InvalidGraphql,
            format!("@{name} has no argument {unknown}"),
            "remove the argument".to_owned(),
        ));
    }
    let is_missing = |argument: &&Field| argument.is_required() && directive.arg(&argument.name).is_none();
    let missing = defined.args.values().find(is_missing)?;
    Some((
        Code::InvalidGraphql,
        format!("@{name} lacks argument {}", missing.name),
        "add the argument".to_owned(),
    ))
}

fn misplaced(name: &str, location: DirectiveLocation) -> Problem {
    let place = print::location(location).to_lowercase().replace('_', " ");
    (Code::InvalidGraphql, format!("@{name} cannot be applied to this {place}"), "remove it here".to_owned())
}

fn unknown_help(subgraph: &Subgraph, name: &str) -> String {
    match (Fed::by_name(name).map(Fed::definition), subgraph.links.federation) {
        (Some(definition), Some(minor)) if definition.since <= minor => {
            format!("import \"@{name}\" in the @link of federation")
        }
        (Some(definition), Some(_)) => {
            format!("link federation v2.{} or later and import \"@{name}\"", definition.since)
        }
        (Some(definition), None) => {
            format!(
                "link https://specs.apollo.dev/federation/v2.{} and import \"@{name}\"",
                definition.since.max(3)
            )
        }
        (None, _) => match DEFINITIONS.iter().find(|definition| is_similar(definition.name, name)) {
            Some(definition) => format!("did you mean @{}?", definition.name),
            None => format!("define `directive @{name} on …` in this subgraph, or import it by @link"),
        },
    }
}

fn federation_problem(
    definition: &Definition,
    location: DirectiveLocation,
    directive: &Directive,
) -> Option<Problem> {
    let name = &directive.name;
    if matches!(definition.fed, Fed::Context | Fed::FromContext) {
        let message = format!("@{name} is not supported: the planner knows nothing of contexts");
        return Some((
            Code::UnsupportedFeature,
            message,
            "pass the value as an argument, or by @requires".to_owned(),
        ));
    }
    if !definition.locations.contains(&location) {
        return Some(misplaced(name, location));
    }
    for (given, value) in &directive.args {
        let Some(argument) = definition.args.iter().find(|argument| argument.name == given) else {
            return Some((
                Code::InvalidGraphql,
                format!("@{name} has no argument {given}"),
                "remove the argument".to_owned(),
            ));
        };
        if !accepts(argument.accepts, value) {
            let code = if argument.accepts == Accepts::FieldSet {
                fields_code(definition.fed)
            } else {
                Code::InvalidGraphql
            };
            let message = format!("@{name} does not accept {value} as {given}");
            return Some((code, message, format!("give {}", wanted(argument.accepts))));
        }
    }
    let missing = definition
        .args
        .iter()
        .find(|argument| argument.required && directive.arg(argument.name).is_none())?;
    Some((
        Code::InvalidGraphql,
        format!("@{name} lacks argument {}", missing.name),
        "add the argument".to_owned(),
    ))
}

const fn fields_code(fed: Fed) -> Code {
    match fed {
        Fed::Requires => Code::RequiresInvalidFieldsType,
        Fed::Provides => Code::ProvidesInvalidFieldsType,
        _ => Code::KeyInvalidFieldsType,
    }
}

fn accepts(accepts: Accepts, value: &ConstValue) -> bool {
    let texts = |value: &ConstValue| match value {
        ConstValue::List(values) => values.iter().all(|value| matches!(value, ConstValue::String(_))),
        _ => false,
    };
    match accepts {
        Accepts::Text | Accepts::FieldSet => matches!(value, ConstValue::String(_)),
        Accepts::Boolean => matches!(value, ConstValue::Boolean(_)),
        Accepts::Int => {
            matches!(value, ConstValue::Number(number) if number.as_i64().is_some_and(|number| (0..=i64::from(i32::MAX)).contains(&number)))
        }
        Accepts::AnyInt => matches!(value, ConstValue::Number(number) if number.as_i64().is_some()),
        Accepts::Texts => texts(value),
        Accepts::CacheScope => {
            matches!(value, ConstValue::Enum(scope) if CACHE_SCOPE.1.contains(&scope.as_str()))
        }
        Accepts::TextLists => {
            matches!(value, ConstValue::List(values) if !values.is_empty() && values.iter().all(texts))
        }
    }
}

const fn wanted(accepts: Accepts) -> &'static str {
    match accepts {
        Accepts::Text => "a string",
        Accepts::FieldSet => "the fields as one string, such as \"id organization { id }\"",
        Accepts::Boolean => "true or false",
        Accepts::Int => "a whole number that is not negative",
        Accepts::AnyInt => "a whole number",
        Accepts::Texts => "a list of strings",
        Accepts::CacheScope => "PUBLIC, TENANT or PRIVATE",
        Accepts::TextLists => "a list of lists of strings: alternatives, each with all that it needs",
    }
}

fn is_repeatable(subgraph: &Subgraph, directive: &Directive) -> bool {
    match directive.fed {
        Some(fed) => fed.definition().repeatable,
        None => {
            subgraph.links.is_link(&directive.name)
                || subgraph
                    .directives
                    .get(&directive.name)
                    .is_some_and(|directive| directive.definition.is_repeatable)
        }
    }
}
