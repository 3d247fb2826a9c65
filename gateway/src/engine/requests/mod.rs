//! The planner's requests, made ones that subgraphs take: these validate what they are asked, by types of their own.

mod distinct;
mod roots;

use hive_router_query_planner::ast::operation::SubgraphFetchOperation;
use hive_router_query_planner::planner::plan_nodes::{FetchNode, FetchRewrite, PlanNode};
use hive_router_query_planner::state::supergraph_state::SupergraphState;

use distinct::Rename;

/// Makes every request of a plan one that its subgraph takes.
pub(super) fn make_acceptable(node: &mut PlanNode, supergraph: &SupergraphState) {
    match node {
        PlanNode::Sequence(it) => it.nodes.iter_mut().for_each(|node| make_acceptable(node, supergraph)),
        PlanNode::Parallel(it) => it.nodes.iter_mut().for_each(|node| make_acceptable(node, supergraph)),
        PlanNode::Condition(it) => {
            let nodes = [&mut it.if_clause, &mut it.else_clause];
            nodes.into_iter().flatten().for_each(|node| make_acceptable(node, supergraph));
        }
        PlanNode::Flatten(it) => make_acceptable(&mut it.node, supergraph),
        PlanNode::Fetch(it) => fetch(it, supergraph),
        PlanNode::Subscription(it) => fetch(&mut it.primary, supergraph),
        PlanNode::BatchFetch(it) => {
            let renames = change(&it.service_name, &mut it.operation, supergraph);
            for list in &mut it.entity_batch.aliases {
                let own = renames.iter().filter(|rename| rename.list == list.alias);
                add(&mut list.output_rewrites, own);
            }
        }
        PlanNode::Defer(_) => {}
    }
}

fn fetch(node: &mut FetchNode, supergraph: &SupergraphState) {
    let renames = change(&node.service_name, &mut node.operation, supergraph);
    add(&mut node.output_rewrites, renames.iter());
}

fn change(
    service: &str,
    operation: &mut SubgraphFetchOperation,
    supergraph: &SupergraphState,
) -> Vec<Rename> {
    roots::forget(operation, supergraph);
    distinct::rename(service, operation, supergraph)
}

/// Before those of the planner, which know nothing of them.
fn add<'r>(rewrites: &mut Option<Vec<FetchRewrite>>, renames: impl Iterator<Item = &'r Rename>) {
    let mut all: Vec<_> = renames.map(Rename::back).collect();
    if !all.is_empty() {
        all.extend(rewrites.take().into_iter().flatten());
        *rewrites = Some(all);
    }
}
