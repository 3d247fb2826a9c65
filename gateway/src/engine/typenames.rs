//! `__typename` under other names. An object tells its type under the name itself: the answer's other names for it are
//! written from there, and nothing else is asked of subgraphs.

use hive_router_query_planner::ast::selection_item::SelectionItem;
use hive_router_query_planner::ast::selection_set::{FieldSelection, SelectionSet};

/// Takes the aliases of all `__typename`s away.
pub(super) fn without_aliases(selections: &mut SelectionSet) {
    for item in &mut selections.items {
        match item {
            SelectionItem::Field(field) if field.name == "__typename" => field.alias = None,
            SelectionItem::Field(field) => without_aliases(&mut field.selections),
            SelectionItem::InlineFragment(fragment) => without_aliases(&mut fragment.selections),
            SelectionItem::FragmentSpread(_) => {}
        }
    }
    let mut kept: Vec<FieldSelection> = Vec::new();
    let always = selections.items.iter().any(|item| {
        let typename = typename(item);
        typename.is_some_and(|field| field.skip_if.is_none() && field.include_if.is_none())
    });
    selections.items.retain(|item| {
        let Some(field) = typename(item) else { return true };
        let is_conditional = field.skip_if.is_some() || field.include_if.is_some();
        let is_known = kept
            .iter()
            .any(|known| (&known.skip_if, &known.include_if) == (&field.skip_if, &field.include_if));
        if is_known || (always && is_conditional) {
            return false;
        }
        kept.push(field.clone());
        true
    });
}

fn typename(item: &SelectionItem) -> Option<&FieldSelection> {
    match item {
        SelectionItem::Field(field) if field.name == "__typename" => Some(field),
        _ => None,
    }
}
