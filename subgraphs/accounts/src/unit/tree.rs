//! The units of a tenant, as a tree.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use pulse_types::{Reach, UnitId};
use serde::{Deserialize, Serialize};

use super::entity::UnitRow;

/// The units of a tenant as they were at one time, or those of them that somebody sees: at most a thousand. They stand in the
/// order of their names, each before those inside it. Cheap to clone.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "Vec<UnitRow>", into = "Vec<UnitRow>")]
pub(crate) struct Tree(Arc<Nodes>);

#[derive(Debug, Default)]
struct Nodes {
    nodes: Vec<Node>,
    places: HashMap<UnitId, usize>,
}

#[derive(Debug)]
struct Node {
    row: UnitRow,
    /// 1 directly in the tenant.
    level: usize,
    /// The place behind the last one inside it.
    end: usize,
}

impl Tree {
    /// The unit with this id.
    pub(crate) fn get(&self, id: UnitId) -> Option<&UnitRow> {
        self.node(id).map(|(_, node)| &node.row)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.nodes.len()
    }

    /// All of them.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &UnitRow> {
        self.0.nodes.iter().map(|node| &node.row)
    }

    /// Those that the unit is in, the outermost first.
    pub(crate) fn ancestors(&self, id: UnitId) -> Vec<&UnitRow> {
        let above = |row: &UnitRow| row.parent.and_then(|parent| self.get(parent));
        let mut ancestors: Vec<_> =
            std::iter::successors(self.get(id).and_then(above), |row| above(row)).collect();
        ancestors.reverse();
        ancestors
    }

    /// Those directly in the unit, or in the tenant.
    pub(crate) fn children(&self, of: Option<UnitId>) -> impl Iterator<Item = &UnitRow> {
        let (inside, level) = match of {
            Some(id) => self
                .node(id)
                .map(|(at, node)| (&self.0.nodes[at + 1..node.end], node.level + 1))
                .unwrap_or_default(),
            None => (&self.0.nodes[..], 1),
        };
        inside.iter().filter(move |node| node.level == level).map(|node| &node.row)
    }

    /// Those inside the unit, on so many levels below it.
    pub(crate) fn within(&self, id: UnitId, levels: usize) -> impl Iterator<Item = &UnitRow> {
        let (inside, level) =
            self.node(id).map(|(at, node)| (&self.0.nodes[at + 1..node.end], node.level)).unwrap_or_default();
        inside.iter().filter(move |node| node.level - level <= levels).map(|node| &node.row)
    }

    /// On which level the unit is: 1 directly in the tenant, 0 for none such.
    pub(crate) fn level(&self, id: UnitId) -> usize {
        self.node(id).map_or(0, |(_, node)| node.level)
    }

    /// How many levels the unit and those inside it take.
    pub(crate) fn height(&self, id: UnitId) -> usize {
        self.node(id).map_or(0, |(at, node)| {
            let lowest = self.0.nodes[at..node.end].iter().map(|node| node.level).max();
            lowest.unwrap_or(node.level) + 1 - node.level
        })
    }

    /// The names on the way to the unit, with its own, by which the tree is ordered.
    pub(crate) fn path(&self, row: &UnitRow) -> Vec<String> {
        self.ancestors(row.id).into_iter().chain([row]).map(|row| row.name.clone()).collect()
    }

    /// The tree with this unit added, or in place of what it was.
    pub(crate) fn with(&self, row: UnitRow) -> Self {
        let id = row.id;
        let others = self.rows().filter(|other| other.id != id).cloned();
        others.chain([row]).collect::<Vec<_>>().into()
    }

    /// Those of the units that are within reach. One that is inside of another that is not stands on the first level.
    pub(crate) fn seen(&self, reach: Reach<'_>) -> Self {
        if reach.is_all() {
            return self.clone();
        }
        self.rows().filter(|row| reach.contains(row.id.uuid())).cloned().collect::<Vec<_>>().into()
    }

    fn node(&self, id: UnitId) -> Option<(usize, &Node)> {
        let at = *self.0.places.get(&id)?;
        Some((at, &self.0.nodes[at]))
    }
}

