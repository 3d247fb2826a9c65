//! `@override`: a field that moves from one subgraph to another.

use super::{Report, references::is_similar};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    subgraph::{Directive, Field, Subgraph, TypeDef, spec::Fed},
};

/// A field with `@override`, and the subgraph that it names.
struct Override<'a> {
    subgraph: &'a Subgraph,
    ty: &'a TypeDef,
    field: &'a Field,
    directive: &'a Directive,
    from: &'a str,
}

impl<'a> Override<'a> {
    fn error(&self, code: Code, message: String) -> Diagnostic {
        Diagnostic::error(code, self.coordinate(), message).at(self.subgraph, self.directive.pos)
    }

    fn coordinate(&self) -> String {
        format!("{}.{}", self.ty.name, self.field.name)
    }

    fn source<'s>(&self, subgraphs: &'s [Subgraph]) -> Option<(&'s Subgraph, Option<&'s Field>)> {
        let source = subgraphs.iter().find(|subgraph| subgraph.name == self.from)?;
        Some((source, source.types.get(&self.ty.name).and_then(|ty| ty.fields.get(&self.field.name))))
    }

    fn all(subgraphs: &'a [Subgraph]) -> Vec<Self> {
        let mut all = Vec::new();
        for subgraph in subgraphs {
            for ty in subgraph.types.values() {
                for field in ty.fields.values() {
                    if let Some(directive) = field.get(Fed::Override)
                        && let Some(from) = directive.str_arg("from")
                    {
                        all.push(Self { subgraph, ty, field, directive, from });
                    }
                }
            }
        }
        all
    }
}

pub(super) fn overrides_have_a_source(subgraphs: &[Subgraph], report: &mut Report) {
    for entry in Override::all(subgraphs) {
        let from = entry.from;
        if from == entry.subgraph.name {
            let error =
                entry.error(Code::OverrideFromSelf, "field is taken over from its own subgraph".to_owned());
            report.push(error.help("name the subgraph that had the field before, or remove @override"));
            continue;
        }
        match entry.source(subgraphs) {
            None => {
                let similar = subgraphs.iter().find(|subgraph| is_similar(&subgraph.name, from));
                let help = match similar {
                    Some(subgraph) => format!("did you mean \"{}\"?", subgraph.name),
                    None => "remove @override if the field has moved for good".to_owned(),
                };
                let hint = Diagnostic::hint(
                    Code::FromSubgraphDoesNotExist,
                    entry.coordinate(),
                    format!("field is taken over from \"{from}\", and there is no such subgraph"),
                );
                report.push(hint.at(entry.subgraph, entry.directive.pos).help(help));
            }
            Some((source, field)) if field.is_none_or(|field| field.has(Fed::External)) => {
                let message = format!("field is taken over from {}, which does not resolve it", source.name);
                let error = entry.error(Code::OverrideSourceWithoutField, message);
                report.push(error.help("remove @override, or name the subgraph that resolves the field"));
            }
            Some((source, Some(field))) => moved(&entry, source, field, report),
            Some((_, None)) => {}
        }
    }
}

/// What the subgraph that had the field before should know, or must not say.
fn moved(entry: &Override<'_>, source: &Subgraph, field: &Field, report: &mut Report) {
    for fed in [Fed::Requires, Fed::Provides] {
        if let Some(directive) = field.get(fed) {
            let message = format!("field is taken over from {}, where it is @{}", source.name, fed.name());
            let error = entry.error(Code::OverrideCollision, message).at(source, directive.pos);
            report.push(error.help(format!("remove @{} in {}, or @override here", fed.name(), source.name)));
            return;
        }
    }
    let hint = |code: Code, message: String| Diagnostic::hint(code, entry.coordinate(), message);
    if let Some(label) = entry.directive.str_arg("label") {
        let message = format!("field moves from {} to {} by \"{label}\"", source.name, entry.subgraph.name);
        let hint = hint(Code::OverrideMigrationInProgress, message).at(entry.subgraph, entry.directive.pos);
        report.push(hint.help("remove the label when the new subgraph has proven itself"));
        return;
    }
    let is_used = source.used_fields.contains(&(entry.ty.name.clone(), entry.field.name.clone()));
    let message =
        format!("field has moved to {}, and {} does not answer for it", entry.subgraph.name, source.name);
    let help = if is_used {
        format!("mark it @external in {}, which still uses it, and remove @override", source.name)
    } else {
        format!("remove the field from {}, then @override", source.name)
    };
    report.push(hint(Code::OverriddenFieldCanBeRemoved, message).at(source, field.pos).help(help));
}

pub(super) fn overrides_do_not_collide(subgraphs: &[Subgraph], report: &mut Report) {
    let all = Override::all(subgraphs);
    for (index, entry) in all.iter().enumerate() {
        let same_field =
            |other: &&Override<'_>| other.ty.name == entry.ty.name && other.field.name == entry.field.name;
        let from_same = all[..index].iter().filter(same_field).find(|other| other.from == entry.from);
        if let Some(other) = from_same {
            let message = format!(
                "both {} and {} take the field over from {}",
                other.subgraph.name, entry.subgraph.name, entry.from
            );
            let error =
                entry.error(Code::OverrideSourceHasOverride, message).at(other.subgraph, other.directive.pos);
            report.push(error.help("keep one of the two"));
        }
        if let Some((source, Some(field))) = entry.source(subgraphs)
            && source.name != entry.subgraph.name
            && let Some(directive) = field.get(Fed::Override)
        {
            let message = format!("field is taken over from {}, which takes it over itself", source.name);
            let error = entry.error(Code::OverrideSourceHasOverride, message).at(source, directive.pos);
            report.push(error.help(format!(
                "remove @override in {}, or name the subgraph at the start of the chain",
                source.name
            )));
        }
    }
}

pub(super) fn labels_are_valid(subgraphs: &[Subgraph], report: &mut Report) {
    for entry in Override::all(subgraphs) {
        let Some(label) = entry.directive.str_arg("label") else { continue };
        let is_early = entry.subgraph.links.federation.is_some_and(|minor| minor < 7);
        let (message, help) = if is_early {
            ("@override has a label from federation v2.7 on".to_owned(), "link federation v2.7 or later")
        } else if !is_valid_label(label) {
            (
                format!("\"{label}\" is no label"),
                "use letters, digits and _ - : . / after a letter, or \"percent(12.5)\" between 0 and 100",
            )
        } else {
            continue;
        };
        report.push(entry.error(Code::OverrideLabelInvalid, message).help(help));
    }
}

fn is_valid_label(label: &str) -> bool {
    let percentage = label.strip_prefix("percent(").and_then(|rest| rest.strip_suffix(')'));
    if let Some(number) = percentage {
        let is_plain = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let digits = number.split_once('.').map_or(0, |(_, digits)| digits.len());
        return is_plain
            && digits <= 8
            && number.parse::<f64>().is_ok_and(|number| (0.0..=100.0).contains(&number));
    }
    label.starts_with(|c: char| c.is_ascii_alphabetic())
        && label.chars().all(|c| c.is_ascii_alphanumeric() || "_-:./".contains(c))
}
