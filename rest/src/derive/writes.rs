//! Routes that change: creation, changes, deletion, and actions.

use async_graphql_parser::types::Type as TypeRef;
use http::StatusCode;
use pulse_gateway::value::Text;

use super::{Derivation, Plan, Step, own};
use crate::RestError;
use crate::derive::template::Template;
use crate::mapping::Method;
use crate::names::{kebab, lower_first, plural, words};
use crate::parameters;
use crate::route::{Does, RequestBody, Route};
use crate::schema::{Field, is_list, named};

/// The fields of an input that a header fills.
const IDEMPOTENCY: &str = "idempotencyKey";
const VERSIONS: [&str; 2] = ["expectedVersion", "version"];

/// The scalar of files.
const UPLOAD: &str = "Upload";

/// The name of a mutation, taken apart.
struct Named {
    verb: String,
    /// The words behind it.
    noun: Vec<String>,
}

/// Where a mutation is, and what success is called.
struct Place {
    method: Method,
    template: Template,
    success: StatusCode,
}

impl Named {
    fn of(field: &str) -> Self {
        let mut noun = words(field);
        let verb = if noun.is_empty() { String::new() } else { noun.remove(0) };
        Self { verb, noun }
    }

    fn base(&self) -> String {
        plural(&self.noun.join("-"))
    }
}

impl<'a> Derivation<'a> {
    /// Notes that there are things where a mutation makes some.
    pub(super) fn note_creation(&mut self, field: &Field) {
        let name = Named::of(&field.name);
        if name.verb == "create" && !name.noun.is_empty() {
            self.bases.insert(name.base());
        }
    }

    pub(super) fn mutation(&mut self, field: &'a Field) -> Result<(), RestError> {
        let exception = self.mapping.mutation(&field.name);
        let (variable, fields) = self.input(field);
        // A file does not fit into JSON: who sends one does so as GraphQL clients do.
        let takes_files = fields.iter().any(|field| named(&field.ty) == UPLOAD);
        if exception.skip.is_some() || takes_files {
            return Ok(());
        }
        let mut place = self.place_of(field, fields)?;
        if let Some(path) = &exception.path {
            place.template = Template::read(path)?;
        }
        if let Some(method) = exception.method {
            place.method = method;
        }
        let wrong = |(_, name): &(&str, &str)| fields.iter().all(|field| field.name != *name);
        if let Some((_, missing)) = place.template.names().find(wrong) {
            return Err(RestError::Mapping(format!(
                "mutation.{}: its input has no field {missing}",
                field.name
            )));
        }
        let steps = vec![Step { field, args: own(&field.args) }];
        let Place { method, template, success } = place;
        let plan =
            Plan { id: field.name.clone(), does: Does::Changes, method, template: template.clone(), steps };
        let mut route = self.route(plan)?;
        route.success = success;
        self.take_fields(&mut route, &template, (variable.as_deref(), fields));
        self.unwrap(&mut route);
        self.routes.push(route);
        Ok(())
    }

    /// The variable in which a mutation's input is, and the input's fields.
    fn input(&self, field: &'a Field) -> (Option<String>, &'a [Field]) {
        match field.args.as_slice() {
            [only] if self.schema.is_input(&only.ty) && !is_list(&only.ty) => {
                (Some(only.name.clone()), self.schema.fields(named(&only.ty)))
            }
            args => (None, args),
        }
    }

