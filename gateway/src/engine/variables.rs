//! Variables: coerced by the specification (§6.1.2) before anything is asked of a subgraph.

use std::sync::Arc;

use graphql_tools::static_graphql::query;

use super::schema::{Kind, Schema, Type, TypeRef, literal};
use super::{ErrorCode, RequestError};
use crate::uploads::marked;
use crate::value::{Object, Text, Value};

/// A variable that an operation declares.
#[derive(Debug)]
pub(super) struct Variable {
    /// The name that clients give it by.
    name: Arc<str>,
    /// The name in subgraph requests.
    sent_as: Text,
    ty: TypeRef,
    default: Option<Value>,
}

impl Variable {
    /// Reads a definition, whose name may have been changed from what clients know it by.
    pub(super) fn new(definition: &query::VariableDefinition, name: &str) -> Self {
        Self {
            name: name.into(),
            sent_as: definition.name.as_str().into(),
            ty: TypeRef::from(&definition.var_type),
            default: definition.default_value.as_ref().map(literal),
        }
    }
}

/// The values of all declared variables; those that are neither given nor have a default are left out.
pub(super) fn coerce(
    schema: &Schema,
    variables: &[Variable],
    given: Option<&Value>,
) -> Result<Object, Vec<RequestError>> {
    let given = match given {
        None | Some(Value::Null) => &Object::new(),
        Some(Value::Object(object)) => object,
        Some(other) => {
            return Err(vec![invalid(format!("variables must be an object, found {}", other.kind()))]);
        }
    };
    let mut coerced = Object::with_capacity(variables.len());
    let mut errors = Vec::new();
    for variable in variables {
        let mut coercion =
            Coercion { schema, variable: &variable.name, path: Vec::new(), errors: &mut errors };
        if let Some(value) = coercion.variable(variable, given.get(&variable.name)) {
            coerced.push(variable.sent_as.clone(), value);
        }
    }
    if errors.is_empty() { Ok(coerced) } else { Err(errors) }
}

fn invalid(message: String) -> RequestError {
    RequestError::new(ErrorCode::BadUserInput, message).because("INVALID_VARIABLES")
}

struct Coercion<'a> {
    schema: &'a Schema,
    variable: &'a str,
    path: Vec<String>,
    errors: &'a mut Vec<RequestError>,
}

