//! Parameters of a request: how they follow from arguments, and how their texts become variables.

use std::collections::BTreeMap;

use async_graphql_parser::types::{BaseType, Type as TypeRef};
use async_graphql_value::ConstValue;
use pulse_gateway::value::{Object, Text, Value};

use crate::names::camel_of_constant;
use crate::problem::Problem;
use crate::schema::{Field, Kind, Schema, is_list, named};

/// Names that every route which selects takes for itself.
const RESERVED: [&str; 2] = ["fields", "include"];

/// Arguments whose own fields are parameters by their own names.
const FLAT: [&str; 2] = ["filter", "input"];

/// What a request may say in its path or behind the question mark.
#[derive(Debug, Clone)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) is_in_path: bool,
    /// Where among the variables its value goes.
    pub(crate) target: Vec<Text>,
    pub(crate) ty: TypeRef,
    pub(crate) form: Form,
    pub(crate) is_required: bool,
    pub(crate) description: Option<String>,
    pub(crate) default: Option<ConstValue>,
}

/// How a parameter is written.
#[derive(Debug, Clone)]
pub(crate) enum Form {
    /// Once.
    One(Leaf),
    /// As often as there are values.
    Many(Leaf),
    /// A field to order by, with a minus before it for the other way round: its names, and the values of the schema.
    Order(Vec<(String, String)>),
    /// A text that is JSON.
    Json,
}

/// A single value.
#[derive(Debug, Clone)]
pub(crate) enum Leaf {
    Int,
    Float,
    Boolean,
    Text,
    Enum(Vec<String>),
    Json,
}

/// The parameters of arguments, each in the variable of its own name.
pub(crate) fn of_arguments(schema: &Schema, args: &[(&Field, String)]) -> Vec<Parameter> {
    let mut found = Vec::new();
    let taken: Vec<&str> = args.iter().map(|(_, name)| name.as_str()).chain(RESERVED).collect();
    for (field, variable) in args {
        let place =
            Place { name: variable.clone(), target: vec![Text::from(variable.as_str())], is_required: true };
        let mut stack = Vec::new();
        Flattening { schema, taken: &taken, found: &mut found }.add(field, place, &mut stack);
    }
    found
}

struct Place {
    name: String,
    target: Vec<Text>,
    is_required: bool,
}

struct Flattening<'a> {
    schema: &'a Schema,
    taken: &'a [&'a str],
    found: &'a mut Vec<Parameter>,
}

impl Flattening<'_> {
    fn add(&mut self, field: &Field, place: Place, stack: &mut Vec<String>) {
        let ty = named(&field.ty);
        let mut is_required = place.is_required && field.is_required();
        let order = self.order(&field.ty);
        let form = match self.form(field) {
            Some(form) => form,
            // What is around it, or a list of objects, is one text.
            None if is_list(&field.ty) || self.leads_back(ty, stack, &mut Vec::new()) => Form::Json,
            None => {
                stack.push(ty.to_owned());
                for inner in self.schema.fields(ty) {
                    if order.is_some() && inner.name == "field" {
                        continue;
                    }
                    let is_flat = stack.len() == 1 && FLAT.contains(&field.name.as_str());
                    let name = if is_flat && !self.taken.contains(&inner.name.as_str()) {
                        inner.name.clone()
                    } else {
                        format!("{}.{}", place.name, inner.name)
                    };
                    let target =
                        place.target.iter().cloned().chain([Text::from(inner.name.as_str())]).collect();
                    self.add(inner, Place { name, target, is_required }, stack);
                }
                stack.pop();
                // What else it may be ordered by has parameters of its own.
                is_required = false;
                match order {
                    Some(fields) => Form::Order(fields),
                    None => return,
                }
            }
        };
        self.found.push(Parameter {
            name: place.name,
            is_in_path: false,
            target: place.target,
            ty: field.ty.clone(),
            form,
            is_required,
            description: field.description.clone(),
            default: field.default.clone(),
        });
    }

    fn form(&self, field: &Field) -> Option<Form> {
        if let Some(order) = self.order(&field.ty).filter(|_| self.schema.fields(named(&field.ty)).len() == 2)
        {
            return Some(Form::Order(order));
        }
        if self.schema.is_input(&field.ty) {
            return None;
        }
        let leaf = leaf(self.schema, named(&field.ty));
        Some(match &field.ty.base {
            BaseType::Named(_) => Form::One(leaf),
            BaseType::List(inner) if is_list(inner) => Form::Json,
            BaseType::List(_) => Form::Many(leaf),
        })
    }

    /// The fields of an input object that is an order: `field`, and `direction` with `ASC` and `DESC`.
    fn order(&self, ty: &TypeRef) -> Option<Vec<(String, String)>> {
        if is_list(ty) {
            return None;
        }
        let (field, direction) =
            (self.schema.field(named(ty), "field")?, self.schema.field(named(ty), "direction")?);
        let ways = &self.schema.get(named(&direction.ty))?.values;
        if *ways != ["ASC", "DESC"] {
            return None;
        }
        let fields = &self.schema.get(named(&field.ty)).filter(|ty| ty.kind == Kind::Enum)?.values;
        Some(fields.iter().map(|value| (camel_of_constant(value), value.clone())).collect())
    }

    /// Whether an input object is, or contains, one of those around it.
    fn leads_back(&self, ty: &str, around: &[String], seen: &mut Vec<String>) -> bool {
        if around.iter().any(|outer| outer == ty) {
            return true;
        }
        if seen.iter().any(|name| name == ty) {
            return false;
        }
        seen.push(ty.to_owned());
        let inner = self.schema.fields(ty).iter().filter(|field| self.schema.is_input(&field.ty));
        inner.map(|field| named(&field.ty)).any(|inner| self.leads_back(inner, around, seen))
    }
}