impl From<Vec<UnitRow>> for Tree {
    fn from(rows: Vec<UnitRow>) -> Self {
        let ids: HashSet<UnitId> = rows.iter().map(|row| row.id).collect();
        let mut inside: HashMap<Option<UnitId>, Vec<UnitRow>> = HashMap::new();
        for row in rows {
            let parent = row.parent.filter(|parent| ids.contains(parent));
            inside.entry(parent).or_default().push(row);
        }
        let mut nodes = Vec::with_capacity(ids.len());
        place(&mut nodes, &mut inside, None, 1);
        let places = nodes.iter().enumerate().map(|(at, node): (usize, &Node)| (node.row.id, at)).collect();
        Self(Arc::new(Nodes { nodes, places }))
    }
}

impl From<Tree> for Vec<UnitRow> {
    fn from(tree: Tree) -> Self {
        tree.rows().cloned().collect()
    }
}

/// Puts those directly in `parent`, and all inside them, behind the others.
fn place(
    nodes: &mut Vec<Node>,
    inside: &mut HashMap<Option<UnitId>, Vec<UnitRow>>,
    parent: Option<UnitId>,
    level: usize,
) {
    let mut siblings = inside.remove(&parent).unwrap_or_default();
    siblings.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
    for row in siblings {
        let (at, id) = (nodes.len(), row.id);
        nodes.push(Node { row, level, end: 0 });
        place(nodes, inside, Some(id), level + 1);
        nodes[at].end = nodes.len();
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use pulse_types::{Effect, Permission, Resource, ResourceKind, ResourceRights};
    use uuid::Uuid;

    use super::super::entity::UnitKind;
    use super::*;

    fn id(n: u128) -> UnitId {
        UnitId::from_uuid(Uuid::from_u128(n))
    }

    fn unit(n: u128, parent: Option<u128>, name: &str) -> UnitRow {
        UnitRow {
            id: id(n),
            kind: UnitKind::Organization,
            parent: parent.map(id),
            name: name.to_owned(),
            version: 1,
            created_at: DateTime::UNIX_EPOCH,
            updated_at: DateTime::UNIX_EPOCH,
        }
    }

    /// b (a (x), c), z
    fn tree() -> Tree {
        let rows = [(9, None, "z"), (1, None, "b"), (3, Some(1), "c"), (4, Some(2), "x"), (2, Some(1), "a")];
        rows.map(|(n, parent, name)| unit(n, parent, name)).to_vec().into()
    }

    fn names<'t>(rows: impl IntoIterator<Item = &'t UnitRow>) -> String {
        rows.into_iter().map(|row| row.name.as_str()).collect()
    }

    #[test]
    fn units_stand_in_the_order_of_their_names_each_before_those_inside_it() {
        let tree = tree();
        assert_eq!(names(tree.rows()), "baxcz");
        assert_eq!(names(tree.children(None)), "bz");
        assert_eq!(names(tree.children(Some(id(1)))), "ac");
        assert_eq!(names(tree.children(Some(id(7)))), "");
        assert_eq!(names(tree.within(id(1), 1)), "ac");
        assert_eq!(names(tree.within(id(1), 2)), "axc");
        assert_eq!(names(tree.ancestors(id(4))), "ba");
        assert_eq!(tree.path(tree.get(id(4)).unwrap()), ["b", "a", "x"]);
        assert_eq!((tree.level(id(4)), tree.height(id(4)), tree.height(id(1))), (3, 1, 3));
    }

    #[test]
    fn a_changed_unit_takes_those_inside_it_along() {
        let tree = tree().with(unit(2, Some(9), "q"));
        assert_eq!(names(tree.rows()), "bczqx");
        assert_eq!(tree.len(), 5);
    }

    #[test]
    fn what_is_out_of_reach_is_not_in_the_tree() {
        let tree = tree();
        let said = |effect, n| {
            let unit = Resource::new(ResourceKind::UNIT, id(n).uuid());
            let rights: ResourceRights = [(effect, Permission::UNIT_READ, unit)].into_iter().collect();
            let held = effect == Effect::Deny;
            names(tree.seen(rights.reach(&Permission::UNIT_READ, &ResourceKind::UNIT, held)).rows())
        };
        assert_eq!(said(Effect::Deny, 2), "bcxz");
        assert_eq!(said(Effect::Allow, 4), "x");
        assert_eq!(names(tree.seen(Reach::ALL).rows()), "baxcz");
    }
}
