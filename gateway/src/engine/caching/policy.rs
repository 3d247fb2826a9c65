//! From what is said of fields and types to what may be kept of a fetch's answer: the shortest time and the narrowest scope
//! of all that it has.
//!
//! A root field, and a field with objects in it, says for how long it is kept; else its type does, else nobody. A leaf is
//! kept as its object is, or shorter. Nothing is shared more widely than with the caller unless the supergraph says so.

use std::time::Duration;

use graphql_tools::static_graphql::query::{self, Definition, OperationDefinition, Selection};
use rustc_hash::FxHashMap;

use super::{CachePolicy, CachingRules, Hint, Hints, Unstated};
use crate::engine::SharingScope;
use crate::engine::schema::{Kind, Schema};

/// What is needed to tell what may be kept.
pub(in crate::engine) struct Policies {
    pub(in crate::engine) rules: CachingRules,
    pub(in crate::engine) hints: Hints,
    /// All of the supergraph, also what clients do not see.
    pub(in crate::engine) schema: Schema,
}

impl Policies {
    /// What may be kept of a subgraph's answer to a query, given its text; `None` for nothing.
    pub(in crate::engine) fn of(&self, subgraph: &str, text: &str) -> Option<CachePolicy> {
        let unstated = self.rules.of(subgraph)?;
        let document = graphql_tools::parser::parse_query::<String>(text).ok()?.into_static();
        let operation = document.definitions.iter().find_map(|definition| match definition {
            Definition::Operation(OperationDefinition::SelectionSet(set)) => Some(set),
            Definition::Operation(OperationDefinition::Query(query)) => Some(&query.selection_set),
            _ => None,
        })?;
        let fragments = document.definitions.iter().filter_map(|definition| match definition {
            Definition::Fragment(fragment) => Some((fragment.name.as_str(), fragment)),
            Definition::Operation(_) => None,
        });
        let mut walk = Walk {
            policies: self,
            fragments: fragments.collect(),
            is_empty: true,
            shortest: None,
            is_unstated: false,
            scope: SharingScope::Public,
        };
        walk.selections(operation, &self.schema.query, true);
        walk.policy(unstated)
    }

    /// What is said of what a field returns. Of an interface or a union, what is said of it and of all that it can be.
    fn of_type(&self, name: &str) -> Option<Hint> {
        let own = self.hints.of_type(name);
        let Some(ty) = self.schema.get(name).filter(|ty| ty.kind != Kind::Object) else { return own };
        let mut members = ty.possible.iter().map(|member| self.hints.of_type(member));
        if let Some(own) = own {
            return Some(members.flatten().fold(own, narrower));
        }
        let first = members.next()??;
        members.try_fold(first, |all, member| Some(narrower(all, member?)))
    }

    /// What is said of a field by all that an interface can be.
    fn members<'p>(&'p self, parent: &str, field: &'p str) -> impl Iterator<Item = Hint> + 'p {
        let ty = self.schema.get(parent).filter(|ty| ty.kind == Kind::Interface);
        let possible = ty.map(|ty| ty.possible.as_slice()).unwrap_or_default();
        possible.iter().filter_map(move |member| self.hints.of_field(member, field))
    }
}

/// The shortest time and the narrowest scope that either says. Who names no scope shares with nobody.
fn narrower(one: Hint, other: Hint) -> Hint {
    let least = |a: Option<Duration>, b: Option<Duration>| a.into_iter().chain(b).min();
    let scope = match (one.scope, other.scope) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => Some(SharingScope::Caller),
    };
    Hint { max_age: least(one.max_age, other.max_age), scope, inherits: one.inherits && other.inherits }
}

/// A walk through what a fetch selects.
struct Walk<'d> {
    policies: &'d Policies,
    fragments: FxHashMap<&'d str, &'d query::FragmentDefinition>,
    /// Whether nothing was met of which something could be said.
    is_empty: bool,
    shortest: Option<Duration>,
    /// Whether nothing is said of the time of some part.
    is_unstated: bool,
    scope: SharingScope,
}

