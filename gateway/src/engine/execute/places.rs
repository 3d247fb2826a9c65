//! Places in the data: where a plan's path leads.

use std::ops::ControlFlow;

use rustc_hash::{FxHashMap, FxHashSet};

use super::errors::Segment;
use super::graph::{Graph, Item, NodeId};
use crate::engine::plan::Step;

/// The objects that a path leads to, each once.
#[derive(Debug, Default)]
pub(super) struct Places<'g> {
    /// Each with the class of its places: places are alike when the objects on the way to them are of the same types,
    /// since then an operation asks for the same there.
    pub(super) found: Vec<(NodeId, u32)>,
    seen: FxHashSet<NodeId>,
    classes: FxHashMap<(u32, &'g str), u32>,
}

impl<'g> Places<'g> {
    /// All objects that a path leads to.
    pub(super) fn find(graph: &'g Graph, path: &[Step]) -> Self {
        let mut places = Self::default();
        places.walk(graph, &Item::Object(Graph::ROOT), path, 0);
        places
    }

    /// Lists on the way are entered even where the path does not say so: it marks one level however deep they nest.
    fn walk(&mut self, graph: &'g Graph, item: &Item, path: &[Step], class: u32) {
        match item {
            Item::Leaf(_) => {}
            Item::List(items) => {
                let rest = if let Some(Step::Items) = path.first() { &path[1..] } else { path };
                for item in items {
                    self.walk(graph, item, rest, class);
                }
            }
            Item::Object(id) => {
                let id = graph.resolve(*id);
                let node = graph.node(id);
                if node.is_shared && !self.seen.insert(id) {
                    return;
                }
                let Some(rest) = past_types(node.type_name(), path) else { return };
                match rest {
                    [] => self.found.push((id, class)),
                    [Step::Key(key), rest @ ..] => {
                        if let Some(inner) = node.get(key) {
                            let class = node.type_name().map_or(class, |name| self.class(class, name));
                            self.walk(graph, inner, rest, class);
                        }
                    }
                    [Step::Items | Step::Types(_), ..] => {}
                }
            }
        }
    }

    fn class(&mut self, of_parent: u32, type_name: &'g str) -> u32 {
        let next = u32::try_from(self.classes.len() + 1).expect("there are fewer types");
        *self.classes.entry((of_parent, type_name)).or_insert(next)
    }
}

/// What is left of a path after its conditions on an object's type; `None` when one does not hold.
fn past_types<'p>(type_name: Option<&str>, mut path: &'p [Step]) -> Option<&'p [Step]> {
    while let [Step::Types(types), rest @ ..] = path {
        if type_name.is_some_and(|name| !types.contains(name)) {
            return None;
        }
        path = rest;
    }
    Some(path)
}

/// Visits every place that a path leads to, with the object there and the place as clients know it.
pub(super) fn visit(
    graph: &Graph,
    path: &[Step],
    visitor: &mut dyn FnMut(NodeId, &[Segment]) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let mut visit = Visit { graph, at: Vec::new(), visitor };
    visit.walk(&Item::Object(Graph::ROOT), path)
}

/// The places of some objects that a path leads to, as clients know them, but not more than `limit`.
pub(super) fn paths(graph: &Graph, path: &[Step], objects: &[NodeId], limit: usize) -> Vec<Vec<Segment>> {
    let objects: FxHashSet<_> = objects.iter().map(|id| graph.resolve(*id)).collect();
    let mut paths = Vec::new();
    let _all_seen = visit(graph, path, &mut |id, path| {
        if objects.contains(&id) {
            paths.push(path.to_vec());
        }
        if paths.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    paths
}

struct Visit<'a> {
    graph: &'a Graph,
    at: Vec<Segment>,
    visitor: &'a mut dyn FnMut(NodeId, &[Segment]) -> ControlFlow<()>,
}

impl Visit<'_> {
    fn walk(&mut self, item: &Item, path: &[Step]) -> ControlFlow<()> {
        match item {
            Item::Leaf(_) => {}
            Item::List(items) => {
                let rest = if let Some(Step::Items) = path.first() { &path[1..] } else { path };
                for (index, item) in items.iter().enumerate() {
                    self.at.push(Segment::Index(index));
                    self.walk(item, rest)?;
                    self.at.pop();
                }
            }
            Item::Object(id) => {
                let id = self.graph.resolve(*id);
                let node = self.graph.node(id);
                match past_types(node.type_name(), path) {
                    Some([]) => (self.visitor)(id, &self.at)?,
                    Some([Step::Key(key), rest @ ..]) => {
                        if let Some(inner) = node.get(key) {
                            self.at.push(Segment::Key(key.clone()));
                            self.walk(inner, rest)?;
                            self.at.pop();
                        }
                    }
                    Some([Step::Items | Step::Types(_), ..]) | None => {}
                }
            }
        }
        ControlFlow::Continue(())
    }
}
