//! An operation's cost before it runs: one pass over its prices, the inner ones first.

use super::price::{Place, Priced, PricedField};
use super::sizes::SizedBy;
use super::{Cost, Estimate, OperationCost};
use crate::engine::selection::holds;
use crate::value::{Object, Value};

/// The prices of a selection with the variables of one request.
pub(super) struct Pass<'a> {
    pub(super) priced: &'a Priced,
    pub(super) variables: &'a Object,
    pub(super) flags: Vec<bool>,
    pub(super) sizes: Vec<u64>,
    pub(super) default_list_size: u64,
    pub(super) places: Vec<PlaceCost>,
}

/// What one object of a place costs.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PlaceCost {
    /// With what it costs by itself.
    pub(super) whole: Cost,
    /// What is selected inside alone.
    pub(super) inside: Cost,
}

impl OperationCost {
    /// What the operation costs at most with these variables, which have been coerced.
    pub(in crate::engine) fn estimate(&self, variables: &Object) -> Estimate {
        let pass = Pass::new(&self.whole, variables, self.default_list_size);
        let mut estimate = Estimate { cost: self.base + pass.root().inside, ..Estimate::default() };
        for slice in &self.whole.slices {
            let (_, problem) = slice.length(variables, self.default_list_size);
            if let Some(problem) =
                problem.filter(|problem| !estimate.unsized_lists.iter().any(|known| known == problem))
            {
                estimate.unsized_lists.push(problem.to_owned());
            }
        }
        for fetch in &self.fetches {
            let cost = fetch.cost(&pass, variables);
            match estimate.subgraphs.iter_mut().find(|(name, _)| *name == fetch.subgraph) {
                Some((_, sum)) => *sum = *sum + cost,
                None => estimate.subgraphs.push((fetch.subgraph.clone(), cost)),
            }
        }
        estimate
    }
}

impl<'a> Pass<'a> {
    pub(super) fn new(priced: &'a Priced, variables: &'a Object, default_list_size: u64) -> Self {
        let flag =
            |name: &std::sync::Arc<str>| variables.get(name).and_then(Value::as_bool).unwrap_or_default();
        let mut pass = Self {
            priced,
            variables,
            flags: priced.flags.iter().map(flag).collect(),
            sizes: priced.slices.iter().map(|slice| slice.length(variables, default_list_size).0).collect(),
            default_list_size,
            places: Vec::with_capacity(priced.places.len()),
        };
        for place in &priced.places {
            let cost = pass.place(place);
            pass.places.push(cost);
        }
        pass
    }

    pub(super) fn root(&self) -> PlaceCost {
        self.places.last().copied().unwrap_or_default()
    }

    fn place(&self, place: &Place) -> PlaceCost {
        let mut dearest = PlaceCost::default();
        for variant in &place.variants {
            let inside = variant.fields.iter().map(|field| self.field(field)).sum();
            dearest.inside = dearest.inside.max(inside);
            dearest.whole = dearest.whole.max(variant.weight + inside);
        }
        dearest
    }

    fn field(&self, field: &PricedField) -> Cost {
        if !holds(field.when.as_ref(), &self.flags) {
            return Cost::ZERO;
        }
        let inner = field.inner.map(|inner| self.places[inner]).unwrap_or_default();
        let each = field.weight.map_or(inner.whole, |weight| weight + inner.inside);
        each.times(self.count(field)) + field.arguments.iter().map(|price| price.cost(self.variables)).sum()
    }

    /// How many values the field has.
    pub(super) fn count(&self, field: &PricedField) -> u64 {
        let Some(inner) = field.lists.checked_sub(1) else { return 1 };
        let outer = match field.size {
            SizedBy::Default => self.default_list_size,
            SizedBy::Slice(slice) => self.sizes[slice],
        };
        outer.saturating_mul(self.default_list_size.saturating_pow(inner))
    }
}
