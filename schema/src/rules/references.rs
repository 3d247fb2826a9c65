//! Types that fields, arguments and unions name.

use super::Report;
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    subgraph::{BUILTIN_SCALARS, Field, Kind, Subgraph, base_name},
};

/// Visits each field, argument and input field: its coordinate, itself, whether it is an input.
fn each(subgraph: &Subgraph, mut visit: impl FnMut(String, &Field, bool)) {
    for ty in subgraph.types.values() {
        for field in ty.fields.values() {
            let coordinate = format!("{}.{}", ty.name, field.name);
            for argument in field.args.values() {
                visit(format!("{coordinate}({}:)", argument.name), argument, true);
            }
            visit(coordinate, field, ty.kind == Kind::InputObject);
        }
    }
}

pub(super) fn types_are_defined(subgraph: &Subgraph, report: &mut Report) {
    let mut refuse = |coordinate: String, name: &str, pos| {
        let message = format!("type {name} is not defined in this subgraph");
        let help = match similar(subgraph, name) {
            Some(other) => format!("define {name} here, or did you mean {other}?"),
            None => format!("define {name} here; each subgraph defines all types that it uses"),
        };
        report
            .push(Diagnostic::error(Code::InvalidGraphql, coordinate, message).at(subgraph, pos).help(help));
    };
    each(subgraph, |coordinate, field, _| {
        let name = base_name(&field.ty);
        if subgraph.kind(name).is_none() {
            refuse(coordinate, name, field.pos);
        }
    });
    for ty in subgraph.types.values() {
        for (name, pos) in ty.members.iter().chain(&ty.implements) {
            if subgraph.kind(name).is_none() {
                refuse(ty.name.clone(), name, *pos);
            }
        }
    }
}

/// A defined type whose name differs in letter case or by one letter.
fn similar<'a>(subgraph: &'a Subgraph, name: &str) -> Option<&'a str> {
    let known = subgraph.types.keys().map(String::as_str).chain(BUILTIN_SCALARS);
    known.into_iter().find(|other| is_similar(other, name))
}

/// Whether two names are equal but for letter case or one edit.
pub(super) fn is_similar(a: &str, b: &str) -> bool {
    if a.eq_ignore_ascii_case(b) {
        return true;
    }
    let (short, long) =
        if a.len() <= b.len() { (a.as_bytes(), b.as_bytes()) } else { (b.as_bytes(), a.as_bytes()) };
    if long.len() < 4 || long.len() - short.len() > 1 {
        return false;
    }
    let same = short.iter().zip(long).take_while(|(a, b)| a == b).count();
    let skip = if short.len() == long.len() { same + 1 } else { same };
    short.get(skip..).unwrap_or_default() == &long[same + 1..]
}

pub(super) fn positions_fit(subgraph: &Subgraph, report: &mut Report) {
    each(subgraph, |coordinate, field, is_input| {
        let name = base_name(&field.ty);
        let problem = match subgraph.kind(name) {
            Some(Kind::InputObject) if !is_input => "an input type cannot be returned",
            Some(kind) if is_input && kind.is_composite() => {
                "only scalars, enums and input types can be given"
            }
            _ => return,
        };
        report.push(
            Diagnostic::error(
                Code::InvalidGraphql,
                coordinate,
                format!("{name} does not fit here: {problem}"),
            )
            .at(subgraph, field.pos)
            .help("use a type of the right kind"),
        );
    });
}

pub(super) fn union_members_are_objects(subgraph: &Subgraph, report: &mut Report) {
    for ty in subgraph.types.values() {
        for (member, pos) in &ty.members {
            if subgraph.kind(member).is_some_and(|kind| kind != Kind::Object) {
                let message = format!("{member} is no object type, so it cannot be a member of a union");
                report.push(
                    Diagnostic::error(Code::InvalidGraphql, &ty.name, message)
                        .at(subgraph, *pos)
                        .help("list object types only"),
                );
            }
        }
    }
}
