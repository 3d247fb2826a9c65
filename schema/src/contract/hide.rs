//! What a contract hides: what its tags say, and what cannot stand without that.

use std::collections::BTreeSet;

use async_graphql_value::ConstValue;

use super::ContractFilter;
use crate::subgraph::{Directive, Field, Kind, Subgraph, TypeDef, all, base_name, has, spec::Fed};

/// Coordinates of what is hidden, of things hidden before too.
pub(super) type Hidden = BTreeSet<String>;

pub(super) fn hidden(schema: &Subgraph, filter: &ContractFilter) -> Hidden {
    let mut hide = Hide { schema, hidden: Hidden::new() };
    for ty in hide.types() {
        hide.by_tags(ty, filter);
    }
    hide.settle();
    if filter.hide_unreachable {
        let reachable = hide.reachable();
        let unreachable = hide.types().filter(|ty| !ty.is_root() && !reachable.contains(ty.name.as_str()));
        let unreachable: Vec<String> = unreachable.map(|ty| ty.name.clone()).collect();
        hide.hidden.extend(unreachable);
        hide.settle();
    }
    hide.hidden
}

struct Hide<'a> {
    schema: &'a Subgraph,
    hidden: Hidden,
}

impl<'a> Hide<'a> {
    fn types(&self) -> impl Iterator<Item = &'a TypeDef> + use<'a> {
        let schema = self.schema;
        schema.types.values().filter(|ty| !schema.links.is_machinery(&ty.name))
    }

    fn is_hidden(&self, coordinate: &str) -> bool {
        self.hidden.contains(coordinate)
    }

    fn by_tags(&mut self, ty: &TypeDef, filter: &ContractFilter) {
        let excluded = |directives: &[Directive]| {
            has(directives, Fed::Inaccessible) || tags(directives).any(|tag| filter.exclude.contains(tag))
        };
        let included = |directives: &[Directive]| {
            filter.include.is_empty() || tags(directives).any(|tag| filter.include.contains(tag))
        };
        if excluded(&ty.directives) {
            self.hidden.insert(ty.name.clone());
        }
        let is_output = matches!(ty.kind, Kind::Object | Kind::Interface);
        for field in ty.fields.values() {
            let coordinate = format!("{}.{}", ty.name, field.name);
            let is_included = !is_output || included(&ty.directives) || included(&field.directives);
            for argument in field.args.values().filter(|argument| excluded(&argument.directives)) {
                self.hidden.insert(format!("{coordinate}({}:)", argument.name));
            }
            if excluded(&field.directives) || !is_included {
                self.hidden.insert(coordinate);
            }
        }
        let values = ty.values.iter().filter(|(_, value)| excluded(&value.directives));
        self.hidden.extend(values.map(|(name, _)| format!("{}.{name}", ty.name)));
    }

    /// Hides what cannot stand without what is hidden, until nothing changes.
    fn settle(&mut self) {
        loop {
            let before = self.hidden.len();
            for ty in self.types() {
                self.settle_type(ty);
            }
            if self.hidden.len() == before {
                return;
            }
        }
    }

    fn settle_type(&mut self, ty: &TypeDef) {
        for field in ty.fields.values() {
            let coordinate = format!("{}.{}", ty.name, field.name);
            for argument in field.args.values() {
                let argument_coordinate = format!("{coordinate}({}:)", argument.name);
                self.settle_input(&argument_coordinate, argument, &coordinate);
            }
            if ty.kind == Kind::InputObject {
                self.settle_input(&coordinate, field, &ty.name);
            } else if self.is_hidden(base_name(&field.ty)) {
                self.hidden.insert(coordinate);
            }
        }
        if ty.kind == Kind::Interface {
            self.settle_interface(ty);
        }
        let is_shown = |name: &String| !self.is_hidden(&format!("{}.{name}", ty.name));
        let is_empty = match ty.kind {
            Kind::Scalar => false,
            Kind::Union => ty.members.keys().all(|member| self.is_hidden(member)),
            Kind::Enum => !ty.values.keys().any(is_shown),
            Kind::Object | Kind::Interface | Kind::InputObject => !ty.fields.keys().any(is_shown),
        };
        if is_empty {
            self.hidden.insert(ty.name.clone());
        }
    }