    fn place_of(&self, field: &Field, fields: &[Field]) -> Result<Place, RestError> {
        let name = Named::of(&field.name);
        let base = name.base();
        let has = |wanted: &str| fields.iter().any(|field| field.name == wanted && field.is_required());
        let key_at = |base: &str| {
            let key = self.items.get(base).map_or("id", String::as_str);
            has(key).then(|| key.to_owned())
        };
        let at = |path: String| Template::read(&path);
        let place = |method, template, success| Ok(Place { method, template, success });
        let rest = name.noun.join("-");
        match (name.verb.as_str(), key_at(&base)) {
            ("create", _) if !rest.is_empty() => {
                return place(Method::Post, at(format!("/{base}"))?, StatusCode::CREATED);
            }
            ("update", Some(key)) => {
                return place(Method::Patch, at(format!("/{base}/{{{key}}}"))?, StatusCode::OK);
            }
            ("update", None) if !rest.is_empty() => {
                return place(Method::Patch, at(format!("/{rest}"))?, StatusCode::OK);
            }
            ("delete", Some(key)) => {
                return place(Method::Delete, at(format!("/{base}/{{{key}}}"))?, StatusCode::OK);
            }
            _ => {}
        }
        // An action on a thing: as many words as name something that is there.
        for count in (1..=name.noun.len()).rev() {
            let (thing, more) = name.noun.split_at(count);
            let action = std::iter::once(&name.verb).chain(more).cloned().collect::<Vec<_>>().join("-");
            let base = plural(&thing.join("-"));
            if self.bases.contains(&base)
                && let Some(key) = key_at(&base)
            {
                return place(Method::Post, at(format!("/{base}/{{{key}}}/{action}"))?, StatusCode::OK);
            }
            let list = thing.join("-");
            if self.bases.contains(&list) {
                return place(Method::Post, at(format!("/{list}/{action}"))?, StatusCode::OK);
            }
        }
        place(Method::Post, at(format!("/{}", kebab(&field.name)))?, StatusCode::OK)
    }

    /// Divides the input among path, headers, and body; a request that deletes has no body.
    fn take_fields(
        &self,
        route: &mut Route,
        template: &Template,
        (variable, fields): (Option<&str>, &'a [Field]),
    ) {
        let target =
            |name: &str| -> Vec<Text> { variable.into_iter().chain([name]).map(Text::from).collect() };
        let is_int = |field: &Field| named(&field.ty) == "Int" && !field.is_required();
        let mut rest = Vec::new();
        for field in fields {
            let name = field.name.as_str();
            if let Some(shown) = template.shown(name) {
                let found = parameters::of_arguments(self.schema, &[(field, field.name.clone())]);
                route.parameters.extend(found.into_iter().map(|parameter| parameters::Parameter {
                    name: shown.to_owned(),
                    target: target(name),
                    is_in_path: true,
                    is_required: true,
                    ..parameter
                }));
            } else if name == IDEMPOTENCY {
                route.idempotency = Some(target(name));
            } else if VERSIONS.contains(&name) && is_int(field) && route.method != Method::Post {
                route.precondition = Some(target(name));
            } else {
                rest.push(field.clone());
            }
        }
        if route.method == Method::Delete {
            for field in &rest {
                let found = parameters::of_arguments(self.schema, &[(field, field.name.clone())]);
                route.parameters.extend(found.into_iter().map(|parameter| {
                    let behind = parameter.target.iter().cloned();
                    let target: Vec<Text> = variable.map(Text::from).into_iter().chain(behind).collect();
                    let required_steps = parameter.required_steps + usize::from(variable.is_some());
                    parameters::Parameter { target, required_steps, ..parameter }
                }));
            }
        } else if !rest.is_empty() {
            route.body = Some(RequestBody { variable: variable.map(Text::from), fields: rest });
        }
    }

    /// Shows the thing itself, where it is all that a mutation answers, and nothing where all it says is which thing it was.
    fn unwrap(&self, route: &mut Route) {
        let payload = named(&route.answer).to_owned();
        let fields = self.schema.fields(&payload);
        route.is_payload = true;
        let [only] = fields else { return };
        if self.schema.is_leaf(&only.ty) {
            if route.method == Method::Delete && !is_list(&only.ty) {
                route.success = StatusCode::NO_CONTENT;
            }
            return;
        }
        if is_list(&only.ty) || self.schema.connection(named(&only.ty)).is_some() {
            return;
        }
        route.is_payload = false;
        route.head.push('{');
        route.head.push_str(&only.name);
        route.tail.push('}');
        route.keys.push(only.name.clone());
        // It is there as the payload is, unless it may not be seen.
        let nullable = route.answer.nullable || only.ty.nullable;
        route.answer = TypeRef { base: only.ty.base.clone(), nullable };
        if route.success == StatusCode::CREATED && self.schema.field(named(&only.ty), "id").is_some() {
            route.location = self.place_of_thing(route, named(&only.ty));
        }
    }

    /// Where a new thing is found by its id.
    fn place_of_thing(&self, route: &Route, ty: &str) -> Option<String> {
        let base = route.path.strip_prefix('/')?;
        let key = self.items.get(base)?;
        let item = self.selecting().schema.field(&self.schema.query, &lower_first(ty))?;
        (key == "id" && named(&item.ty) == ty).then(|| route.path.clone())
    }
}
