//! Names that the planner uses in subgraph requests, and that clients may use too.

use graphql_tools::parser::query::{Definition, OperationDefinition};
use graphql_tools::static_graphql::query;

/// Renames variables of the operations that would be mistaken for those with representations. Whether there were any.
pub(super) fn rename_variables(document: &mut query::Document) -> bool {
    let mut found = false;
    for definition in &mut document.definitions {
        if let Definition::Operation(operation) = definition {
            for variable in definitions(operation) {
                found |= rename(&mut variable.name);
            }
        }
    }
    if !found {
        return false;
    }
    for definition in &mut document.definitions {
        match definition {
            Definition::Operation(operation) => rename_in(selection_set(operation)),
            Definition::Fragment(fragment) => rename_in(&mut fragment.selection_set),
        }
    }
    true
}

fn rename(name: &mut String) -> bool {
    let reserved = name == "representations" || name.starts_with("__batch_reps");
    if reserved {
        name.insert_str(0, "client_");
    }
    reserved
}

fn definitions(operation: &mut query::OperationDefinition) -> &mut [query::VariableDefinition] {
    match operation {
        OperationDefinition::SelectionSet(_) => &mut [],
        OperationDefinition::Query(it) => &mut it.variable_definitions,
        OperationDefinition::Mutation(it) => &mut it.variable_definitions,
        OperationDefinition::Subscription(it) => &mut it.variable_definitions,
    }
}

const fn selection_set(operation: &mut query::OperationDefinition) -> &mut query::SelectionSet {
    match operation {
        OperationDefinition::SelectionSet(set) => set,
        OperationDefinition::Query(it) => &mut it.selection_set,
        OperationDefinition::Mutation(it) => &mut it.selection_set,
        OperationDefinition::Subscription(it) => &mut it.selection_set,
    }
}

fn rename_in(set: &mut query::SelectionSet) {
    for item in &mut set.items {
        match item {
            query::Selection::Field(field) => {
                field.arguments.iter_mut().for_each(|(_, value)| rename_in_value(value));
                rename_in_directives(&mut field.directives);
                rename_in(&mut field.selection_set);
            }
            query::Selection::InlineFragment(fragment) => {
                rename_in_directives(&mut fragment.directives);
                rename_in(&mut fragment.selection_set);
            }
            query::Selection::FragmentSpread(spread) => rename_in_directives(&mut spread.directives),
        }
    }
}

fn rename_in_directives(directives: &mut [query::Directive]) {
    for directive in directives {
        directive.arguments.iter_mut().for_each(|(_, value)| rename_in_value(value));
    }
}

fn rename_in_value(value: &mut query::Value) {
    match value {
        query::Value::Variable(name) => {
            rename(name);
        }
        query::Value::List(items) => items.iter_mut().for_each(rename_in_value),
        query::Value::Object(entries) => entries.iter_mut().for_each(|(_, value)| rename_in_value(value)),
        _ => {}
    }
}