impl<'d> Walk<'d> {
    fn selections(&mut self, set: &'d query::SelectionSet, parent: &str, is_root: bool) {
        for item in &set.items {
            match item {
                Selection::Field(field) if field.name == "_entities" && is_root => {
                    self.entities(&field.selection_set, None);
                }
                Selection::Field(field) => self.field(field, parent, is_root),
                Selection::InlineFragment(fragment) => {
                    let on = match &fragment.type_condition {
                        Some(query::TypeCondition::On(name)) => name.as_str(),
                        None => parent,
                    };
                    self.selections(&fragment.selection_set, on, is_root);
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.fragments.get(spread.fragment_name.as_str()).copied() {
                        let query::TypeCondition::On(on) = &fragment.type_condition;
                        self.selections(&fragment.selection_set, on, is_root);
                    }
                }
            }
        }
    }

    /// Entities are kept as what is said of their types.
    fn entities(&mut self, set: &'d query::SelectionSet, on: Option<&'d str>) {
        for item in &set.items {
            match item {
                Selection::Field(field) => {
                    if let Some(on) = on {
                        self.field(field, on, false);
                    }
                }
                Selection::InlineFragment(fragment) => {
                    let condition = match &fragment.type_condition {
                        Some(query::TypeCondition::On(name)) => Some(name.as_str()),
                        None => on,
                    };
                    self.entity(&fragment.selection_set, condition, on);
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.fragments.get(spread.fragment_name.as_str()).copied() {
                        let query::TypeCondition::On(condition) = &fragment.type_condition;
                        self.entity(&fragment.selection_set, Some(condition), on);
                    }
                }
            }
        }
    }

    fn entity(&mut self, set: &'d query::SelectionSet, condition: Option<&'d str>, outer: Option<&'d str>) {
        if let Some(name) = condition.filter(|name| Some(*name) != outer) {
            self.add(None, self.policies.of_type(name), true);
        }
        self.entities(set, condition);
    }

    fn field(&mut self, field: &'d query::Field, parent: &str, is_root: bool) {
        if field.name.starts_with("__") {
            return;
        }
        let policies = self.policies;
        let own = policies.hints.of_field(parent, &field.name);
        policies.members(parent, &field.name).for_each(|hint| self.cap(hint));
        let definition = policies.schema.get(parent).and_then(|ty| ty.fields.get(field.name.as_str()));
        if field.selection_set.items.is_empty() && !is_root {
            if let Some(hint) = own {
                self.cap(hint);
            }
            return;
        }
        let ty = definition.map(|definition| &**definition.ty.name());
        self.add(own, ty.and_then(|ty| policies.of_type(ty)), is_root);
        if let Some(ty) = ty {
            self.selections(&field.selection_set, ty, false);
        }
    }

    /// Adds what is said of a field and of its type. At the root there is nothing that it could inherit.
    fn add(&mut self, field: Option<Hint>, ty: Option<Hint>, is_root: bool) {
        self.is_empty = false;
        let (field, ty) = (field.unwrap_or_default(), ty.unwrap_or_default());
        let inherits = (field.inherits || ty.inherits) && !is_root;
        match field.max_age.or(ty.max_age.filter(|_| !field.inherits)) {
            Some(max_age) => self.shorten(Some(max_age)),
            None => self.is_unstated |= !inherits,
        }
        // Of two that are named the narrower one; without any, the caller alone.
        let scope = match (field.scope, ty.scope) {
            (Some(one), Some(other)) => one.min(other),
            (one, other) => one.or(other).unwrap_or(SharingScope::Caller),
        };
        self.scope = self.scope.min(scope);
    }

    /// What is said narrows what is said elsewhere, and widens nothing.
    fn cap(&mut self, Hint { max_age, scope, .. }: Hint) {
        self.shorten(max_age);
        self.scope = self.scope.min(scope.unwrap_or(SharingScope::Public));
    }

    fn shorten(&mut self, max_age: Option<Duration>) {
        self.shortest = self.shortest.into_iter().chain(max_age).min();
    }

