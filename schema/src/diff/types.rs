//! Types: their kinds, members, values and interfaces.

use super::{ChangeCode, Diff, pair};
use crate::subgraph::{Kind, TypeDef};

impl Diff<'_> {
    pub(super) fn types(&mut self) {
        for (name, old, new) in pair(&self.old.types, &self.new.types) {
            match (old, new) {
                (Some(old), None) => {
                    self.push(
                        ChangeCode::TypeRemoved,
                        name,
                        format!("{} is gone", old.kind.as_str()),
                        &[name],
                    );
                }
                (None, Some(new)) => {
                    self.push(ChangeCode::TypeAdded, name, format!("{} is new", new.kind.as_str()), &[]);
                }
                (Some(old), Some(new)) if old.kind != new.kind => {
                    let message = format!("was {}, is {}", old.kind.as_str(), new.kind.as_str());
                    self.push(ChangeCode::TypeKindChanged, name, message, &[name]);
                }
                (Some(old), Some(new)) => self.same_kind(old, new),
                (None, None) => {}
            }
        }
    }

    fn same_kind(&mut self, old: &TypeDef, new: &TypeDef) {
        let name = &old.name;
        self.description(name, old.description.as_deref(), new.description.as_deref());
        self.guards(name, &old.directives, &new.directives);
        match old.kind {
            Kind::Object | Kind::Interface => {
                self.interfaces(old, new);
                self.keys(old, new);
                self.fields(old, new);
            }
            Kind::Union => self.members(old, new),
            Kind::Enum => self.values(old, new),
            Kind::InputObject => self.input_fields(old, new),
            Kind::Scalar => self.specified_by(old, new),
        }
    }

    fn interfaces(&mut self, old: &TypeDef, new: &TypeDef) {
        for (interface, had, has) in pair(&old.implements, &new.implements) {
            match (had, has) {
                (Some(_), None) => {
                    let message = format!("does not implement {interface} any more");
                    self.push(ChangeCode::ImplementationRemoved, &old.name, message, &[&old.name, interface]);
                }
                (None, Some(_)) => {
                    let message = format!("implements {interface}");
                    self.push(ChangeCode::ImplementationAdded, &old.name, message, &[interface]);
                }
                _ => {}
            }
        }
    }

    fn members(&mut self, old: &TypeDef, new: &TypeDef) {
        for (member, had, has) in pair(&old.members, &new.members) {
            match (had, has) {
                (Some(_), None) => {
                    let message = format!("cannot be {member} any more");
                    self.push(ChangeCode::UnionMemberRemoved, &old.name, message, &[&old.name, member]);
                }
                (None, Some(_)) => {
                    let message = format!("can be {member}");
                    self.push(ChangeCode::UnionMemberAdded, &old.name, message, &[&old.name]);
                }
                _ => {}
            }
        }
    }

    fn values(&mut self, old: &TypeDef, new: &TypeDef) {
        let is_input = self.inputs.contains(old.name.as_str());
        let is_output = self.outputs.contains(old.name.as_str());
        for (value, had, has) in pair(&old.values, &new.values) {
            let coordinate = format!("{}.{value}", old.name);
            match (had, has) {
                (Some(_), None) if is_input || !is_output => {
                    self.push(
                        ChangeCode::InputEnumValueRemoved,
                        &coordinate,
                        "value is gone",
                        &[&coordinate],
                    );
                }
                (Some(_), None) => {
                    self.push(ChangeCode::OutputEnumValueRemoved, &coordinate, "value is gone", &[&old.name]);
                }
                (None, Some(_)) if is_output => {
                    self.push(ChangeCode::OutputEnumValueAdded, &coordinate, "value is new", &[&old.name]);
                }
                (None, Some(_)) => {
                    self.push(ChangeCode::InputEnumValueAdded, &coordinate, "value is new", &[]);
                }
                (Some(had), Some(has)) => {
                    self.description(&coordinate, had.description.as_deref(), has.description.as_deref());
                    self.deprecation(&coordinate, &had.directives, &has.directives);
                }
                (None, None) => {}
            }
        }
    }

    fn specified_by(&mut self, old: &TypeDef, new: &TypeDef) {
        let url = |ty: &TypeDef| {
            let directive = ty.directives.iter().find(|directive| directive.name == "specifiedBy");
            directive.and_then(|directive| directive.str_arg("url")).unwrap_or("nothing").to_owned()
        };
        let (had, has) = (url(old), url(new));
        if had != has {
            let message = format!("was specified by {had}, is specified by {has}");
            self.push(ChangeCode::SpecifiedByChanged, &old.name, message, &[&old.name]);
        }
    }

    pub(super) fn description(&mut self, coordinate: &str, old: Option<&str>, new: Option<&str>) {
        let text = |description: Option<&str>| description.unwrap_or_default().trim().to_owned();
        if text(old) != text(new) {
            self.push(ChangeCode::DescriptionChanged, coordinate, "is described differently", &[]);
        }
    }
}
