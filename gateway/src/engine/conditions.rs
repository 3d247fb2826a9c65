//! `@skip` and `@include` by variables, in the one form that the planner is sure of: on fields alone, at most one on
//! each, and each field but once in its place. What of an operation is not like that is brought to it: conditions of
//! fragments move to the fields in them, fields that are selected several times become one, and where a field then
//! depends on more than one variable, the gateway gives subgraphs another that says it all.

use hive_router_query_planner::ast::operation::{OperationDefinition, VariableDefinition};
use hive_router_query_planner::ast::selection_item::SelectionItem;
use hive_router_query_planner::ast::selection_set::{FieldSelection, InlineFragmentSelection, SelectionSet};
use hive_router_query_planner::state::supergraph_state::{SupergraphState, TypeNode};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::value::{Object, Text, Value};

/// A variable, and the value that it must have.
type Literal = (String, bool);

/// Sorted, each variable once.
type Conjunction = Vec<Literal>;

/// A variable of the gateway's own, made of the client's.
#[derive(Debug)]
pub(super) struct Derived {
    name: Text,
    /// It is true where all of one of these hold.
    any: Vec<Conjunction>,
}

/// Adds the gateway's own variables to the client's.
pub(super) fn derive(derived: &[Derived], variables: &mut Object) {
    for Derived { name, any } in derived {
        let is = |(name, expected): &Literal| {
            variables.get(name).and_then(Value::as_bool).unwrap_or_default() == *expected
        };
        let holds = any.iter().any(|all| all.iter().all(is));
        variables.push(name.clone(), holds.into());
    }
}

/// Brings an operation's conditions to the simple form. Returns the variables that it uses beside its own.
pub(super) fn simplify(
    operation: &mut OperationDefinition,
    root_type: &str,
    supergraph: &SupergraphState,
) -> Vec<Derived> {
    if !has_conditions(&operation.selection_set) {
        return Vec::new();
    }
    let definitions = operation.variable_definitions.get_or_insert_default();
    let names = definitions.iter().map(|definition| definition.name.clone()).collect();
    let mut writer = Writer { supergraph, names, derived: Vec::new() };
    let mut scope = Scope::default();
    let set = std::mem::take(&mut operation.selection_set);
    scope.gather(root_type, set, &Vec::new(), &Vec::new());
    operation.selection_set = writer.write(root_type, scope, &Vec::new());
    definitions.extend(writer.derived.iter().map(|derived| VariableDefinition {
        name: derived.name.to_string(),
        variable_type: TypeNode::NonNull(Box::new(TypeNode::Named("Boolean".to_owned()))),
        default_value: None,
    }));
    writer.derived
}

fn has_conditions(set: &SelectionSet) -> bool {
    set.items.iter().any(|item| match item {
        SelectionItem::Field(field) => {
            field.include_if.is_some() || field.skip_if.is_some() || has_conditions(&field.selections)
        }
        SelectionItem::InlineFragment(fragment) => {
            fragment.include_if.is_some()
                || fragment.skip_if.is_some()
                || has_conditions(&fragment.selections)
        }
        SelectionItem::FragmentSpread(_) => false,
    })
}

/// What is selected on one type at one place.
#[derive(Default)]
struct Scope {
    fields: Vec<Merged>,
    /// The fields of each response key.
    by_key: FxHashMap<String, Vec<usize>>,
    /// What is selected on other types, where an object can be of them.
    narrower: Vec<(String, Scope)>,
}

/// All selections of a field.
struct Merged {
    /// Without conditions and selections of its own.
    field: FieldSelection,
    /// When it is there.
    any: Vec<Conjunction>,
    /// What is selected in it, and when.
    inner: Vec<(Conjunction, SelectionSet)>,
}

impl Scope {
    /// Takes in a selection set that counts under a condition. What is known to hold at this place is left out.
    fn gather(&mut self, on: &str, set: SelectionSet, when: &Conjunction, known: &Conjunction) {
        for item in set.items {
            match item {
                SelectionItem::Field(field) => self.add(field, when, known),
                SelectionItem::InlineFragment(fragment) => {
                    let InlineFragmentSelection { type_condition, selections, include_if, skip_if } =
                        fragment;
                    let Some(when) = and(when, include_if, skip_if, known) else { continue };
                    if type_condition == on {
                        self.gather(on, selections, &when, known);
                    } else {
                        self.narrowed(&type_condition).gather(&type_condition, selections, &when, known);
                    }
                }
                SelectionItem::FragmentSpread(_) => {}
            }
        }
    }

