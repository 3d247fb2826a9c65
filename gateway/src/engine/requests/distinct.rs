//! Fields with one response key must have one shape ("Field Selection Merging", §5.3.2), also when an object can have but
//! one of them. Clients' operations keep to that by the types of the API, but a subgraph's own may differ more, and the
//! planner asks for fields of several types in one request. Those that collide there get names of their own, and in the
//! answer theirs again.

use std::rc::Rc;

use hive_router_query_planner::ast::document::Document;
use hive_router_query_planner::ast::operation::SubgraphFetchOperation;
use hive_router_query_planner::ast::selection_item::SelectionItem;
use hive_router_query_planner::ast::selection_set::{FieldSelection, SelectionSet};
use hive_router_query_planner::planner::plan_nodes::{FetchNodePathSegment, FetchRewrite, KeyRenamer};
use hive_router_query_planner::state::subgraph_state::SubgraphState;
use hive_router_query_planner::state::supergraph_state::{
    OperationKind, SubgraphName, SupergraphDefinition, SupergraphState, TypeNode,
};
use rustc_hash::{FxHashMap, FxHashSet};

const ENTITIES: &str = "_entities";

/// A field under another name.
pub(super) struct Rename {
    /// The key of the `_entities` list that it is in.
    pub(super) list: String,
    /// The keys that lead to it, its own the last.
    path: Vec<String>,
    /// The key that the plan knows it by.
    key: String,
}

impl Rename {
    /// What undoes it in the answer.
    pub(super) fn back(&self) -> FetchRewrite {
        let path = self.path.iter().cloned().map(FetchNodePathSegment::Key).collect();
        FetchRewrite::KeyRenamer(KeyRenamer { path, rename_key_to: self.key.clone() })
    }
}

/// Renames the fields of a request that collide. The renames come in the order in which they are to be undone.
pub(super) fn rename(
    service: &str,
    operation: &mut SubgraphFetchOperation,
    supergraph: &SupergraphState,
) -> Vec<Rename> {
    let document = &operation.document;
    let state = supergraph.subgraphs_state.get(&SubgraphName(service.to_owned()));
    let may_collide = !document.fragments.is_empty() || has_fragments(&document.operation.selection_set);
    let (Some(subgraph), true) = (state, may_collide) else { return Vec::new() };
    let selections = document.operation.selection_set.inline_fragment_spreads(&document.fragments);
    let Ok(mut selections) = selections else { return Vec::new() };
    let mut names = FxHashSet::default();
    keys(&selections, &mut names);
    let places = FxHashSet::default();
    let mut distinct = Distinct { supergraph, subgraph, names, renames: Vec::new(), places };
    distinct.root(root(document, supergraph), &mut selections);
    let mut renames = distinct.renames;
    if !renames.is_empty() {
        let mut document = Document { operation: document.operation.clone(), fragments: Vec::new() };
        document.operation.selection_set = selections;
        *operation = SubgraphFetchOperation::from_anonymous_operation(document);
    }
    // What is inside first: the way to it leads through what is outside, by the name that this has until then.
    renames.sort_by_key(|rename| std::cmp::Reverse(rename.path.len()));
    renames
}

fn root<'a>(document: &Document, supergraph: &'a SupergraphState) -> &'a str {
    let name = match document.operation.operation_kind {
        Some(OperationKind::Mutation) => supergraph.mutation_type.as_deref(),
        Some(OperationKind::Subscription) => supergraph.subscription_type.as_deref(),
        Some(OperationKind::Query) | None => None,
    };
    name.unwrap_or(&supergraph.query_type)
}

fn has_fragments(set: &SelectionSet) -> bool {
    set.items.iter().any(|item| match item {
        SelectionItem::Field(field) => has_fragments(&field.selections),
        SelectionItem::InlineFragment(_) | SelectionItem::FragmentSpread(_) => true,
    })
}

/// All response keys of a document.
fn keys(set: &SelectionSet, into: &mut FxHashSet<String>) {
    for item in &set.items {
        match item {
            SelectionItem::Field(field) => {
                into.insert(field.selection_identifier().to_owned());
                keys(&field.selections, into);
            }
            SelectionItem::InlineFragment(fragment) => keys(&fragment.selections, into),
            SelectionItem::FragmentSpread(_) => {}
        }
    }
}

struct Distinct<'a> {
    supergraph: &'a SupergraphState,
    subgraph: &'a SubgraphState,
    /// The names that are in use.
    names: FxHashSet<String>,
    renames: Vec<Rename>,
    /// Where they are.
    places: FxHashSet<(String, Vec<String>)>,
}

/// A selection set, and where it is.
struct Place<'s> {
    on: &'s str,
    path: Rc<Vec<String>>,
    set: &'s mut SelectionSet,
}

/// A field, and where it is.
struct Selected<'s> {
    parent: &'s str,
    path: Rc<Vec<String>>,
    field: &'s mut FieldSelection,
    /// Its type, where it is known.
    ty: Option<&'s TypeNode>,
}

/// Fields of one key that have one shape; there is at least one.
struct Class<'s> {
    key: String,
    members: Vec<Selected<'s>>,
}

