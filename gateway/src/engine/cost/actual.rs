//! An operation's cost by the data that it was answered with.

use rustc_hash::FxHashMap;

use super::price::{Place, PricedField, Variant};
use super::{Cost, OperationCost};
use crate::engine::execute::graph::{Graph, Item, Node, NodeId};
use crate::engine::selection::holds;
use crate::value::{Object, Value};

impl OperationCost {
    /// What the operation cost, given what was fetched for it. What is not there costs nothing, but its arguments do.
    pub(in crate::engine) fn actual(&self, variables: &Object, data: &Graph) -> Cost {
        let flags = self.whole.flags.iter();
        let flags = flags.map(|name| variables.get(name).and_then(Value::as_bool).unwrap_or_default());
        let mut counter = Counter {
            places: &self.whole.places,
            variables,
            flags: flags.collect(),
            data,
            known: FxHashMap::default(),
        };
        let Some(root) = self.whole.places.last() else { return self.base };
        self.base + counter.inside(&root.variants[root.unknown], data.node(Graph::ROOT))
    }
}

struct Counter<'a> {
    places: &'a [Place],
    variables: &'a Object,
    flags: Vec<bool>,
    data: &'a Graph,
    /// What objects cost that are at several places.
    known: FxHashMap<(NodeId, usize), Cost>,
}

impl<'a> Counter<'a> {
    fn inside(&mut self, variant: &Variant, data: &Node) -> Cost {
        let mut hint = 0;
        let mut sum = Cost::ZERO;
        for field in &variant.fields {
            if is_free(field) || !holds(field.when.as_ref(), &self.flags) {
                continue;
            }
            let Some(item) = data.get_from(&field.key, &mut hint) else { continue };
            let arguments: Cost = field.arguments.iter().map(|price| price.cost(self.variables)).sum();
            sum = sum + arguments + self.item(field, item);
        }
        sum
    }

    fn item(&mut self, field: &PricedField, item: &Item) -> Cost {
        match (item, field.inner) {
            (Item::Leaf(Value::Null), _) => Cost::ZERO,
            (Item::List(items), _) if field.lists > 0 => {
                items.iter().map(|item| self.item(field, item)).sum()
            }
            (Item::Object(id), Some(inner)) => self.object(field, inner, *id),
            // A custom scalar may hold anything.
            (_, None) => field.weight.unwrap_or_default(),
            // Something that the schema does not allow is not answered with.
            (_, Some(_)) => Cost::ZERO,
        }
    }

    fn object(&mut self, field: &PricedField, inner: usize, id: NodeId) -> Cost {
        let id = self.data.resolve(id);
        let object = self.data.node(id);
        let place: &'a Place = &self.places[inner];
        let of_type = || place.of.get(object.type_name()?).copied();
        let index = if place.of.is_empty() { place.unknown } else { of_type().unwrap_or(place.unknown) };
        let variant = &place.variants[index];
        let weight = field.weight.unwrap_or(variant.weight);
        if !object.is_shared {
            return weight + self.inside(variant, object);
        }
        if let Some(known) = self.known.get(&(id, inner)) {
            return weight + *known;
        }
        let inside = self.inside(variant, object);
        self.known.insert((id, inner), inside);
        weight + inside
    }
}

/// Whether nothing in the data can make the field cost something.
fn is_free(field: &PricedField) -> bool {
    field.inner.is_none() && field.arguments.is_empty() && field.weight.is_none_or(Cost::is_zero)
}
