//! Applied directives: each has its own way of becoming one.

use std::collections::BTreeSet;

use async_graphql_value::ConstValue;

use super::{Merge, join::quoted};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    subgraph::{Directive, Subgraph, spec::Fed},
};

/// The applied directives of one element, merged.
pub(super) struct Applied {
    pub(super) printed: Vec<String>,
    pub(super) inaccessible: bool,
}

type Sources<'s, 'a> = &'s [(&'a Subgraph, &'a [Directive])];
/// Alternatives, each a set of what it needs all of.
type Alternatives = BTreeSet<BTreeSet<String>>;

impl<'a> Merge<'a> {
    pub(super) fn merge_directives(&mut self, coordinate: &str, sources: Sources<'_, 'a>) -> Applied {
        let of = |fed: Fed| -> Vec<&'a Directive> {
            sources
                .iter()
                .flat_map(|(_, directives)| {
                    directives.iter().filter(move |directive| directive.fed == Some(fed))
                })
                .collect()
        };
        let mut printed = Vec::new();
        let mut add = |fed: Fed, texts: BTreeSet<String>| {
            if !texts.is_empty() {
                self.features.insert(fed);
                printed.extend(texts);
            }
        };
        let inaccessible = !of(Fed::Inaccessible).is_empty();
        for fed in [Fed::Inaccessible, Fed::Authenticated] {
            add(fed, of(fed).first().map(|_| format!("@{}", fed.name())).into_iter().collect());
        }
        add(
            Fed::Tag,
            of(Fed::Tag)
                .iter()
                .filter_map(|tag| Some(format!("@tag(name: {})", quoted(tag.str_arg("name")?))))
                .collect(),
        );
        add(Fed::RequiresScopes, guards(&of(Fed::RequiresScopes), "scopes").into_iter().collect());
        add(Fed::Policy, guards(&of(Fed::Policy), "policies").into_iter().collect());
        let cost = of(Fed::Cost).iter().filter_map(|cost| int(cost, "weight")).max();
        add(Fed::Cost, cost.map(|weight| format!("@cost(weight: {weight})")).into_iter().collect());
        add(Fed::ListSize, list_size(&of(Fed::ListSize)).into_iter().collect());
        printed.extend(self.others(coordinate, sources));
        Applied { printed, inaccessible }
    }

    /// The built-in ones: the first given; those of the subgraphs' own: each different one.
    fn others(&mut self, coordinate: &str, sources: Sources<'_, 'a>) -> Vec<String> {
        let plain = || {
            sources
                .iter()
                .flat_map(|(subgraph, directives)| {
                    directives.iter().map(move |directive| (*subgraph, directive))
                })
                .filter(|(_, directive)| directive.fed.is_none())
        };
        let mut printed = Vec::new();
        for name in ["deprecated", "specifiedBy", "oneOf"] {
            let given: Vec<_> = plain().filter(|(_, directive)| directive.name == name).collect();
            let Some((subgraph, first)) = given.first() else { continue };
            let first_printed = first.print();
            if given.iter().any(|(_, other)| other.print() != first_printed) {
                let message = format!("@{name} is applied differently; the one of {} is used", subgraph.name);
                let hint = Diagnostic::hint(Code::InconsistentDirectiveArguments, coordinate, message);
                let hint = given.iter().fold(hint, |hint, (subgraph, other)| hint.at(subgraph, other.pos));
                self.report.push(hint.help("apply it the same way everywhere"));
            }
            printed.push(first_printed);
        }
        let is_composed = |(subgraph, directive): &(&Subgraph, &Directive)| {
            let origin = subgraph.links.origin(&directive.name).map(|(link, _)| &link.identity);
            origin.is_some() && self.composed.get(&directive.name) == origin
        };
        let composed: BTreeSet<_> =
            plain().filter(is_composed).map(|(_, directive)| directive.print()).collect();
        printed.extend(composed);
        printed
    }
}

/// `@requiresScopes` and `@policy`: whoever passes must satisfy each subgraph, so the alternatives
/// of one are combined with those of the others.
fn guards(directives: &[&Directive], argument: &str) -> Option<String> {
    let mut merged: Option<Alternatives> = None;
    for directive in directives {
        let alternatives = alternatives(directive.arg(argument)?);
        merged = Some(match merged {
            None => alternatives,
            Some(merged) => merged.iter().flat_map(|a| alternatives.iter().map(move |b| a | b)).collect(),
        });
    }
    let merged = merged?;
    let needless = |set: &BTreeSet<String>| merged.iter().any(|other| other != set && other.is_subset(set));
    let lists: Vec<_> = merged
        .iter()
        .filter(|set| !needless(set))
        .map(|set| format!("[{}]", set.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ")))
        .collect();
    let name = directives.first()?.fed?.name();
    Some(format!("@{name}({argument}: [{}])", lists.join(", ")))
}

fn alternatives(value: &ConstValue) -> Alternatives {
    texts(value).map(|inner| texts(inner).filter_map(text).collect()).collect()
}

fn texts(value: &ConstValue) -> std::slice::Iter<'_, ConstValue> {
    match value {
        ConstValue::List(values) => values.iter(),
        single => std::slice::from_ref(single).iter(),
    }
}

fn text(value: &ConstValue) -> Option<String> {
    match value {
        ConstValue::String(text) => Some(text.clone()),
        _ => None,
    }
}

fn int(directive: &Directive, argument: &str) -> Option<i64> {
    match directive.arg(argument)? {
        ConstValue::Number(number) => number.as_i64(),
        _ => None,
    }
}

/// The largest size, all slicing arguments and sized fields; one slicing argument is demanded only
/// if every subgraph demands it.
fn list_size(directives: &[&Directive]) -> Option<String> {
    if directives.is_empty() {
        return None;
    }
    let mut arguments = Vec::new();
    if let Some(size) = directives.iter().filter_map(|directive| int(directive, "assumedSize")).max() {
        arguments.push(format!("assumedSize: {size}"));
    }
    for name in ["slicingArguments", "sizedFields"] {
        let all: BTreeSet<String> = directives
            .iter()
            .filter_map(|directive| directive.arg(name))
            .flat_map(texts)
            .filter_map(text)
            .collect();
        if !all.is_empty() {
            arguments.push(format!(
                "{name}: [{}]",
                all.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", ")
            ));
        }
    }
    if directives
        .iter()
        .any(|directive| directive.arg("requireOneSlicingArgument") == Some(&ConstValue::Boolean(false)))
    {
        arguments.push("requireOneSlicingArgument: false".to_owned());
    }
    Some(if arguments.is_empty() {
        "@listSize".to_owned()
    } else {
        format!("@listSize({})", arguments.join(", "))
    })
}