impl<'a> Distinct<'a> {
    fn root(&mut self, on: &str, set: &mut SelectionSet) {
        let is_list = |item: &SelectionItem| matches!(item, SelectionItem::Field(it) if it.name == ENTITIES);
        if !set.items.iter().any(is_list) {
            self.level("", vec![Place { on, path: Rc::default(), set }]);
            return;
        }
        for item in &mut set.items {
            if let SelectionItem::Field(field) = item {
                let list = field.selection_identifier().to_owned();
                self.level(&list, vec![Place { on: "", path: Rc::default(), set: &mut field.selections }]);
            }
        }
    }

    /// Selection sets that are merged, and below them those of their fields.
    fn level<'s>(&mut self, list: &str, places: Vec<Place<'s>>)
    where
        'a: 's,
    {
        let mut fields = Vec::new();
        for Place { on, path, set } in places {
            flatten(on, &path, set, &mut fields);
        }
        for class in self.classes(list, fields) {
            let inner = class.members.into_iter().filter(|member| !member.field.selections.is_empty());
            let inner = inner.map(|Selected { path, field, ty, .. }| {
                let on = ty.map_or("", TypeNode::inner_type);
                let mut path = path.as_ref().clone();
                path.push(field.selection_identifier().to_owned());
                Place { on, path: Rc::new(path), set: &mut field.selections }
            });
            let inner: Vec<_> = inner.collect();
            if !inner.is_empty() {
                self.level(list, inner);
            }
        }
    }

    /// The fields by key and shape; each shape of a key but the first under another name.
    fn classes<'s>(&mut self, list: &str, fields: Vec<Selected<'s>>) -> Vec<Class<'s>>
    where
        'a: 's,
    {
        let mut classes: Vec<Class<'s>> = Vec::new();
        let mut by_key: FxHashMap<String, Vec<usize>> = FxHashMap::default();
        for mut selected in fields {
            let key = selected.field.selection_identifier().to_owned();
            selected.ty = self.type_of(selected.parent, &selected.field.name);
            let fits = |class: &Class<'s>| match (class.members[0].ty, selected.ty) {
                (Some(known), Some(ty)) => self.is_one_shape(known, ty),
                _ => true,
            };
            let of_key = by_key.entry(key.clone()).or_default();
            let known = of_key.iter().copied().find(|index| fits(&classes[*index]));
            let index = known.unwrap_or_else(|| {
                let own = if of_key.is_empty() { key.clone() } else { self.free_name() };
                classes.push(Class { key: own, members: Vec::new() });
                of_key.push(classes.len() - 1);
                classes.len() - 1
            });
            let class = &mut classes[index];
            if class.key != key {
                self.rename(list, &class.key, key, &selected);
                selected.field.alias = Some(class.key.clone());
            }
            class.members.push(selected);
        }
        classes
    }

    /// Notes how a field's name is undone, once for each place.
    fn rename(&mut self, list: &str, own: &str, key: String, selected: &Selected<'_>) {
        let mut path = selected.path.as_ref().clone();
        path.push(own.to_owned());
        if self.places.insert((list.to_owned(), path.clone())) {
            self.renames.push(Rename { list: list.to_owned(), path, key });
        }
    }

    /// `SameResponseShape` of the specification, but for what is inside.
    fn is_one_shape(&self, one: &TypeNode, other: &TypeNode) -> bool {
        match (one, other) {
            (TypeNode::NonNull(one), TypeNode::NonNull(other))
            | (TypeNode::List(one), TypeNode::List(other)) => self.is_one_shape(one, other),
            (TypeNode::Named(one), TypeNode::Named(other)) => {
                one == other || (self.is_composite(one) && self.is_composite(other))
            }
            _ => false,
        }
    }

    fn is_composite(&self, name: &str) -> bool {
        self.supergraph.definitions.get(name).is_some_and(SupergraphDefinition::is_composite_type)
    }

    /// The type that the subgraph itself gives a field.
    fn type_of(&self, parent: &str, name: &str) -> Option<&'a TypeNode> {
        let own = self.subgraph.definitions.get(parent).and_then(|definition| definition.field(name));
        if let Some(field) = own {
            let declared = field.join_field.as_ref().and_then(|join| join.type_in_graph.as_ref());
            return Some(declared.unwrap_or(&field.field_type));
        }
        let field = self.supergraph.definitions.get(parent)?.fields().get(name)?;
        Some(&field.field_type)
    }

    fn free_name(&mut self) -> String {
        let names = (0..).map(|count| format!("_distinct_{count}"));
        let mut free = names.skip_while(|name| self.names.contains(name));
        let name = free.next().expect("numbers do not end");
        self.names.insert(name.clone());
        name
    }
}

fn flatten<'s>(on: &'s str, path: &Rc<Vec<String>>, set: &'s mut SelectionSet, into: &mut Vec<Selected<'s>>) {
    for item in &mut set.items {
        match item {
            SelectionItem::Field(field) if field.name != "__typename" => {
                into.push(Selected { parent: on, path: Rc::clone(path), field, ty: None });
            }
            SelectionItem::InlineFragment(fragment) => {
                flatten(&fragment.type_condition, path, &mut fragment.selections, into);
            }
            SelectionItem::Field(_) | SelectionItem::FragmentSpread(_) => {}
        }
    }
}
