//! Representations: what tells a subgraph which entities are meant.

use std::collections::hash_map::Entry;
use std::sync::LazyLock;

use indexmap::IndexSet;
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::graph::{Graph, Item, Node, NodeId};
use super::places::Places;
use super::rewrite;
use crate::engine::plan::{EntityList, Required};
use crate::value::{Object, Text, Value};

/// Shared by all representations, which would otherwise make one each.
static TYPENAME: LazyLock<Text> = LazyLock::new(|| "__typename".into());

/// The entities that one `_entities` list asks for.
#[derive(Debug, Default)]
pub(super) struct Representations {
    /// Each once; taken when they are sent.
    pub(super) values: Vec<Value>,
    /// How many there are.
    pub(super) count: usize,
    /// The objects that they are of, and which of the values tells each; `None` where nothing is known that a subgraph
    /// could find it by.
    pub(super) objects: Vec<(NodeId, Option<usize>)>,
    /// How many objects there were in all.
    pub(super) since: usize,
}

impl Representations {
    /// Collects what the data so far holds for a list.
    pub(super) fn collect(graph: &mut Graph, list: &EntityList) -> Self {
        let mut values = IndexSet::<Value, FxBuildHasher>::default();
        let mut objects = Vec::new();
        for path in &list.paths {
            let found = Places::find(graph, path).found;
            for id in united(graph, found) {
                let value = representation(graph, graph.node(id), list);
                objects.push((id, value.map(|value| values.insert_full(value).0)));
            }
        }
        Self { count: values.len(), values: values.into_iter().collect(), objects, since: graph.len() }
    }

    /// The objects that one of the values tells.
    pub(super) fn told_by(&self, index: usize) -> impl Iterator<Item = NodeId> {
        self.objects.iter().filter(move |(_, told_by)| *told_by == Some(index)).map(|(id, _)| *id)
    }
}

/// Lets equal objects at places that are alike become one, and gives those that are left.
fn united(graph: &mut Graph, found: Vec<(NodeId, u32)>) -> Vec<NodeId> {
    let mut known = FxHashMap::with_capacity_and_hasher(found.len(), FxBuildHasher);
    let mut left = Vec::with_capacity(found.len());
    for (id, class) in found {
        match known.entry((class, graph.hash_of(id))) {
            Entry::Occupied(kept) => {
                if !graph.unite(*kept.get(), id) {
                    left.push(id);
                }
            }
            Entry::Vacant(place) => {
                place.insert(id);
                left.push(id);
            }
        }
    }
    left
}

fn representation(graph: &Graph, entity: &Node, list: &EntityList) -> Option<Value> {
    let mut representation = Object::with_capacity(list.requires.len() + 1);
    project(graph, entity, &list.requires, &mut representation);
    // A key that is null finds nothing, and neither does a type name alone.
    if representation.iter().all(|(key, value)| key == "__typename" || value.is_null()) {
        return None;
    }
    let mut representation = Value::Object(representation);
    for change in &list.input {
        rewrite::apply(change, &mut representation);
    }
    Some(representation)
}

fn project(graph: &Graph, object: &Node, required: &[Required], into: &mut Object) {
    for part in required {
        match part {
            Required::Field { name, from, inner } => {
                if let Some(item) = from.iter().find_map(|key| object.get(key)) {
                    let value = projected(graph, item, inner);
                    match (into.get_mut(name), value) {
                        (Some(Value::Object(known)), Value::Object(more)) => {
                            more.into_iter().for_each(|(key, value)| known.insert(key, value));
                        }
                        (Some(_), _) => {}
                        (None, value) => into.push(name.clone(), value),
                    }
                }
            }
            Required::Fragment { condition, types, inner } => {
                let name = object.type_name();
                if name.is_none_or(|name| types.contains(name)) {
                    if into.get("__typename").is_none() {
                        let known = object.get("__typename").filter(|_| name.is_some());
                        let name = known.map_or_else(|| condition.clone().into(), |item| graph.value(item));
                        into.push(TYPENAME.clone(), name);
                    }
                    project(graph, object, inner, into);
                }
            }
        }
    }
}

/// What is under a key, cut down to what is required; a scalar, of whatever form, stays whole.
fn projected(graph: &Graph, item: &Item, required: &[Required]) -> Value {
    match item {
        Item::Object(id) if !required.is_empty() => {
            let object = graph.node(*id);
            let mut into = Object::with_capacity(required.len());
            if let Some(name) = object.get("__typename") {
                into.push(TYPENAME.clone(), graph.value(name));
            }
            project(graph, object, required, &mut into);
            Value::Object(into)
        }
        Item::List(items) if !required.is_empty() => {
            Value::List(items.iter().map(|item| projected(graph, item, required)).collect())
        }
        other => graph.value(other),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::engine::plan::Step;
    use crate::engine::schema::TypeConditions;

    fn parse(json: &str) -> Value {
        Value::parse(json.as_bytes()).unwrap()
    }

    fn graph(json: &str) -> Graph {
        let Value::Object(root) = parse(json) else { panic!("the root is an object") };
        Graph::new(root)
    }

    fn text(graph: &Graph) -> String {
        graph.value(&Item::Object(Graph::ROOT)).to_string()
    }

    /// A list of owners' representations by id, at `items.@.owner`.
    fn owners() -> EntityList {
        let path = vec![Step::Key("items".into()), Step::Items, Step::Key("owner".into())];
        let id = Required::Field { name: "id".into(), from: vec!["id".into()], inner: Vec::new() };
        EntityList {
            key: Arc::from("_entities"),
            variable: "representations".into(),
            paths: vec![path],
            requires: vec![id],
            input: Vec::new(),
            output: Vec::new(),
        }
    }

    const ITEMS: &str = r#"{"items":[
        {"__typename":"A","owner":{"id":1}},{"__typename":"B","owner":{"id":1}},
        {"__typename":"A","owner":{"id":1}},{"__typename":"A","owner":{"id":1,"name":"x"}}]}"#;

    #[test]
    fn equal_objects_become_one_where_the_objects_above_them_are_of_the_same_types() {
        let mut graph = graph(ITEMS);
        let found = Representations::collect(&mut graph, &owners());
        assert_eq!((found.count, found.objects.len()), (1, 3));
        graph.merge(found.objects[0].0, parse(r#"{"age":7}"#), found.since, &TypeConditions::default());
        insta::assert_snapshot!(text(&graph), @r#"{"items":[{"__typename":"A","owner":{"id":1,"age":7}},{"__typename":"B","owner":{"id":1}},{"__typename":"A","owner":{"id":1,"age":7}},{"__typename":"A","owner":{"id":1,"name":"x"}}]}"#);
    }

    #[test]
    fn an_answer_about_one_place_of_an_object_says_nothing_about_the_others() {
        let mut graph = graph(ITEMS);
        let under_way = Representations::collect(&mut graph, &owners());
        let conditions = TypeConditions::default();
        let about_the_third = r#"{"items":[null,null,{"owner":{"note":"here"}},null]}"#;
        graph.merge(Graph::ROOT, parse(about_the_third), graph.len(), &conditions);
        // Whoever asked before the object was split answers for both halves.
        graph.merge(under_way.objects[0].0, parse(r#"{"age":7}"#), under_way.since, &conditions);
        insta::assert_snapshot!(text(&graph), @r#"{"items":[{"__typename":"A","owner":{"id":1,"age":7}},{"__typename":"B","owner":{"id":1}},{"__typename":"A","owner":{"id":1,"note":"here","age":7}},{"__typename":"A","owner":{"id":1,"name":"x"}}]}"#);
    }
}
