//! Default values against the types that they stand for.

use std::collections::{BTreeMap, BTreeSet};

use async_graphql_parser::types::{BaseType, Type};
use async_graphql_value::ConstValue;

use super::Report;
use crate::{
    code::Code,
    diagnostic::Diagnostic,
    subgraph::{Kind, Subgraph},
    supergraph::{OutField, Supergraph},
};

/// The input types of a schema: enums with their values, input objects with their fields.
#[derive(Default)]
struct Inputs<'a> {
    enums: BTreeMap<&'a str, BTreeSet<&'a str>>,
    objects: BTreeMap<&'a str, BTreeMap<&'a str, InputField<'a>>>,
}

struct InputField<'a> {
    ty: &'a Type,
    required: bool,
}

impl Inputs<'_> {
    fn check(&self, value: &ConstValue, ty: &Type) -> Result<(), String> {
        match (value, &ty.base) {
            (ConstValue::Null, _) if ty.nullable => Ok(()),
            (ConstValue::Null, _) => Err(format!("null is no {ty}")),
            (ConstValue::List(values), BaseType::List(inner)) => {
                values.iter().try_for_each(|value| self.check(value, inner))
            }
            // A single value stands for a list of one.
            (value, BaseType::List(inner)) => self.check(value, inner),
            (value, BaseType::Named(name)) => self.check_named(value, name),
        }
    }

    fn check_named(&self, value: &ConstValue, name: &str) -> Result<(), String> {
        let fits = match name {
            "Int" => {
                matches!(value, ConstValue::Number(number) if number.as_i64().is_some_and(|number| i32::try_from(number).is_ok()))
            }
            "Float" => matches!(value, ConstValue::Number(_)),
            "String" => matches!(value, ConstValue::String(_)),
            "Boolean" => matches!(value, ConstValue::Boolean(_)),
            "ID" => matches!(value, ConstValue::String(_) | ConstValue::Number(_)),
            _ => return self.check_defined(value, name),
        };
        if fits { Ok(()) } else { Err(format!("{value} is no {name}")) }
    }

    fn check_defined(&self, value: &ConstValue, name: &str) -> Result<(), String> {
        if let Some(values) = self.enums.get(name) {
            return match value {
                ConstValue::Enum(value) if values.contains(value.as_str()) => Ok(()),
                _ => Err(format!("{value} is no value of {name}")),
            };
        }
        let Some(fields) = self.objects.get(name) else { return Ok(()) };
        let ConstValue::Object(given) = value else { return Err(format!("{value} is no {name}")) };
        for (field, value) in given {
            let known = fields.get(field.as_str()).ok_or_else(|| format!("{name} has no field {field}"))?;
            self.check(value, known.ty)?;
        }
        match fields.iter().find(|(field, known)| known.required && !given.contains_key(**field)) {
            Some((field, _)) => Err(format!("field {field} of {name} is missing")),
            None => Ok(()),
        }
    }
}

pub(super) fn defaults_fit(subgraph: &Subgraph, report: &mut Report) {
    let mut inputs = Inputs::default();
    for ty in subgraph.types.values() {
        let field = |field: &'_ crate::subgraph::Field| field.is_required();
        match ty.kind {
            Kind::Enum => drop(inputs.enums.insert(&ty.name, ty.values.keys().map(String::as_str).collect())),
            Kind::InputObject => {
                let fields = ty
                    .fields
                    .values()
                    .map(|input| (input.name.as_str(), InputField { ty: &input.ty, required: field(input) }));
                inputs.objects.insert(&ty.name, fields.collect());
            }
            _ => {}
        }
    }
    for ty in subgraph.types.values() {
        for field in ty.fields.values() {
            let own = (format!("{}.{}", ty.name, field.name), field);
            let arguments = field
                .args
                .values()
                .map(|argument| (format!("{}.{}({}:)", ty.name, field.name, argument.name), argument));
            for (coordinate, input) in arguments.chain([own]) {
                let Some(default) = &input.default else { continue };
                if let Err(message) = inputs.check(default, &input.ty) {
                    let error = Diagnostic::error(
                        Code::InvalidGraphql,
                        coordinate,
                        format!("default does not fit: {message}"),
                    );
                    report.push(
                        error
                            .at(subgraph, input.pos)
                            .help(format!("give a default of type {}, or none", input.ty)),
                    );
                }
            }
        }
    }
}

/// A default may use a value that the merge left out, or one that is `@inaccessible`.
pub(super) fn merged_defaults_fit(supergraph: &Supergraph, report: &mut Report) {
    let all = merged_inputs(supergraph, false);
    let accessible = merged_inputs(supergraph, true);
    let mut check = |coordinate: String, input: &OutField, hidden: bool| {
        let Some(default) = &input.default else { return };
        if let Err(message) = all.check(default, &input.ty) {
            let error = input.error(
                Code::InvalidGraphql,
                &coordinate,
                format!("default does not fit after the merge: {message}"),
            );
            report.push(error.help("give a default that every subgraph accepts, or none"));
        } else if !hidden && let Err(message) = accessible.check(default, &input.ty) {
            let error = input.error(
                Code::DefaultValueUsesInaccessible,
                &coordinate,
                format!("default uses what is @inaccessible: {message}"),
            );
            report.push(error.help("give a default that clients may see, or mark this @inaccessible too"));
        }
    };
    for ty in supergraph.types.values() {
        for (name, field) in &ty.fields {
            let coordinate = format!("{}.{name}", ty.name);
            let hidden = ty.inaccessible || field.inaccessible;
            for (argument, definition) in &field.args {
                check(format!("{coordinate}({argument}:)"), definition, hidden || definition.inaccessible);
            }
            check(coordinate, field, hidden);
        }
    }
}

fn merged_inputs(supergraph: &Supergraph, accessible_only: bool) -> Inputs<'_> {
    let shown = |inaccessible: bool| !(accessible_only && inaccessible);
    let mut inputs = Inputs::default();
    for ty in supergraph.types.values() {
        match ty.kind {
            Kind::Enum => {
                let values = ty
                    .values
                    .iter()
                    .filter(|(_, value)| shown(value.inaccessible))
                    .map(|(name, _)| name.as_str());
                inputs.enums.insert(&ty.name, values.collect());
            }
            Kind::InputObject => {
                let fields = ty.fields.iter().filter(|(_, field)| shown(field.inaccessible));
                let fields = fields.map(|(name, field)| {
                    (
                        name.as_str(),
                        InputField { ty: &field.ty, required: !field.ty.nullable && field.default.is_none() },
                    )
                });
                inputs.objects.insert(&ty.name, fields.collect());
            }
            _ => {}
        }
    }
    inputs
}
