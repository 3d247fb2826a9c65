//! The planner writes fields of an interface out per implementation where subgraphs differ in them; nested, that
//! multiplies. An operation that would grow beyond all bounds is refused before it does.

use graphql_tools::static_graphql::query::{self, Definition, Selection};
use hive_router_query_planner::state::supergraph_state::{SupergraphDefinition, SupergraphState};
use rustc_hash::FxHashMap;

use super::{ErrorCode, RequestError};

const MAX_FIELDS: usize = 100_000;

/// Estimates from above how many fields the planner will work on.
pub(super) fn check(
    supergraph: &SupergraphState,
    document: &query::Document,
    root_type: &str,
    set: &query::SelectionSet,
) -> Result<(), RequestError> {
    let fragments = document.definitions.iter().filter_map(|definition| match definition {
        Definition::Fragment(fragment) => Some((fragment.name.as_str(), fragment)),
        Definition::Operation(_) => None,
    });
    let estimate = Estimate { supergraph, fragments: fragments.collect() };
    if estimate.fields(root_type, set) <= MAX_FIELDS {
        return Ok(());
    }
    let text =
        "query nests so many fields of interfaces that planning would take too long: nest them less deeply";
    Err(RequestError::new(ErrorCode::BadUserInput, text).because("GRAPHQL_LIMIT_EXCEEDED"))
}

struct Estimate<'a> {
    supergraph: &'a SupergraphState,
    fragments: FxHashMap<&'a str, &'a query::FragmentDefinition>,
}

impl Estimate<'_> {
    fn fields(&self, parent: &str, set: &query::SelectionSet) -> usize {
        let mut total = 0_usize;
        for item in &set.items {
            let count = match item {
                Selection::Field(field) => {
                    let ty = self.supergraph.field_return_type_name(parent, &field.name);
                    let inner = ty.map_or(0, |ty| self.fields(ty, &field.selection_set));
                    self.copies(parent, &field.name).saturating_mul(inner.saturating_add(1))
                }
                Selection::InlineFragment(fragment) => {
                    let condition =
                        fragment.type_condition.as_ref().map(|query::TypeCondition::On(name)| name.as_str());
                    self.fields(condition.unwrap_or(parent), &fragment.selection_set)
                }
                Selection::FragmentSpread(spread) => {
                    self.fragments.get(spread.fragment_name.as_str()).map_or(0, |fragment| {
                        let query::TypeCondition::On(condition) = &fragment.type_condition;
                        self.fields(condition, &fragment.selection_set)
                    })
                }
            };
            total = total.saturating_add(count);
        }
        total
    }

    /// How many fields the planner makes of one.
    fn copies(&self, parent: &str, name: &str) -> usize {
        let Some(SupergraphDefinition::Interface(interface)) = self.supergraph.definitions.get(parent) else {
            return 1;
        };
        let Some(members) = self.supergraph.interface_members(parent) else { return 1 };
        let differs =
            members.iter().filter_map(|member| self.supergraph.definitions.get(member)).any(|member| {
                member.fields().get(name).is_none_or(|field| {
                    let mut joins = field.join_field.iter();
                    joins.any(|join| join.external || join.used_overridden || join.override_value.is_some())
                })
            });
        let in_several = interface.join_type.iter().filter(|join| !join.is_interface_object).count() > 1;
        let declared_apart = interface.fields.get(name).is_some_and(|field| !field.join_field.is_empty());
        if differs || (in_several && declared_apart) { members.len().max(1) } else { 1 }
    }
}
