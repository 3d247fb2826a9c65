//! A document without what a caller may not have, so that nothing of it is planned or fetched.

use graphql_tools::parser::query::{Definition, OperationDefinition, Selection};
use graphql_tools::static_graphql::query;

use super::{Denied, Rules, needs};
use crate::engine::schema::{Kind, Schema};

/// Removes what is denied from all operations and fragments of a document that has been validated. What is left is for
/// planning alone: the response still has a place for everything that was asked for.
pub(in crate::engine) fn remove(
    document: &mut query::Document,
    schema: &Schema,
    rules: &Rules,
    denied: &Denied,
) {
    let remover = Remover { schema, rules, denied };
    for definition in &mut document.definitions {
        match definition {
            Definition::Fragment(fragment) => {
                let query::TypeCondition::On(condition) = &fragment.type_condition;
                remover.remove(&condition.clone(), &mut fragment.selection_set);
            }
            Definition::Operation(operation) => {
                let (root, set) = match operation {
                    OperationDefinition::SelectionSet(set) => (Some(&schema.query), set),
                    OperationDefinition::Query(it) => (Some(&schema.query), &mut it.selection_set),
                    OperationDefinition::Mutation(it) => (schema.mutation.as_ref(), &mut it.selection_set),
                    OperationDefinition::Subscription(it) => {
                        (schema.subscription.as_ref(), &mut it.selection_set)
                    }
                };
                if let Some(root) = root {
                    remover.remove(root, set);
                }
            }
        }
    }
}

struct Remover<'a> {
    schema: &'a Schema,
    rules: &'a Rules,
    denied: &'a Denied,
}

/// What may be fetched of a field.
enum Verdict<'a> {
    All,
    Nothing,
    /// On objects of these types alone.
    On(Vec<&'a str>),
}

impl Remover<'_> {
    fn remove(&self, parent: &str, set: &mut query::SelectionSet) {
        let mut kept = Vec::with_capacity(set.items.len() + 1);
        for item in std::mem::take(&mut set.items) {
            match item {
                Selection::Field(mut field) => {
                    let verdict = self.verdict(parent, &field.name);
                    if matches!(verdict, Verdict::Nothing) {
                        continue;
                    }
                    let returned = self.schema.get(parent).and_then(|ty| ty.fields.get(field.name.as_str()));
                    if let Some(returned) = returned.filter(|_| !field.selection_set.items.is_empty()) {
                        self.remove(returned.ty.name(), &mut field.selection_set);
                    }
                    match verdict {
                        Verdict::On(types) => kept.extend(types.into_iter().map(|ty| on(ty, &field))),
                        Verdict::All | Verdict::Nothing => kept.push(Selection::Field(field)),
                    }
                }
                Selection::InlineFragment(mut fragment) => {
                    let condition = match &fragment.type_condition {
                        Some(query::TypeCondition::On(condition)) => condition.clone(),
                        None => parent.to_owned(),
                    };
                    self.remove(&condition, &mut fragment.selection_set);
                    kept.push(Selection::InlineFragment(fragment));
                }
                Selection::FragmentSpread(spread) => kept.push(Selection::FragmentSpread(spread)),
            }
        }
        set.items = kept;
        // What is left must still tell that there is an object, and of which type where that decides what is denied.
        let is_abstract =
            self.schema.get(parent).is_some_and(|ty| matches!(ty.kind, Kind::Interface | Kind::Union));
        if is_abstract || set.items.is_empty() {
            set.items.push(typename(set.span.0));
        }
    }

    fn verdict(&self, parent: &str, field: &str) -> Verdict<'_> {
        let is_denied = |ty: &str| self.denied.has_any(&needs(self.rules, self.schema, ty, field));
        if is_denied(parent) {
            return Verdict::Nothing;
        }
        let possible = match self.schema.get(parent) {
            Some(ty) if ty.kind == Kind::Interface => ty.possible.as_slice(),
            _ => return Verdict::All,
        };
        let allowed: Vec<&str> = possible.iter().map(|ty| &**ty).filter(|ty| !is_denied(ty)).collect();
        if allowed.len() == possible.len() {
            Verdict::All
        } else if allowed.is_empty() {
            Verdict::Nothing
        } else {
            Verdict::On(allowed)
        }
    }
}

fn on(ty: &str, field: &query::Field) -> query::Selection {
    let span = (field.position, field.position);
    Selection::InlineFragment(query::InlineFragment {
        position: field.position,
        type_condition: Some(query::TypeCondition::On(ty.to_owned())),
        directives: Vec::new(),
        selection_set: query::SelectionSet { span, items: vec![Selection::Field(field.clone())] },
    })
}

fn typename(position: graphql_tools::parser::Pos) -> query::Selection {
    Selection::Field(query::Field {
        position,
        alias: None,
        name: "__typename".to_owned(),
        arguments: Vec::new(),
        directives: Vec::new(),
        selection_set: query::SelectionSet { span: (position, position), items: Vec::new() },
    })
}
