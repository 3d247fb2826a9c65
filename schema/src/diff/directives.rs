//! Directives for operations, and deprecation.

use super::{ChangeCode, Diff, inputs::Owner, pair};
use crate::{
    print,
    subgraph::{Directive, DirectiveDef},
};

impl Diff<'_> {
    pub(super) fn directives(&mut self) {
        let is_executable = |definition: &&DirectiveDef| definition.executable_locations().next().is_some();
        for (name, old, new) in pair(&self.old.directives, &self.new.directives) {
            let coordinate = format!("@{name}");
            match (old.filter(is_executable), new.filter(is_executable)) {
                (Some(_), None) => {
                    self.push(ChangeCode::DirectiveRemoved, &coordinate, "directive is gone", &[&coordinate]);
                }
                (None, Some(_)) => {
                    self.push(ChangeCode::DirectiveAdded, &coordinate, "directive is new", &[]);
                }
                (Some(old), Some(new)) => self.directive(&coordinate, old, new),
                (None, None) => {}
            }
        }
    }

    fn directive(&mut self, coordinate: &str, old: &DirectiveDef, new: &DirectiveDef) {
        for location in old.executable_locations().filter(|location| !new.has_location(*location)) {
            let message = format!("cannot stand at {} any more", print::location(location));
            self.push(ChangeCode::DirectiveLocationRemoved, coordinate, message, &[coordinate]);
        }
        for location in new.executable_locations().filter(|location| !old.has_location(*location)) {
            let message = format!("can stand at {}", print::location(location));
            self.push(ChangeCode::DirectiveLocationAdded, coordinate, message, &[]);
        }
        match (old.definition.is_repeatable, new.definition.is_repeatable) {
            (true, false) => {
                let message = "cannot be repeated any more";
                self.push(ChangeCode::DirectiveBecameUnique, coordinate, message, &[coordinate]);
            }
            (false, true) => {
                self.push(ChangeCode::DirectiveBecameRepeatable, coordinate, "can be repeated", &[]);
            }
            _ => {}
        }
        self.inputs_of(Owner::Arguments(coordinate), &old.args, &new.args);
    }

    pub(super) fn deprecation(&mut self, coordinate: &str, old: &[Directive], new: &[Directive]) {
        let (code, message) = match (deprecation(old), deprecation(new)) {
            (None, Some(reason)) => (ChangeCode::DeprecationAdded, format!("is deprecated: {reason}")),
            (Some(_), None) => (ChangeCode::DeprecationRemoved, "is not deprecated any more".to_owned()),
            (Some(old), Some(new)) if old != new => {
                (ChangeCode::DeprecationChanged, format!("is deprecated: {new}, was: {old}"))
            }
            _ => return,
        };
        self.push(code, coordinate, message, &[]);
    }
}

/// The reason, if this is deprecated.
pub(crate) fn deprecation(directives: &[Directive]) -> Option<&str> {
    let directive = directives.iter().find(|directive| directive.name == "deprecated")?;
    Some(directive.str_arg("reason").unwrap_or("no longer supported"))
}
