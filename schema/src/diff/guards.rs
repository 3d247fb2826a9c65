//! What only a supergraph tells: who may see something, and by which keys entities are resolved.

use std::collections::BTreeSet;

use async_graphql_value::ConstValue;

use super::{ChangeCode, Diff};
use crate::subgraph::{Directive, TypeDef, all, spec::Fed};

impl Diff<'_> {
    pub(super) fn guards(&mut self, coordinate: &str, old: &[Directive], new: &[Directive]) {
        for fed in [Fed::Authenticated, Fed::RequiresScopes, Fed::Policy] {
            let printed = |directives| all(directives, fed).next().map(Directive::print);
            let (code, message) = match (printed(old), printed(new)) {
                (None, Some(new)) => (ChangeCode::GuardAdded, format!("is guarded by {new}")),
                (Some(old), None) => (ChangeCode::GuardRemoved, format!("is not guarded by {old} any more")),
                (Some(old), Some(new)) if old != new => {
                    (ChangeCode::GuardChanged, format!("is guarded by {new}, was by {old}"))
                }
                _ => continue,
            };
            self.push(code, coordinate, message, &[coordinate]);
        }
    }

    pub(super) fn keys(&mut self, old: &TypeDef, new: &TypeDef) {
        let (had, has) = (keys(old), keys(new));
        for (graph, key) in had.difference(&has) {
            let message = format!("{graph} does not resolve the key \"{key}\" any more");
            self.push(ChangeCode::KeyRemoved, &old.name, message, &[&old.name]);
        }
        for (graph, key) in has.difference(&had) {
            let message = format!("{graph} resolves the key \"{key}\"");
            self.push(ChangeCode::KeyAdded, &old.name, message, &[]);
        }
    }
}

/// Subgraph and field set of each key that can be resolved.
fn keys(ty: &TypeDef) -> BTreeSet<(String, String)> {
    let joins = ty.directives.iter().filter(|directive| directive.name == "join__type");
    let resolvable = joins.filter(|join| join.arg("resolvable") != Some(&ConstValue::Boolean(false)));
    let key = |join: &Directive| Some((join.arg("graph")?.to_string(), join.str_arg("key")?.to_owned()));
    resolvable.filter_map(key).collect()
}