    /// An input whose type or default is hidden is hidden, and if it is required, so is its owner.
    fn settle_input(&mut self, coordinate: &str, input: &Field, owner: &str) {
        let default_is_hidden =
            input.default.as_ref().is_some_and(|value| self.uses_hidden(value, base_name(&input.ty)));
        if self.is_hidden(base_name(&input.ty)) || default_is_hidden {
            self.hidden.insert(coordinate.to_owned());
        }
        if input.is_required() && self.is_hidden(coordinate) {
            self.hidden.insert(owner.to_owned());
        }
    }

    fn uses_hidden(&self, value: &ConstValue, ty: &str) -> bool {
        match value {
            ConstValue::Enum(value) => self.is_hidden(&format!("{ty}.{value}")),
            ConstValue::List(values) => values.iter().any(|value| self.uses_hidden(value, ty)),
            ConstValue::Object(fields) => fields.iter().any(|(name, value)| {
                let field = self.schema.types.get(ty).and_then(|ty| ty.fields.get(name.as_str()));
                self.is_hidden(&format!("{ty}.{name}"))
                    || field.is_some_and(|field| self.uses_hidden(value, base_name(&field.ty)))
            }),
            _ => false,
        }
    }

    /// An interface shows only what all its shown implementations show.
    fn settle_interface(&mut self, interface: &TypeDef) {
        let implementations: Vec<&TypeDef> = self
            .types()
            .filter(|ty| ty.implements.contains_key(&interface.name) && !self.is_hidden(&ty.name))
            .collect();
        for field in interface.fields.values() {
            for object in &implementations {
                let own = format!("{}.{}", object.name, field.name);
                if self.is_hidden(&own) {
                    self.hidden.insert(format!("{}.{}", interface.name, field.name));
                }
                for argument in field.args.keys() {
                    if self.is_hidden(&format!("{own}({argument}:)")) {
                        self.hidden.insert(format!("{}.{}({argument}:)", interface.name, field.name));
                    }
                }
            }
        }
    }

    /// The types that operations can come to. An interface that only an object leads to does not
    /// lead to its other objects.
    fn reachable(&self) -> BTreeSet<&'a str> {
        let mut reachable = BTreeSet::new();
        let mut next: Vec<&'a str> = crate::subgraph::ROOT_TYPES.to_vec();
        let directives = self.schema.directives.values();
        next.extend(directives.flat_map(|directive| directive.args.values()).map(|arg| base_name(&arg.ty)));
        while let Some(name) = next.pop() {
            let Some(ty) = self.schema.types.get(name).filter(|_| !self.is_hidden(name)) else { continue };
            if !reachable.insert(ty.name.as_str()) {
                continue;
            }
            next.extend(ty.members.keys().map(String::as_str));
            if ty.kind == Kind::Interface {
                let of = self.types().filter(|object| object.implements.contains_key(&ty.name));
                next.extend(of.map(|object| object.name.as_str()));
            }
            for field in ty.fields.values() {
                let coordinate = format!("{}.{}", ty.name, field.name);
                if self.is_hidden(&coordinate) {
                    continue;
                }
                next.push(base_name(&field.ty));
                let arguments = field.args.values();
                let shown = arguments.filter(|arg| !self.is_hidden(&format!("{coordinate}({}:)", arg.name)));
                next.extend(shown.map(|argument| base_name(&argument.ty)));
            }
        }
        let interfaces: Vec<&'a str> = reachable
            .iter()
            .filter_map(|name| self.schema.types.get(*name))
            .flat_map(|ty| ty.implements.keys().map(String::as_str))
            .collect();
        reachable.extend(interfaces);
        reachable
    }
}

fn tags(directives: &[Directive]) -> impl Iterator<Item = &str> {
    all(directives, Fed::Tag).filter_map(|tag| tag.str_arg("name"))
}