impl Coercion<'_> {
    fn variable(&mut self, variable: &Variable, given: Option<&Value>) -> Option<Value> {
        match (given, &variable.default, &variable.ty) {
            (Some(value), ..) => self.value(value, &variable.ty),
            (None, Some(default), ty) => self.value(default, ty),
            (None, None, TypeRef::NonNull(_)) => {
                self.report(&format!("of the required type `{}` was not given", variable.ty));
                None
            }
            (None, None, _) => None,
        }
    }

    /// `None` when the value is no good, which has been reported then.
    fn value(&mut self, value: &Value, ty: &TypeRef) -> Option<Value> {
        match (ty, value) {
            (TypeRef::NonNull(_), Value::Null) => {
                self.refuse(&format!("must not be null, its type is `{ty}`"))
            }
            (TypeRef::NonNull(inner), _) => self.value(value, inner),
            (_, Value::Null) => Some(Value::Null),
            (TypeRef::List(inner), Value::List(items)) => {
                let mut list = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    self.path.push(format!("[{index}]"));
                    list.extend(self.value(item, inner));
                    self.path.pop();
                }
                (list.len() == items.len()).then_some(Value::List(list))
            }
            (TypeRef::List(inner), single) => Some(Value::List(vec![self.value(single, inner)?])),
            (TypeRef::Named(name), _) => {
                let schema = self.schema;
                match schema.get(name) {
                    Some(ty) if ty.kind == Kind::InputObject => self.input_object(value, ty),
                    Some(ty) if ty.kind == Kind::Enum => self.enum_value(value, ty),
                    _ => self.scalar(value, name),
                }
            }
        }
    }

    fn scalar(&mut self, value: &Value, name: &str) -> Option<Value> {
        if marked(value).is_some() && ["Int", "Float", "String", "Boolean", "ID"].contains(&name) {
            return self.refuse(&format!("is a file, but its type is `{name}`"));
        }
        let what = match (name, value) {
            ("Int", Value::Int(number)) if i32::try_from(*number).is_ok() => return Some(value.clone()),
            ("Int", Value::Number(text)) if let Some(number) = whole(text) => {
                return Some(Value::Int(number.into()));
            }
            ("ID", Value::Int(number)) => return Some(number.to_string().into()),
            ("ID", Value::Number(text)) if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') => {
                return Some(Value::String(text.clone()));
            }
            ("Float", Value::Int(_) | Value::Number(_))
            | ("String" | "ID", Value::String(_))
            | ("Boolean", Value::Bool(_)) => return Some(value.clone()),
            ("Int", _) => "a whole number of 32 bits (`Int`)",
            ("Float", _) => "a number (`Float`)",
            ("String", _) => "a string (`String`)",
            ("Boolean", _) => "`true` or `false` (`Boolean`)",
            ("ID", _) => "a string or a whole number (`ID`)",
            // What a custom scalar may hold, its subgraph knows.
            _ => return Some(value.clone()),
        };
        self.expected(what, value)
    }

    fn enum_value(&mut self, value: &Value, ty: &Type) -> Option<Value> {
        match value.as_str() {
            Some(name) if ty.value_names.contains(name) => Some(value.clone()),
            _ => {
                let names: Vec<_> = ty.values.iter().map(|value| format!("`{}`", value.name)).collect();
                self.expected(&format!("one of {} (`{}`)", names.join(", "), ty.name), value)
            }
        }
    }

    fn input_object(&mut self, value: &Value, ty: &Type) -> Option<Value> {
        let Value::Object(given) = value else {
            return self.expected(&format!("an object (`{}`)", ty.name), value);
        };
        let before = self.errors.len();
        for (key, _) in given {
            if !ty.inputs.contains_key(key.as_str()) {
                let known: Vec<_> = ty.inputs.keys().map(|name| format!("`{name}`")).collect();
                self.report(&format!("has a field `{key}`, but `{}` has only {}", ty.name, known.join(", ")));
            }
        }
        let mut coerced = Object::with_capacity(given.len());
        for input in ty.inputs.values() {
            self.path.push(format!(".{}", input.name));
            match (given.get(&input.name), &input.default, &input.ty) {
                (Some(value), ..) => {
                    if let Some(value) = self.value(value, &input.ty) {
                        coerced.push(Arc::clone(&input.name).into(), value);
                    }
                }
                (None, Some(default), _) => {
                    if let Some(value) = self.value(&default.value, &input.ty) {
                        coerced.push(Arc::clone(&input.name).into(), value);
                    }
                }
                (None, None, TypeRef::NonNull(_)) => {
                    self.report(&format!("of the required type `{}` was not given", input.ty));
                }
                (None, None, _) => {}
            }
            self.path.pop();
        }
        if ty.one_of && (given.len() != 1 || given.iter().any(|(_, value)| value.is_null())) {
            self.report(&format!(
                "must have exactly one field that is not null, as `{}` is a oneOf input",
                ty.name
            ));
        }
        (self.errors.len() == before).then_some(Value::Object(coerced))
    }

    fn expected(&mut self, what: &str, found: &Value) -> Option<Value> {
        let shown: String = found.to_string().chars().take(60).collect();
        self.refuse(&format!("must be {what}, found {} {shown}", found.kind()))
    }

    fn refuse(&mut self, text: &str) -> Option<Value> {
        self.report(text);
        None
    }

    fn report(&mut self, text: &str) {
        self.errors.push(invalid(format!("variable `${}{}` {text}", self.variable, self.path.concat())));
    }
}

/// A whole number that was written with a fraction of zeros or an exponent.
fn whole(text: &str) -> Option<i32> {
    let number: f64 = text.parse().ok()?;
    let in_range = (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&number);
    #[expect(clippy::cast_possible_truncation, reason = "it is in range and has no fraction")]
    (in_range && number.fract() == 0.0).then_some(number as i32)
}
