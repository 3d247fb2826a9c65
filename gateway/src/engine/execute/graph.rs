//! The data of one execution. Answers are trees, in which one entity may be at many places; here it is one object that
//! many places lead to, as soon as a fetch finds it at several. So it is merged into once, and written once.

use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;

use crate::engine::schema::TypeConditions;
use crate::value::{Object, Text, Value};

/// An object of the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::engine) struct NodeId(u32);

/// What is under a key or in a list.
#[derive(Debug, Clone)]
pub(in crate::engine) enum Item {
    /// A scalar.
    Leaf(Value),
    List(Vec<Item>),
    Object(NodeId),
}

/// An object.
#[derive(Debug, Clone, Default)]
pub(in crate::engine) struct Node {
    entries: Vec<(Text, Item)>,
    /// The object that stands for this one, which was equal to it.
    same_as: Option<NodeId>,
    /// Those that were split off from this one when it was no longer equal for all.
    copies: Vec<NodeId>,
    /// Whether it may be at several places.
    pub(in crate::engine) is_shared: bool,
    /// Whether a subgraph refers to it that another does not have.
    pub(in crate::engine) is_missing: bool,
}

/// All objects of one execution.
#[derive(Debug)]
pub(in crate::engine) struct Graph {
    nodes: Vec<Node>,
}

impl Default for Item {
    fn default() -> Self {
        Self::Leaf(Value::Null)
    }
}

impl Item {
    /// The scalar's text, when it is a string.
    pub(in crate::engine) fn as_str(&self) -> Option<&str> {
        match self {
            Self::Leaf(value) => value.as_str(),
            Self::List(_) | Self::Object(_) => None,
        }
    }
}

impl Node {
    /// What is under a key.
    pub(in crate::engine) fn get(&self, key: &str) -> Option<&Item> {
        self.entries.iter().find(|(name, _)| name == key).map(|(_, item)| item)
    }

    /// What is under a key, looked for from `hint` on, which is then moved past it.
    pub(in crate::engine) fn get_from(&self, key: &str, hint: &mut usize) -> Option<&Item> {
        let start = (*hint).min(self.entries.len());
        let (before, after) = self.entries.split_at(start);
        let found = after.iter().position(|(name, _)| name == key).map(|index| start + index);
        let index = found.or_else(|| before.iter().position(|(name, _)| name == key))?;
        *hint = index + 1;
        Some(&self.entries[index].1)
    }

    /// The name of its type, when it tells.
    pub(in crate::engine) fn type_name(&self) -> Option<&str> {
        self.get("__typename").and_then(Item::as_str)
    }

    /// Its entries in order.
    pub(in crate::engine) fn iter(&self) -> impl Iterator<Item = &(Text, Item)> {
        self.entries.iter()
    }
}

impl Graph {
    /// The root.
    pub(in crate::engine) const ROOT: NodeId = NodeId(0);

    /// A graph whose root has these entries.
    pub(in crate::engine) fn new(root: Object) -> Self {
        let mut graph = Self { nodes: vec![Node::default()] };
        graph.nodes[0].entries = graph.entries(root);
        graph
    }