/// How a single value of a type is written.
pub(crate) fn leaf(schema: &Schema, name: &str) -> Leaf {
    let ty = schema.get(name);
    match (name, ty) {
        ("Int", _) => Leaf::Int,
        ("Float", _) => Leaf::Float,
        ("Boolean", _) => Leaf::Boolean,
        (_, Some(ty)) if ty.kind == Kind::Enum => Leaf::Enum(ty.values.clone()),
        (_, Some(ty)) if is_json(ty.specified_by.as_deref(), name) => Leaf::Json,
        _ => Leaf::Text,
    }
}

/// Whether values of a scalar are any JSON: it is specified as that, or is one that nobody specifies.
pub(crate) fn is_json(specified_by: Option<&str>, name: &str) -> bool {
    let is_builtin = ["ID", "String", "Int", "Float", "Boolean"].contains(&name);
    specified_by.map_or(!is_builtin, |url| url.contains("rfc8259"))
}

/// Reads the parameters of a request into its variables.
pub(crate) fn read(
    parameters: &[Parameter],
    path: &[(String, String)],
    query: &[(String, String)],
) -> Result<Object, Problem> {
    let mut texts: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, text) in query {
        texts.entry(name).or_default().push(text);
    }
    let mut variables = Object::new();
    for parameter in parameters {
        let name = parameter.name.as_str();
        let given = if parameter.is_in_path {
            path.iter().filter(|(other, _)| other == name).map(|(_, text)| text.as_str()).collect()
        } else {
            texts.remove(name).unwrap_or_default()
        };
        if given.is_empty() {
            if parameter.is_required {
                return Err(Problem::bad(format!("the parameter `{name}` is missing")).at(name));
            }
            continue;
        }
        match (&parameter.form, parameter.value(&given).map_err(|why| Problem::bad(why).at(name))?) {
            // Other parameters may say more of the order.
            (Form::Order(_), Value::Object(order)) => {
                for (key, value) in order {
                    let target: Vec<Text> = parameter.target.iter().cloned().chain([key]).collect();
                    put(&mut variables, &target, value);
                }
            }
            (_, value) => put(&mut variables, &parameter.target, value),
        }
    }
    Ok(variables)
}

impl Parameter {
    fn value(&self, texts: &[&str]) -> Result<Value, String> {
        let name = &self.name;
        let one = || match texts {
            [text] => Ok(*text),
            _ => Err(format!("the parameter `{name}` is given {} times, and takes one value", texts.len())),
        };
        match &self.form {
            Form::One(leaf) => leaf.read(name, one()?),
            Form::Many(leaf) => {
                texts.iter().map(|text| leaf.read(name, text)).collect::<Result<Vec<_>, _>>().map(Value::List)
            }
            Form::Json => json(name, one()?),
            Form::Order(fields) => {
                let text = one()?;
                let (field, way) = text.strip_prefix('-').map_or((text, "ASC"), |field| (field, "DESC"));
                let Some((_, value)) = fields.iter().find(|(shown, _)| shown == field) else {
                    let names: Vec<&str> = fields.iter().map(|(shown, _)| shown.as_str()).collect();
                    let names = names.join(", ");
                    return Err(format!(
                        "the parameter `{name}` is one of {names}, with a minus before it for the other way round, \
                         not {text:?}"
                    ));
                };
                let entries = [("field", value.as_str()), ("direction", way)];
                Ok(Value::Object(
                    entries.into_iter().map(|(key, value)| (key.into(), value.into())).collect(),
                ))
            }
        }
    }
}

impl Leaf {
    fn read(&self, name: &str, text: &str) -> Result<Value, String> {
        let no = |what: &str| Err(format!("the parameter `{name}` must be {what}, not {text:?}"));
        match self {
            Self::Int => match text.parse::<i32>() {
                Ok(number) => Ok(Value::Int(number.into())),
                Err(_) => no("a whole number of 32 bits"),
            },
            Self::Float => match text.parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(number.into()),
                _ => no("a number"),
            },
            Self::Boolean => match text {
                "true" => Ok(true.into()),
                "false" => Ok(false.into()),
                _ => no("true or false"),
            },
            Self::Text => Ok(text.into()),
            Self::Enum(values) if values.iter().any(|value| value == text) => Ok(text.into()),
            Self::Enum(values) => no(&format!("one of {}", values.join(", "))),
            Self::Json => json(name, text),
        }
    }
}

fn json(name: &str, text: &str) -> Result<Value, String> {
    Value::parse(text.as_bytes()).map_err(|error| format!("the parameter `{name}` must be JSON: {error}"))
}

/// Puts a value where it belongs, making the objects on the way.
pub(crate) fn put(variables: &mut Object, target: &[Text], value: Value) {
    let Some((last, way)) = target.split_last() else { return };
    let mut object = variables;
    for key in way {
        if object.get(key).and_then(Value::as_object).is_none() {
            object.insert(key.clone(), Value::Object(Object::new()));
        }
        let Some(inner) = object.get_mut(key).and_then(Value::as_object_mut) else { return };
        object = inner;
    }
    object.insert(last.clone(), value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_that_nobody_specifies_are_any_json() {
        assert!(is_json(None, "MetadataValue"));
        assert!(is_json(Some("https://www.rfc-editor.org/rfc/rfc8259#section-4"), "JSONObject"));
        assert!(!is_json(Some("https://datatracker.ietf.org/doc/html/rfc3339"), "DateTime"));
        assert!(!is_json(None, "ID"));
    }
}
