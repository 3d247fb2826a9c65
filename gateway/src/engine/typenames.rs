//! `__typename` under other names and conditions. An object tells its type under the name itself and at once: what the
//! answer says of it is written from there, and nothing else is asked of subgraphs, some of which do not count a variable
//! as used that stands there alone.

use hive_router_query_planner::ast::selection_item::SelectionItem;
use hive_router_query_planner::ast::selection_set::{FieldSelection, SelectionSet};

/// Leaves one plain `__typename` where there are any.
pub(super) fn make_plain(selections: &mut SelectionSet) {
    let mut is_known = false;
    selections.items.retain_mut(|item| match item {
        SelectionItem::Field(field) if field.name == "__typename" => {
            *field = FieldSelection::new_typename();
            !std::mem::replace(&mut is_known, true)
        }
        SelectionItem::Field(field) => {
            make_plain(&mut field.selections);
            true
        }
        SelectionItem::InlineFragment(fragment) => {
            make_plain(&mut fragment.selections);
            true
        }
        SelectionItem::FragmentSpread(_) => true,
    });
}