    fn policy(self, unstated: Unstated) -> Option<CachePolicy> {
        let longest = self.policies.rules.longest;
        let stated = self.shortest.unwrap_or(longest).min(longest);
        let with = |unstated: Duration| if self.is_unstated { stated.min(unstated) } else { stated };
        let max_age = with(unstated.always);
        let tracked = with(unstated.tracked.max(unstated.always));
        (!self.is_empty && !tracked.is_zero()).then_some(CachePolicy { max_age, tracked, scope: self.scope })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SDL: &str = "
        schema { query: Query }
        type Query { a: A pub: A @cacheControl(maxAge: 9, scope: PUBLIC) count: Int @cacheControl(maxAge: 7, scope: PUBLIC)
          silent: Int node: N any: U inherit: B @cacheControl(inheritMaxAge: true) }
        type A implements N @cacheControl(maxAge: 60, scope: TENANT) { id: ID name: String @cacheControl(maxAge: 3, scope: PRIVATE)
          b: B c: B @cacheControl(inheritMaxAge: true, scope: TENANT) d: B @cacheControl(maxAge: 0) }
        type B { x: Int }
        type C implements N @cacheControl(maxAge: 20, scope: PUBLIC) { id: ID @cacheControl(maxAge: 2) }
        interface N { id: ID }
        union U @cacheControl(maxAge: 100, scope: PUBLIC) = A | C
    ";

    /// Seconds for clients, seconds where changes are told of, and the scope.
    fn policy(text: &str) -> String {
        let mut document = graphql_tools::parser::parse_schema::<String>(SDL).unwrap().into_static();
        let hints = Hints::take(&mut document);
        let unstated = Unstated { always: Duration::ZERO, tracked: Duration::from_secs(40) };
        let rules = CachingRules {
            others: Some(unstated),
            subgraphs: [("off".to_owned(), None)].into(),
            longest: Duration::from_hours(1),
        };
        let policies = Policies { rules, hints, schema: Schema::new(&document) };
        assert_eq!(policies.of("off", text), None);
        policies.of("s", text).map_or_else(
            || "nothing".to_owned(),
            |CachePolicy { max_age, tracked, scope }| {
                format!("{} {} {scope:?}", max_age.as_secs(), tracked.as_secs())
            },
        )
    }

    #[test]
    fn the_shortest_time_and_the_narrowest_scope_hold() {
        for (text, expected) in [
            ("{ a { id } }", "60 60 Tenant"),
            ("{ a { id name } }", "3 3 Caller"),
            ("{ pub { id } }", "9 9 Tenant"),
            ("{ count }", "7 7 Public"),
            ("{ count silent }", "0 7 Caller"),
            ("{ silent }", "0 40 Caller"),
            ("{ a { b { x } } }", "0 40 Caller"),
            ("{ a { c { x } } }", "60 60 Tenant"),
            ("{ a { d { x } } }", "nothing"),
            ("{ inherit { x } }", "0 40 Caller"),
            ("{ node { id } }", "2 2 Tenant"),
            ("{ node { ...F } } fragment F on A { name }", "3 3 Caller"),
            ("{ any { ... on A { id } } }", "20 20 Tenant"),
            ("{ __typename count }", "7 7 Public"),
        ] {
            assert_eq!(policy(text), expected, "{text}");
        }
    }

    #[test]
    fn entities_are_kept_as_their_types_say() {
        let of = |inner: &str| {
            policy(&format!("query($r: [_Any!]!) {{ _entities(representations: $r) {{ {inner} }} }}"))
        };
        assert_eq!(of("... on A { id }"), "60 60 Tenant");
        assert_eq!(of("__typename ... on A { id } ... on C { __typename }"), "20 20 Tenant");
        assert_eq!(of("... on A { __typename ... on A { b { x } } }"), "0 40 Caller");
        assert_eq!(of("... on B { x }"), "0 40 Caller");
        assert_eq!(of("...F").as_str(), "nothing");
    }
}
