//! Aliases that would stand where a plan needs something else: a key or a required field of that name, or the type. They
//! get another name in what subgraphs are asked, and their own again in the answer.

use graphql_tools::parser::query::{Definition, OperationDefinition};
use graphql_tools::static_graphql::query::{Document, Field, Selection, SelectionSet};
use hive_router_query_planner::state::supergraph_state::SupergraphState;
use rustc_hash::FxHashSet;

/// What the other name begins with.
const PREFIX: &str = "_client_";

/// The name that the client chose for a key of the data.
pub(super) fn client_key(key: &str) -> &str {
    key.strip_prefix(PREFIX).unwrap_or(key)
}

/// Names that plans may ask for beside what clients ask for.
#[derive(Debug, Default)]
pub(super) struct TakenNames {
    names: FxHashSet<String>,
    /// Those of them that plans ask for with arguments.
    with_arguments: FxHashSet<String>,
}

impl TakenNames {
    /// The names in the supergraph's keys and required fields.
    pub(super) fn of(supergraph: &SupergraphState) -> Self {
        let mut taken = Self::default();
        taken.names.insert("__typename".to_owned());
        for definition in supergraph.definitions.values() {
            for key in definition.join_types().iter().filter_map(|join| join.key.as_deref()) {
                taken.add(key);
            }
            for field in definition.fields().values() {
                for required in field.join_field.iter().filter_map(|join| join.requires.as_deref()) {
                    taken.add(required);
                }
            }
        }
        taken
    }

    /// Every word of a field set: more than its fields at times, which does no harm.
    fn add(&mut self, field_set: &str) {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let mut rest = field_set;
        while let Some(start) = rest.find(is_part) {
            rest = &rest[start..];
            let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            self.names.insert(word.to_owned());
            if after.trim_start().starts_with('(') {
                self.with_arguments.insert(word.to_owned());
            }
            rest = after;
        }
    }

    /// Gives the aliases that are in the way another name.
    pub(super) fn make_way(&self, document: &mut Document) {
        for definition in &mut document.definitions {
            let set = match definition {
                Definition::Fragment(fragment) => &mut fragment.selection_set,
                Definition::Operation(OperationDefinition::SelectionSet(set)) => set,
                Definition::Operation(OperationDefinition::Query(it)) => &mut it.selection_set,
                Definition::Operation(OperationDefinition::Mutation(it)) => &mut it.selection_set,
                Definition::Operation(OperationDefinition::Subscription(it)) => &mut it.selection_set,
            };
            self.make_way_in(set);
        }
    }

    fn make_way_in(&self, set: &mut SelectionSet) {
        for item in &mut set.items {
            match item {
                Selection::Field(field) => {
                    if self.is_in_the_way(field) {
                        let key = field.alias.as_ref().unwrap_or(&field.name);
                        field.alias = Some(format!("{PREFIX}{key}"));
                    }
                    self.make_way_in(&mut field.selection_set);
                }
                Selection::InlineFragment(fragment) => self.make_way_in(&mut fragment.selection_set),
                Selection::FragmentSpread(_) => {}
            }
        }
    }

    fn is_in_the_way(&self, field: &Field) -> bool {
        let key = field.alias.as_ref().unwrap_or(&field.name);
        if *key == field.name {
            // The plan may want it with other arguments.
            let differs = !field.arguments.is_empty() || self.with_arguments.contains(key);
            return differs && self.names.contains(key);
        }
        self.names.contains(key) || key.starts_with(PREFIX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(field_set: &str, document: &str) -> String {
        let mut taken = TakenNames::default();
        taken.add(field_set);
        let mut document = graphql_tools::parser::parse_query::<String>(document).unwrap().into_static();
        taken.make_way(&mut document);
        document.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn aliases_that_take_a_needed_name_get_another() {
        assert_eq!(
            changed("id owner { mail }", "{ a { id: name mail b: mail id } } fragment f on A { owner: x }"),
            "{ a { _client_id: name mail b: mail id } } fragment f on A { _client_owner: x }"
        );
    }

    #[test]
    fn fields_that_are_needed_with_arguments_stand_apart() {
        assert_eq!(
            changed("price(in: \"EUR\") size", "{ price price(in: \"USD\") size size(unit: M) }"),
            "{ _client_price: price _client_price: price(in: \"USD\") size _client_size: size(unit: M) }"
        );
    }

    #[test]
    fn what_looks_like_another_name_is_renamed_too() {
        assert_eq!(changed("id", "{ _client_id: name }"), "{ _client__client_id: name }");
        assert_eq!(client_key("_client__client_id"), "_client_id");
    }
}