    fn narrowed(&mut self, name: &str) -> &mut Self {
        let index = self.narrower.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
            self.narrower.push((name.to_owned(), Self::default()));
            self.narrower.len() - 1
        });
        &mut self.narrower[index].1
    }

    fn add(&mut self, mut field: FieldSelection, when: &Conjunction, known: &Conjunction) {
        let (include_if, skip_if) = (field.include_if.take(), field.skip_if.take());
        // An object tells its type whatever the conditions are.
        let when = if field.name == "__typename" {
            Some(Conjunction::new())
        } else {
            and(when, include_if, skip_if, known)
        };
        let Some(when) = when else { return };
        let selections = std::mem::take(&mut field.selections);
        let of_key = self.by_key.entry(field.selection_identifier().to_owned()).or_default();
        let is_same = |merged: &Merged| {
            merged.field.name == field.name && merged.field.arguments() == field.arguments()
        };
        if let Some(index) = of_key.iter().copied().find(|index| is_same(&self.fields[*index])) {
            let merged = &mut self.fields[index];
            merged.any.push(when.clone());
            merged.inner.push((when, selections));
        } else {
            of_key.push(self.fields.len());
            self.fields.push(Merged { field, any: vec![when.clone()], inner: vec![(when, selections)] });
        }
    }
}

/// A condition with more of them, without what is known to hold. `None` when it cannot hold.
fn and(
    when: &Conjunction,
    include_if: Option<String>,
    skip_if: Option<String>,
    known: &Conjunction,
) -> Option<Conjunction> {
    let more = include_if.map(|name| (name, true)).into_iter().chain(skip_if.map(|name| (name, false)));
    let mut all: Conjunction = when.iter().cloned().chain(more).collect();
    all.sort_unstable();
    all.dedup();
    let is_denied = |(name, expected): &Literal| {
        let opposite = |(other, value): &Literal| other == name && value != expected;
        known.iter().any(opposite) || all.iter().any(opposite)
    };
    if all.iter().any(is_denied) {
        return None;
    }
    all.retain(|literal| !known.contains(literal));
    Some(all)
}

/// Alternatives without those that say nothing new.
fn shortened(mut any: Vec<Conjunction>) -> Vec<Conjunction> {
    any.sort_by_key(Vec::len);
    let mut short: Vec<Conjunction> = Vec::new();
    for all in any {
        if !short.iter().any(|known| known.iter().all(|literal| all.contains(literal))) {
            short.push(all);
        }
    }
    let is_opposed = |all: &Conjunction| match all.as_slice() {
        [(name, value)] => short.contains(&vec![(name.clone(), !value)]),
        _ => false,
    };
    if short.iter().any(is_opposed) { vec![Conjunction::new()] } else { short }
}

struct Writer<'a> {
    supergraph: &'a SupergraphState,
    /// The names of variables.
    names: FxHashSet<String>,
    derived: Vec<Derived>,
}

impl Writer<'_> {
    fn write(&mut self, on: &str, scope: Scope, known: &Conjunction) -> SelectionSet {
        let mut set = SelectionSet::default();
        for merged in scope.fields {
            set.items.push(SelectionItem::Field(self.field(on, merged, known)));
        }
        for (type_condition, scope) in scope.narrower {
            let selections = self.write(&type_condition, scope, known);
            if !selections.is_empty() {
                set.items.push(SelectionItem::InlineFragment(InlineFragmentSelection {
                    type_condition,
                    selections,
                    skip_if: None,
                    include_if: None,
                }));
            }
        }
        set
    }

    fn field(&mut self, on: &str, merged: Merged, known: &Conjunction) -> FieldSelection {
        let Merged { mut field, any, inner } = merged;
        let any = shortened(any);
        let mut known = known.clone();
        if let [all] = any.as_slice() {
            known.extend(all.iter().cloned());
        }
        let ty = self.supergraph.field_return_type_name(on, &field.name).unwrap_or_default();
        let is_composite = inner.iter().any(|(_, set)| !set.is_empty());
        let mut scope = Scope::default();
        for (when, set) in inner {
            if let Some(when) = and(&when, None, None, &known) {
                scope.gather(ty, set, &when, &known);
            }
        }
        field.selections = self.write(ty, scope, &known);
        if is_composite && field.selections.is_empty() {
            field.selections.items.push(SelectionItem::Field(FieldSelection::new_skipped_typename()));
        }
        self.condition(&mut field, any);
        field
    }

    fn condition(&mut self, field: &mut FieldSelection, any: Vec<Conjunction>) {
        match any.as_slice() {
            [all] if all.is_empty() => {}
            [all] if all.len() == 1 => {
                let (name, value) = all[0].clone();
                *(if value { &mut field.include_if } else { &mut field.skip_if }) = Some(name);
            }
            _ => field.include_if = Some(self.derived(any)),
        }
    }

    /// The variable that says whether one of these holds.
    fn derived(&mut self, any: Vec<Conjunction>) -> String {
        if let Some(known) = self.derived.iter().find(|derived| derived.any == any) {
            return known.name.to_string();
        }
        let mut names = (self.derived.len()..).map(|count| format!("_when_{count}"));
        let name = names.find(|name| !self.names.contains(name)).expect("numbers do not end");
        self.names.insert(name.clone());
        self.derived.push(Derived { name: name.as_str().into(), any });
        name
    }
}