    /// How many objects there are; those that are added later have greater ids.
    pub(in crate::engine) const fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The object of this id, or the one that stands for it.
    pub(in crate::engine) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[self.resolve(id).index()]
    }

    /// The id of the object that stands for this one: mostly itself.
    pub(in crate::engine) fn resolve(&self, mut id: NodeId) -> NodeId {
        while let Some(other) = self.nodes[id.index()].same_as {
            id = other;
        }
        id
    }

    /// Marks an object as one that a subgraph does not have.
    pub(in crate::engine) fn mark_missing(&mut self, id: NodeId) {
        let id = self.resolve(id);
        self.nodes[id.index()].is_missing = true;
    }

    /// Lets one object stand for another, if they are equal. Only for objects at places that are alike: whatever is
    /// asked for at one of them is asked for at the other.
    pub(in crate::engine) fn unite(&mut self, kept: NodeId, other: NodeId) -> bool {
        let is_equal = kept != other && self.are_equal(kept, other);
        if is_equal {
            let other = std::mem::replace(
                &mut self.nodes[other.index()],
                Node { same_as: Some(kept), ..Node::default() },
            );
            let kept = &mut self.nodes[kept.index()];
            kept.is_shared = true;
            kept.copies.extend(other.copies);
        }
        is_equal
    }

    fn are_equal(&self, a: NodeId, b: NodeId) -> bool {
        let (a, b) = (self.resolve(a), self.resolve(b));
        if a == b {
            return true;
        }
        let (a, b) = (self.node(a), self.node(b));
        a.entries.len() == b.entries.len()
            && a.is_missing == b.is_missing
            && a.entries.iter().zip(&b.entries).all(|((key, item), (other_key, other))| {
                key == other_key && self.are_equal_items(item, other)
            })
    }

    fn are_equal_items(&self, a: &Item, b: &Item) -> bool {
        match (a, b) {
            (Item::Leaf(a), Item::Leaf(b)) => a == b,
            (Item::List(a), Item::List(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| self.are_equal_items(a, b))
            }
            (Item::Object(a), Item::Object(b)) => self.are_equal(*a, *b),
            _ => false,
        }
    }

    /// A hash of an object's scalars: equal for equal objects.
    pub(in crate::engine) fn hash_of(&self, id: NodeId) -> u64 {
        let mut hasher = FxHasher::default();
        for (_, item) in &self.node(id).entries {
            if let Item::Leaf(value) = item {
                value.hash(&mut hasher);
            }
        }
        hasher.finish()
    }

    /// Merges an answer into an object, and into those that were split off from it since the graph had `since` objects,
    /// which was when the answer was asked for. A `null` takes nothing away, since another subgraph may know more.
    pub(in crate::engine) fn merge(
        &mut self,
        id: NodeId,
        answer: Value,
        since: usize,
        conditions: &TypeConditions,
    ) {
        let Value::Object(answer) = answer else { return };
        let id = self.resolve(id);
        let later: Vec<_> =
            self.nodes[id.index()].copies.iter().copied().filter(|copy| copy.index() >= since).collect();
        for copy in later {
            self.merge(copy, Value::Object(answer.clone()), since, conditions);
        }
        self.merge_object(id, answer, conditions);
    }

    fn merge_object(&mut self, id: NodeId, answer: Object, conditions: &TypeConditions) {
        let index = id.index();
        if self.nodes[index].entries.is_empty() {
            let entries = self.entries(answer);
            self.nodes[index].entries = entries;
            return;
        }
        for (key, value) in answer {
            let position = self.nodes[index].entries.iter().position(|(name, _)| *name == key);
            match position {
                // A subgraph that knows an entity by its interface alone tells less than one that knows its type.
                Some(_)
                    if &*key == "__typename"
                        && value.as_str().is_some_and(|name| conditions.is_abstract(name)) => {}
                Some(position) => {
                    let mut item = std::mem::take(&mut self.nodes[index].entries[position].1);
                    self.merge_item(&mut item, value, conditions);
                    self.nodes[index].entries[position].1 = item;
                }
                None => {
                    let item = self.add(value);
                    self.nodes[index].entries.push((key, item));
                }
            }
        }
    }

    fn merge_item(&mut self, target: &mut Item, answer: Value, conditions: &TypeConditions) {
        match (target, answer) {
            (Item::Object(id), Value::Object(answer)) => {
                *id = self.of_one_place(*id);
                self.merge_object(*id, answer, conditions);
            }
            (Item::List(items), Value::List(answers)) if items.len() == answers.len() => {
                for (item, answer) in items.iter_mut().zip(answers) {
                    self.merge_item(item, answer, conditions);
                }
            }
            (_, Value::Null) => {}
            (target, answer) => *target = self.add(answer),
        }
    }

    /// The object itself, or a copy when it is at other places too, about which nothing was said.
    fn of_one_place(&mut self, id: NodeId) -> NodeId {
        let id = self.resolve(id);
        if !self.nodes[id.index()].is_shared {
            return id;
        }
        let copy = Node { is_shared: false, copies: Vec::new(), ..self.nodes[id.index()].clone() };
        copy.entries.iter().for_each(|(_, item)| self.mark_shared(item));
        let copied = self.push(copy);
        self.nodes[id.index()].copies.push(copied);
        copied
    }

    fn mark_shared(&mut self, item: &Item) {
        match item {
            Item::Leaf(_) => {}
            Item::List(items) => items.iter().for_each(|item| self.mark_shared(item)),
            Item::Object(id) => {
                let id = self.resolve(*id);
                self.nodes[id.index()].is_shared = true;
            }
        }
    }

    fn push(&mut self, node: Node) -> NodeId {
        let id = NodeId(u32::try_from(self.nodes.len()).expect("answers are smaller than 4 GiB"));
        self.nodes.push(node);
        id
    }

    fn add(&mut self, value: Value) -> Item {
        match value {
            Value::Object(object) => {
                let entries = self.entries(object);
                Item::Object(self.push(Node { entries, ..Node::default() }))
            }
            Value::List(items) => Item::List(items.into_iter().map(|item| self.add(item)).collect()),
            scalar => Item::Leaf(scalar),
        }
    }

    fn entries(&mut self, object: Object) -> Vec<(Text, Item)> {
        object.into_iter().map(|(key, value)| (key, self.add(value))).collect()
    }

    /// Appends a piece of the graph as JSON.
    pub(in crate::engine) fn write(&self, item: &Item, out: &mut Vec<u8>) {
        match item {
            Item::Leaf(value) => value.write(out),
            Item::List(_) | Item::Object(_) => self.value(item).write(out),
        }
    }

    /// A piece of the graph as a tree.
    pub(in crate::engine) fn value(&self, item: &Item) -> Value {
        match item {
            Item::Leaf(value) => value.clone(),
            Item::List(items) => Value::List(items.iter().map(|item| self.value(item)).collect()),
            Item::Object(id) => {
                let entries = self.node(*id).iter();
                Value::Object(entries.map(|(key, item)| (key.clone(), self.value(item))).collect())
            }
        }
    }
}

impl NodeId {
    const fn index(self) -> usize {
        self.0 as usize
    }
}
