//! The little language inside `@key`, `@requires` and `@provides`.

use async_graphql_parser::{
    parse_query,
    types::{self, DocumentOperations, OperationType},
};

use super::{Field, Kind, Subgraph, TypeDef, base_name, parse, text};

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Selection {
    Field(FieldSelection),
    Fragment { on: Option<String>, selections: Vec<Selection> },
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FieldSelection {
    pub(crate) name: String,
    /// As written, `(first: 10)`, or empty.
    pub(crate) arguments: String,
    pub(crate) argument_names: Vec<String>,
    pub(crate) selections: Vec<Selection>,
}

/// What [`parse`] says of a field set with directives in it.
pub(crate) const APPLIES_DIRECTIVES: &str = "must not apply directives";

/// Reads a field set, with or without braces around it.
pub(crate) fn parse(text: &str) -> Result<Vec<Selection>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("is empty".to_owned());
    }
    let text = if text.starts_with('{') { text.to_owned() } else { format!("{{ {text} }}") };
    if text::prepare(&text).is_err() {
        return Err("is nested too deeply".to_owned());
    }
    let document = parse_query(&text).map_err(|error| parse::syntax(&error))?;
    let DocumentOperations::Single(operation) = document.operations else {
        return Err("is no selection of fields".to_owned());
    };
    let is_bare = operation.node.ty == OperationType::Query
        && operation.node.variable_definitions.is_empty()
        && operation.node.directives.is_empty();
    if !is_bare || !document.fragments.is_empty() || !text.ends_with('}') {
        return Err("is no selection of fields".to_owned());
    }
    read(&operation.node.selection_set.node)
}

fn read(set: &types::SelectionSet) -> Result<Vec<Selection>, String> {
    let read_one = |selection: &types::Selection| {
        if !selection.directives().is_empty() {
            return Err(APPLIES_DIRECTIVES.to_owned());
        }
        match selection {
            types::Selection::Field(field) => Ok(Selection::Field(read_field(&field.node)?)),
            types::Selection::InlineFragment(fragment) => Ok(Selection::Fragment {
                on: fragment.node.type_condition.as_ref().map(|condition| condition.node.on.node.to_string()),
                selections: read(&fragment.node.selection_set.node)?,
            }),
            types::Selection::FragmentSpread(spread) => {
                Err(format!("must not spread fragment {}", spread.node.fragment_name.node))
            }
        }
    };
    set.items.iter().map(|item| read_one(&item.node)).collect()
}

fn read_field(field: &types::Field) -> Result<FieldSelection, String> {
    if let Some(alias) = &field.alias {
        return Err(format!("must not use alias {}", alias.node));
    }
    let mut arguments = Vec::new();
    for (name, value) in &field.arguments {
        if value.node.clone().into_const().is_none() {
            return Err(format!("must not use a variable for argument {}", name.node));
        }
        arguments.push(format!("{}: {}", name.node, value.node));
    }
    Ok(FieldSelection {
        name: field.name.node.to_string(),
        arguments: if arguments.is_empty() { String::new() } else { format!("({})", arguments.join(", ")) },
        argument_names: field.arguments.iter().map(|(name, _)| name.node.to_string()).collect(),
        selections: read(&field.selection_set.node)?,
    })
}

/// One form for equal field sets, `id organization { id }`.
pub(crate) fn print(selections: &[Selection]) -> String {
    let print_one = |selection: &Selection| match selection {
        Selection::Field(field) => format!("{}{}{}", field.name, field.arguments, block(&field.selections)),
        Selection::Fragment { on: Some(on), selections } => format!("... on {on}{}", block(selections)),
        Selection::Fragment { on: None, selections } => format!("...{}", block(selections)),
    };
    selections.iter().map(print_one).collect::<Vec<_>>().join(" ")
}

fn block(selections: &[Selection]) -> String {
    if selections.is_empty() { String::new() } else { format!(" {{ {} }}", print(selections)) }
}

/// The printed form of a field set that may be wrong.
pub(crate) fn normalize(text: &str) -> String {
    parse(text).map_or_else(|_| text.to_owned(), |selections| print(&selections))
}

/// What a walk through a field set meets.
pub(crate) enum Step<'a> {
    Field { parent: &'a TypeDef, field: &'a Field },
    Problem(String),
}

/// Visits each selected field of a subgraph's own types, parents first.
pub(crate) fn walk<'a>(
    subgraph: &'a Subgraph,
    on: &str,
    selections: &'a [Selection],
    visit: &mut dyn FnMut(Step<'a>),
) {
    let Some(parent) = subgraph.types.get(on).filter(|ty| ty.kind.is_composite()) else {
        return visit(Step::Problem(format!("selects from {on}, which has no fields")));
    };
    for selection in selections {
        match selection {
            Selection::Field(field) => walk_field(subgraph, parent, field, visit),
            Selection::Fragment { on: None, selections } => walk(subgraph, on, selections, visit),
            Selection::Fragment { on: Some(condition), selections } => {
                if subgraph.types.contains_key(condition) && can_be(subgraph, on, condition) {
                    walk(subgraph, condition, selections, visit);
                } else {
                    visit(Step::Problem(format!("{on} can never be {condition} in this subgraph")));
                }
            }
        }
    }
}

fn walk_field<'a>(
    subgraph: &'a Subgraph,
    parent: &'a TypeDef,
    selection: &'a FieldSelection,
    visit: &mut dyn FnMut(Step<'a>),
) {
    if selection.name == "__typename" {
        return;
    }
    let Some(field) = parent.fields.get(&selection.name) else {
        return visit(Step::Problem(format!(
            "{} has no field {} in this subgraph",
            parent.name, selection.name
        )));
    };
    visit(Step::Field { parent, field });
    if let Some(unknown) = selection.argument_names.iter().find(|name| !field.args.contains_key(*name)) {
        visit(Step::Problem(format!("{}.{} has no argument {unknown}", parent.name, field.name)));
    }
    let target = base_name(&field.ty);
    let is_composite = subgraph.kind(target).is_some_and(Kind::is_composite);
    match (is_composite, selection.selections.is_empty()) {
        (true, true) => visit(Step::Problem(format!(
            "must select fields of {}.{}, which is a {target}",
            parent.name, field.name
        ))),
        (true, false) => walk(subgraph, target, &selection.selections, visit),
        (false, true) => {}
        (false, false) => visit(Step::Problem(format!(
            "must not select from {}.{}, which is a {target}",
            parent.name, field.name
        ))),
    }
}

/// Whether some object of this subgraph is both.
fn can_be(subgraph: &Subgraph, a: &str, b: &str) -> bool {
    let is = |object: &str, name: &str| {
        object == name || subgraph.implementations(name).any(|ty| ty.name == object)
    };
    subgraph.types.values().any(|ty| ty.kind == Kind::Object && is(&ty.name, a) && is(&ty.name, b))
}
