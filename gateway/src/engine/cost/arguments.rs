//! What arguments cost: their `@cost`, or else that of their types, by default 1 for an input object and 0 for others.

use graphql_tools::static_graphql::query;

use super::price::is_input_object;
use super::{Cost, Weights};
use crate::engine::schema::{Schema, TypeRef};
use crate::value::{Object, Value};

/// A part of what a field's argument costs.
#[derive(Debug)]
pub(super) struct ArgumentPrice {
    /// What is written in the operation's text.
    fixed: Cost,
    /// What variables hold.
    variables: Vec<VariablePrice>,
}

/// What a value of a variable costs, by its shape.
#[derive(Debug)]
struct VariablePrice {
    name: String,
    form: Form,
}

/// The prices of a type's values. Input objects may contain themselves, so that deep ones share the last level.
#[derive(Debug, Clone)]
struct Form {
    weight: Cost,
    fields: Vec<(String, Form)>,
}

/// How deeply nested input objects' fields are told apart.
const DEPTH: usize = 6;

/// The price of an argument; `None` when it is always free.
pub(super) fn argument_price(
    known: (&Schema, &Weights),
    ty: &TypeRef,
    own: Option<Cost>,
    value: &query::Value,
) -> Option<ArgumentPrice> {
    let form = form(known, ty, own, DEPTH);
    if form.is_free() {
        return None;
    }
    let mut price = ArgumentPrice { fixed: Cost::ZERO, variables: Vec::new() };
    price.literal(form, value);
    Some(price)
}

impl ArgumentPrice {
    /// What the argument costs with these variables.
    pub(super) fn cost(&self, variables: &Object) -> Cost {
        let variable = |price: &VariablePrice| {
            variables.get(&price.name).map_or(Cost::ZERO, |value| price.form.cost(value))
        };
        self.fixed + self.variables.iter().map(variable).sum()
    }

    fn literal(&mut self, form: Form, value: &query::Value) {
        match value {
            query::Value::Null => {}
            query::Value::Variable(name) => self.variables.push(VariablePrice { name: name.clone(), form }),
            query::Value::List(items) => {
                for item in items {
                    self.literal(form.clone(), item);
                }
            }
            query::Value::Object(given) => {
                self.fixed = self.fixed + form.weight;
                for (name, form) in form.fields {
                    if let Some((_, value)) = given.iter().find(|(known, _)| *known == name) {
                        self.literal(form, value);
                    }
                }
            }
            _ => self.fixed = self.fixed + form.weight,
        }
    }
}

impl Form {
    fn is_free(&self) -> bool {
        self.weight.is_zero() && self.fields.is_empty()
    }

    fn cost(&self, value: &Value) -> Cost {
        match value {
            Value::Null => Cost::ZERO,
            Value::List(items) => items.iter().map(|item| self.cost(item)).sum(),
            Value::Object(given) => {
                let inner = self.fields.iter().filter_map(|(name, form)| Some(form.cost(given.get(name)?)));
                self.weight + inner.sum()
            }
            _ => self.weight,
        }
    }
}

fn form(known: (&Schema, &Weights), ty: &TypeRef, own: Option<Cost>, depth: usize) -> Form {
    let (schema, weights) = known;
    let name = ty.name();
    let is_object = is_input_object(schema, name);
    let default = if is_object { Cost::new(1) } else { Cost::ZERO };
    let weight = own.or_else(|| weights.of_type(name)).unwrap_or(default);
    let mut fields = Vec::new();
    if let Some(ty) = schema.get(name).filter(|_| is_object && depth > 0) {
        for input in ty.inputs.values() {
            let form = form(known, &input.ty, weights.of_input(name, &input.name), depth - 1);
            if !form.is_free() {
                fields.push((input.name.to_string(), form));
            }
        }
    }
    Form { weight, fields }
}
