//! Subgraphs may call their root types by names of their own, which a supergraph does not tell: no request may name a
//! root type.

use hive_router_query_planner::ast::document::Document;
use hive_router_query_planner::ast::fragment::FragmentDefinition;
use hive_router_query_planner::ast::operation::SubgraphFetchOperation;
use hive_router_query_planner::ast::selection_item::SelectionItem;
use hive_router_query_planner::ast::selection_set::SelectionSet;
use hive_router_query_planner::state::supergraph_state::SupergraphState;

/// Writes what fragments on root types select in their place.
pub(super) fn forget(operation: &mut SubgraphFetchOperation, supergraph: &SupergraphState) {
    let is_root = |name: &str| supergraph.maybe_root_type(name).is_some();
    let Document { operation: root, fragments } = &operation.document;
    let on_roots: Vec<_> = fragments.iter().filter(|it| is_root(&it.type_condition)).cloned().collect();
    if on_roots.is_empty() && !names_a_root(&root.selection_set, &is_root) {
        return;
    }
    let splice = |set: &SelectionSet| spliced(set, &on_roots, &is_root);
    let mut root = root.clone();
    root.selection_set = splice(&root.selection_set);
    let others = fragments.iter().filter(|it| !is_root(&it.type_condition));
    let others =
        others.map(|it| FragmentDefinition { selection_set: splice(&it.selection_set), ..it.clone() });
    let document = Document { operation: root, fragments: others.collect() };
    *operation = SubgraphFetchOperation::from_anonymous_operation(document);
}

fn names_a_root(set: &SelectionSet, is_root: &impl Fn(&str) -> bool) -> bool {
    set.items.iter().any(|item| match item {
        SelectionItem::Field(field) => names_a_root(&field.selections, is_root),
        SelectionItem::InlineFragment(fragment) => {
            is_root(&fragment.type_condition) || names_a_root(&fragment.selections, is_root)
        }
        SelectionItem::FragmentSpread(_) => false,
    })
}

fn spliced(
    set: &SelectionSet,
    on_roots: &[FragmentDefinition],
    is_root: &impl Fn(&str) -> bool,
) -> SelectionSet {
    let mut items = Vec::with_capacity(set.items.len());
    for item in &set.items {
        match item {
            SelectionItem::Field(field) => {
                let selections = spliced(&field.selections, on_roots, is_root);
                items.push(SelectionItem::Field(field.with_new_selections(selections)));
            }
            SelectionItem::InlineFragment(fragment) => {
                let selections = spliced(&fragment.selections, on_roots, is_root);
                let is_plain = fragment.include_if.is_none() && fragment.skip_if.is_none();
                if is_plain && is_root(&fragment.type_condition) {
                    items.extend(selections.items);
                } else {
                    items.push(SelectionItem::InlineFragment(fragment.with_new_selections(selections)));
                }
            }
            SelectionItem::FragmentSpread(name) => match on_roots.iter().find(|it| it.name == *name) {
                Some(fragment) => items.extend(spliced(&fragment.selection_set, on_roots, is_root).items),
                None => items.push(item.clone()),
            },
        }
    }
    SelectionSet { items }
}
