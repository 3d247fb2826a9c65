//! The field sets of `@key`, `@requires` and `@provides`.

use super::{Report, external};
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    subgraph::{
        Directive, Field, Kind, Subgraph, TypeDef, base_name,
        field_set::{self, Selection, Step},
        spec::Fed,
    },
};

pub(super) fn keys_are_valid(subgraph: &Subgraph, report: &mut Report) {
    for ty in subgraph.types.values() {
        for key in ty.keys() {
            let error = |code: Code, message: String| {
                Diagnostic::error(code, &ty.name, format!("{}: {message}", key.print())).at(subgraph, key.pos)
            };
            let selections = match read(key) {
                Ok(selections) => selections,
                Err(message) => {
                    let code = code_of(&message, Code::KeyInvalidFields, Code::KeyHasDirective);
                    report.push(
                        error(code, message)
                            .help("name fields of this type, such as \"id\" or \"sku organization { id }\""),
                    );
                    continue;
                }
            };
            field_set::walk(subgraph, &ty.name, &selections, &mut |step| match step {
                Step::Problem(message) => report.push(
                    error(Code::KeyInvalidFields, message)
                        .help(format!("name fields that this subgraph defines on {}", ty.name)),
                ),
                Step::Field { parent, field } => {
                    if let Some((code, message)) = key_field_problem(subgraph, parent, field) {
                        let help = "use fields without arguments that lead to scalars, enums or objects";
                        report.push(error(code, message).help(help));
                    }
                }
            });
        }
    }
}

fn key_field_problem(subgraph: &Subgraph, parent: &TypeDef, field: &Field) -> Option<(Code, String)> {
    let coordinate = format!("{}.{}", parent.name, field.name);
    if !field.args.is_empty() {
        return Some((
            Code::KeyFieldsHasArgs,
            format!("{coordinate} has arguments, so it cannot be part of a key"),
        ));
    }
    match subgraph.kind(base_name(&field.ty)) {
        Some(kind @ (Kind::Interface | Kind::Union)) => Some((
            Code::KeyFieldsSelectInvalidType,
            format!("{coordinate} is a {}, so it cannot be part of a key", kind.as_str()),
        )),
        _ => None,
    }
}

pub(super) fn requires_are_valid(subgraph: &Subgraph, report: &mut Report) {
    for ty in subgraph.types.values().filter(|ty| ty.kind == Kind::Object) {
        for field in ty.fields.values() {
            if let Some(directive) = field.get(Fed::Requires) {
                let codes = Codes {
                    invalid: Code::RequiresInvalidFields,
                    missing_external: Code::RequiresMissingExternal,
                    has_directive: Code::RequiresHasDirective,
                };
                check(subgraph, (ty, field), (&ty.name, directive), codes, report);
            }
        }
    }
}

pub(super) fn provides_are_valid(subgraph: &Subgraph, report: &mut Report) {
    for ty in subgraph.types.values().filter(|ty| ty.kind == Kind::Object) {
        for field in ty.fields.values() {
            let Some(directive) = field.get(Fed::Provides) else { continue };
            let target = base_name(&field.ty);
            if subgraph.kind(target).is_some_and(Kind::is_composite) {
                let codes = Codes {
                    invalid: Code::ProvidesInvalidFields,
                    missing_external: Code::ProvidesMissingExternal,
                    has_directive: Code::ProvidesHasDirective,
                };
                check(subgraph, (ty, field), (target, directive), codes, report);
                provides_no_arguments(subgraph, (ty, field), (target, directive), report);
            } else {
                let coordinate = format!("{}.{}", ty.name, field.name);
                let message = format!("@provides promises fields of {target}, which has none");
                report.push(
                    Diagnostic::error(Code::ProvidesOnNonObjectField, coordinate, message)
                        .at(subgraph, directive.pos)
                        .help("remove @provides, or return an object type"),
                );
            }
        }
    }
}

/// Which code says what of a field set.
#[derive(Clone, Copy)]
struct Codes {
    invalid: Code,
    missing_external: Code,
    has_directive: Code,
}

fn code_of(message: &str, otherwise: Code, has_directive: Code) -> Code {
    if message == field_set::APPLIES_DIRECTIVES { has_directive } else { otherwise }
}

/// What is provided goes beside any request for the field, whatever its arguments say.
fn provides_no_arguments(
    subgraph: &Subgraph,
    owner: (&TypeDef, &Field),
    (on, directive): (&str, &Directive),
    report: &mut Report,
) {
    let Ok(selections) = read(directive) else { return };
    field_set::walk(subgraph, on, &selections, &mut |step| {
        if let Step::Field { parent, field } = step
            && !field.args.is_empty()
        {
            let message = format!(
                "{}: {}.{} has arguments, so it cannot be provided",
                directive.print(),
                parent.name,
                field.name
            );
            let coordinate = format!("{}.{}", owner.0.name, owner.1.name);
            report.push(
                Diagnostic::error(Code::ProvidesHasArgs, coordinate, message)
                    .at(subgraph, directive.pos)
                    .help("leave it out of the field set"),
            );
        }
    });
}

/// Checks the field set of a directive on `owner` that selects from another type.
fn check(
    subgraph: &Subgraph,
    owner: (&TypeDef, &Field),
    (on, directive): (&str, &Directive),
    codes: Codes,
    report: &mut Report,
) {
    let coordinate = format!("{}.{}", owner.0.name, owner.1.name);
    let error = |code: Code, message: String| {
        Diagnostic::error(code, &coordinate, format!("{}: {message}", directive.print()))
            .at(subgraph, directive.pos)
    };
    let selections = match read(directive) {
        Ok(selections) => selections,
        Err(message) => {
            return report.push(
                error(code_of(&message, codes.invalid, codes.has_directive), message)
                    .help(format!("name fields of {on}, such as \"name owner {{ id }}\"")),
            );
        }
    };
    let before = report.len();
    field_set::walk(subgraph, on, &selections, &mut |step| {
        if let Step::Problem(message) = step {
            report.push(
                error(codes.invalid, message)
                    .help(format!("define the field on {on} in this subgraph and mark it @external")),
            );
        }
    });
    if report.len() == before
        && let Some(own) = external::first_own_leaf(subgraph, on, &selections)
    {
        let message = format!("{own} is not @external: this subgraph resolves it itself");
        report.push(
            error(codes.missing_external, message)
                .help(format!("mark {own} @external here, or leave it out of the field set")),
        );
    }
}

fn read(directive: &Directive) -> Result<Vec<Selection>, String> {
    field_set::parse(directive.fields().unwrap_or_default())
}
