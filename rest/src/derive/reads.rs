//! Routes that read: collections, items, and what belongs to them.

use pulse_gateway::value::Text;

use super::{Derivation, Plan, Step, own};
use crate::RestError;
use crate::derive::template::Template;
use crate::mapping::Method;
use crate::names::{kebab, plural, upper_first};
use crate::route::{Does, RequestBody};
use crate::schema::{Field, is_list, named};

impl<'a> Derivation<'a> {
    pub(super) fn query(&mut self, field: &'a Field) -> Result<(), RestError> {
        let exception = self.mapping.query(&field.name);
        if exception.skip.is_some() {
            return Ok(());
        }
        if let Some(path) = &exception.singleton {
            self.singleton(field, &Template::read(path)?)?;
        }
        if let Some(path) = &exception.path {
            let template = Template::read(path)?;
            return match exception.method {
                Some(Method::Post) => self.by_body(field, template),
                _ => self.place(field, template),
            };
        }
        let path = format!("/{}", kebab(&field.name));
        if is_list(&field.ty) || self.schema.connection(named(&field.ty)).is_some() {
            self.bases.insert(kebab(&field.name));
            return self.place(field, Template::read(&path)?);
        }
        match self.key(field) {
            Some(key) => self.item(field, key),
            None => self.place(field, Template::read(&path)?),
        }
    }

    /// The argument by which one thing is found: `id`, or the only one there is, which must be given.
    fn key(&self, field: &'a Field) -> Option<&'a Field> {
        let is_plain = |arg: &&Field| !is_list(&arg.ty) && self.schema.is_leaf(&arg.ty);
        if self.schema.is_leaf(&field.ty) || !field.args.iter().all(|arg| is_plain(&arg)) {
            return None;
        }
        match field.args.as_slice() {
            [only] if only.is_required() => Some(only),
            args => args.iter().find(|arg| arg.name == "id"),
        }
    }

    /// `/things/{id}`, what belongs to it, and `/things/by-key/{key}` for what else finds it.
    fn item(&mut self, field: &'a Field, key: &'a Field) -> Result<(), RestError> {
        let base = plural(&kebab(&field.name));
        self.bases.insert(base.clone());
        self.items.insert(base.clone(), key.name.clone());
        let base = Template::read(&format!("/{base}"))?;
        let template = base.join_name(&key.name, &key.name);
        let step = |arg: &'a Field| Step { field, args: vec![(arg, arg.name.clone())] };
        let name = upper_first(&field.name);
        self.read(format!("get{name}"), template.clone(), vec![step(key)])?;
        self.parts(field, key, &template)?;
        for other in field.args.iter().filter(|arg| arg.name != key.name) {
            let id = format!("get{name}By{}", upper_first(&other.name));
            let template =
                base.join(&format!("by-{}", kebab(&other.name))).join_name(&other.name, &other.name);
            self.read(id, template, vec![step(other)])?;
        }
        Ok(())
    }

    /// What is there once, with all its arguments as parameters.
    fn place(&mut self, field: &'a Field, template: Template) -> Result<(), RestError> {
        if let Some((_, missing)) =
            template.names().find(|(_, name)| field.args.iter().all(|arg| arg.name != *name))
        {
            return Err(RestError::Mapping(format!("query.{}: it has no argument {missing}", field.name)));
        }
        let id = format!("{}{}", self.verb(field), upper_first(&field.name));
        if field.args.is_empty() {
            self.parts_of(field, &[], &template)?;
        }
        self.read(id, template, vec![Step { field, args: own(&field.args) }])
    }

    /// What is asked by more than an address has room for: its arguments are the fields of a body.
    fn by_body(&mut self, field: &'a Field, template: Template) -> Result<(), RestError> {
        let id = format!("{}{}", self.verb(field), upper_first(&field.name));
        let steps = vec![Step { field, args: own(&field.args) }];
        let mut route = self.route(Plan { id, does: Does::Reads, method: Method::Post, template, steps })?;
        route.parameters.retain(|parameter| parameter.is_in_path);
        let is_in_path = |field: &Field| {
            route.parameters.iter().any(|known| known.target.iter().eq([&Text::from(field.name.as_str())]))
        };
        let fields = field.args.iter().filter(|field| !is_in_path(field)).cloned().collect();
        route.body = Some(RequestBody { variable: None, fields });
        self.routes.push(route);
        Ok(())
    }

    fn verb(&self, field: &Field) -> &'static str {
        let is_many = is_list(&field.ty) || self.schema.connection(named(&field.ty)).is_some();
        if is_many { "list" } else { "get" }
    }

    /// What is there once, without arguments.
    fn singleton(&mut self, field: &'a Field, template: &Template) -> Result<(), RestError> {
        let id = format!("getOwn{}", upper_first(&field.name));
        self.read(id, template.clone(), vec![Step { field, args: Vec::new() }])?;
        self.parts_of(field, &[], template)
    }

    fn parts(&mut self, field: &'a Field, key: &'a Field, template: &Template) -> Result<(), RestError> {
        self.parts_of(field, &[(key, key.name.clone())], template)
    }

    /// What belongs to a thing and is not shown with it: lists in pages, and what takes arguments.
    fn parts_of(
        &mut self,
        parent: &'a Field,
        args: &[(&'a Field, String)],
        template: &Template,
    ) -> Result<(), RestError> {
        let ty = named(&parent.ty);
        if is_list(&parent.ty) || self.schema.connection(ty).is_some() {
            return Ok(());
        }
        for field in self.schema.fields(ty) {
            if field.args.is_empty() && self.schema.connection(named(&field.ty)).is_none() {
                continue;
            }
            let is_taken = |name: &str| args.iter().any(|(_, variable)| variable == name);
            let variable = |arg: &'a Field| {
                let name = &arg.name;
                let name = if is_taken(name) {
                    format!("{}{}", field.name, upper_first(name))
                } else {
                    name.clone()
                };
                (arg, name)
            };
            let inner = field.args.iter().map(variable).collect();
            let steps = vec![Step { field: parent, args: args.to_vec() }, Step { field, args: inner }];
            let own = if args.is_empty() { "Own" } else { "" };
            let id =
                format!("{}{own}{}{}", self.verb(field), upper_first(&parent.name), upper_first(&field.name));
            self.read(id, template.join(&kebab(&field.name)), steps)?;
        }
        Ok(())
    }

    fn read(&mut self, id: String, template: Template, steps: Vec<Step<'a>>) -> Result<(), RestError> {
        let route = self.route(Plan { id, does: Does::Reads, method: Method::Get, template, steps })?;
        self.routes.push(route);
        Ok(())
    }
}
