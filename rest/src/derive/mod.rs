//! Routes out of the schema. Each rule is one function; what none of them says well, the mapping says.

mod reads;
mod template;
mod writes;

use std::collections::{BTreeMap, BTreeSet};

use async_graphql_parser::types::Type as TypeRef;
use http::StatusCode;

use crate::RestError;
use crate::mapping::{Mapping, Method};
use crate::names::kebab;
use crate::parameters::{self, Parameter};
use crate::route::{Does, Route};
use crate::schema::{Field, Schema};
use crate::selection::Selecting;

use template::Template;

/// All routes of a schema.
pub(crate) fn derive(schema: &Schema, mapping: &Mapping) -> Result<Vec<Route>, RestError> {
    mapping.check(schema)?;
    let mut derivation =
        Derivation { schema, mapping, routes: Vec::new(), bases: BTreeSet::new(), items: BTreeMap::new() };
    for field in schema.fields(&schema.query) {
        derivation.query(field)?;
    }
    for field in schema.mutation.iter().flat_map(|root| schema.fields(root)) {
        derivation.note_creation(field);
    }
    for field in schema.mutation.iter().flat_map(|root| schema.fields(root)) {
        derivation.mutation(field)?;
    }
    for field in schema.subscription.iter().flat_map(|root| schema.fields(root)) {
        derivation.subscription(field)?;
    }
    let routes = derivation.routes;
    let mut known = BTreeMap::new();
    for route in &routes {
        // Names of parameters do not tell places apart.
        let place = (route.method.as_str(), template::shape(&route.path));
        if let Some(other) = known.insert(place, &route.id) {
            let (method, path, id) = (route.method.as_str(), &route.path, &route.id);
            return Err(RestError::Mapping(format!(
                "{method} {path} would be both {other} and {id}: give one of them another path"
            )));
        }
    }
    Ok(routes)
}

struct Derivation<'a> {
    schema: &'a Schema,
    mapping: &'a Mapping,
    routes: Vec<Route>,
    /// First parts of paths under which there are things.
    bases: BTreeSet<String>,
    /// By which argument a thing is found, by the base of its path.
    items: BTreeMap<String, String>,
}

/// A field on the way to what is answered, and the variables of its arguments.
struct Step<'a> {
    field: &'a Field,
    args: Vec<(&'a Field, String)>,
}

/// What is said of a route before its document is made.
struct Plan<'a> {
    id: String,
    does: Does,
    method: Method,
    template: Template,
    steps: Vec<Step<'a>>,
}

impl<'a> Derivation<'a> {
    /// The route of a plan, whose parameters are the arguments on the way.
    fn route(&self, plan: Plan<'a>) -> Result<Route, RestError> {
        let Plan { id, does, method, template, steps } = plan;
        let args: Vec<(&Field, String)> = steps.iter().flat_map(|step| step.args.iter().cloned()).collect();
        let mut parameters = match does {
            Does::Changes => Vec::new(),
            Does::Reads | Does::Streams => parameters::of_arguments(self.schema, &args),
        };
        for parameter in &mut parameters {
            if let Some(shown) = template.shown(&parameter.name) {
                shown.clone_into(&mut parameter.name);
                parameter.is_in_path = true;
                parameter.is_required = true;
            }
        }
        parameters.sort_by_key(|parameter: &Parameter| !parameter.is_in_path);
        let last = steps.last().map(|step| step.field);
        let answer: TypeRef =
            last.map(|field| field.ty.clone()).ok_or_else(|| RestError::Mapping(id.clone()))?;
        let keyword = match does {
            Does::Reads => "query",
            Does::Changes => "mutation",
            Does::Streams => "subscription",
        };
        let mut head = format!("{keyword} {id}{}", declarations(&args));
        for step in &steps {
            head.push('{');
            head.push_str(&step.field.name);
            head.push_str(&passed(&step.args));
        }
        Ok(Route {
            tag: template.tag(),
            path: template.path(),
            description: last.and_then(|field| field.description.clone()),
            deprecated: steps.iter().find_map(|step| step.field.deprecated.clone()),
            keys: steps.iter().map(|step| step.field.name.clone()).collect(),
            tail: "}".repeat(steps.len()),
            id,
            does,
            method,
            parameters,
            body: None,
            answer,
            is_payload: false,
            success: StatusCode::OK,
            location: None,
            idempotency: None,
            precondition: None,
            head,
        })
    }

    fn subscription(&mut self, field: &'a Field) -> Result<(), RestError> {
        let exception = self.mapping.subscription(&field.name);
        if exception.skip.is_some() {
            return Ok(());
        }
        let path = exception.path.unwrap_or_else(|| format!("/streams/{}", kebab(&field.name)));
        let route = self.route(Plan {
            id: format!("stream{}", crate::names::upper_first(&field.name)),
            does: Does::Streams,
            method: Method::Get,
            template: Template::read(&path)?,
            steps: vec![Step { field, args: own(&field.args) }],
        })?;
        self.routes.push(route);
        Ok(())
    }

    const fn selecting(&self) -> Selecting<'a> {
        Selecting { schema: self.schema, mapping: self.mapping }
    }
}

/// Arguments in variables of their own names.
fn own(args: &[Field]) -> Vec<(&Field, String)> {
    args.iter().map(|arg| (arg, arg.name.clone())).collect()
}

/// `($first:Int)`.
fn declarations(args: &[(&Field, String)]) -> String {
    let declared = args.iter().map(|(field, variable)| {
        let default = field.default.as_ref().map(|value| format!("={value}")).unwrap_or_default();
        format!("${variable}:{}{default}", field.ty)
    });
    in_brackets(&declared.collect::<Vec<_>>())
}

/// `(first:$first)`.
fn passed(args: &[(&Field, String)]) -> String {
    in_brackets(
        &args.iter().map(|(field, variable)| format!("{}:${variable}", field.name)).collect::<Vec<_>>(),
    )
}

fn in_brackets(parts: &[String]) -> String {
    if parts.is_empty() { String::new() } else { format!("({})", parts.join(",")) }
}
