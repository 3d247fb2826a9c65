//! An operation's selections with their prices: everything about its cost that does not depend on variables.

use std::sync::Arc;

use graphql_tools::static_graphql::query;
use rustc_hash::FxHashMap;

use super::arguments::{ArgumentPrice, argument_price};
use super::fetches::fetch_prices;
use super::sizes::{SizedBy, Slice, slice};
use super::weights::FieldWeights;
use super::{Cost, CostRules, OperationCost, Weights};
use crate::engine::OperationKind;
use crate::engine::plan::Node;
use crate::engine::schema::{Kind, Schema};
use crate::engine::selection::{CompiledSelection, Content, Field, Selection, Shape, When};

/// What pricing needs of a supergraph.
pub(in crate::engine) struct Pricing {
    pub(in crate::engine) rules: CostRules,
    pub(in crate::engine) weights: Weights,
    /// All types, those that clients do not see too, as subgraphs are asked for those as well. `None` where costs are not
    /// counted by subgraph.
    pub(in crate::engine) supergraph: Option<Schema>,
}

/// A selection and all inside it. What is inside comes before what is around it.
#[derive(Debug)]
pub(super) struct Priced {
    pub(super) places: Vec<Place>,
    pub(super) slices: Vec<Slice>,
    /// The variables that the fields' conditions read.
    pub(super) flags: Vec<Arc<str>>,
}

/// A selection at one or several places of the operation.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) variants: Vec<Variant>,
    /// Which variant is for which type; empty where there is one for all.
    pub(super) of: FxHashMap<Arc<str>, usize>,
    /// Which one is for an object whose type is not known.
    pub(super) unknown: usize,
}

/// A selection on some types.
#[derive(Debug)]
pub(super) struct Variant {
    /// What an object of these types costs by itself.
    pub(super) weight: Cost,
    pub(super) fields: Vec<PricedField>,
}

/// A field and its price.
#[derive(Debug)]
pub(super) struct PricedField {
    pub(super) key: Arc<str>,
    pub(super) when: Option<When>,
    /// What each value costs by itself; `None` where its type says that.
    pub(super) weight: Option<Cost>,
    pub(super) arguments: Vec<ArgumentPrice>,
    /// How many lists are in each other, and what tells the outermost one's length.
    pub(super) lists: u32,
    pub(super) size: SizedBy,
    /// Where what is selected inside is.
    pub(super) inner: Option<usize>,
}

/// Compiles prices.
pub(in crate::engine) struct Pricer<'a> {
    pub(in crate::engine) pricing: &'a Pricing,
    pub(in crate::engine) schema: &'a Schema,
}

/// The lists below a field whose length that field's arguments tell: the path that is left to go, and the slice.
pub(super) type Sized = Vec<(Vec<String>, usize)>;

impl Pricer<'_> {
    /// Prices an operation and the fetches of its plan.
    pub(in crate::engine) fn operation(
        &self,
        kind: OperationKind,
        selection: &CompiledSelection,
        plan: Option<&Node>,
    ) -> OperationCost {
        let rules = &self.pricing.rules;
        let base = if kind == OperationKind::Mutation { rules.mutation_weight } else { Cost::ZERO };
        let fetches = match (plan, &self.pricing.supergraph) {
            (Some(plan), Some(schema)) => fetch_prices(&Pricer { pricing: self.pricing, schema }, plan),
            _ => Vec::new(),
        };
        let whole = self.selection(selection);
        OperationCost { base, whole, fetches, default_list_size: rules.default_list_size }
    }

    pub(super) fn selection(&self, selection: &CompiledSelection) -> Priced {
        let mut build =
            Build { pricer: self, places: Vec::new(), slices: Vec::new(), known: FxHashMap::default() };
        build.place(&selection.root, &Sized::new());
        Priced { places: build.places, slices: build.slices, flags: selection.flags.clone() }
    }

    fn field_weights(&self, parent: &str, field: &str) -> Option<&FieldWeights> {
        self.pricing.weights.of_field(parent, field)
    }

    fn object_weight(&self, name: &str) -> Cost {
        self.pricing.weights.of_type(name).unwrap_or(self.pricing.rules.object_weight)
    }
}

struct Build<'p, 'a> {
    pricer: &'p Pricer<'a>,
    places: Vec<Place>,
    slices: Vec<Slice>,
    /// Selections that are used in several places are priced once, unless the place tells sizes of their lists.
    known: FxHashMap<(usize, Sized), usize>,
}

impl Build<'_, '_> {
    fn place(&mut self, selection: &Arc<Selection>, sized: &Sized) -> usize {
        let key = (Arc::as_ptr(selection).addr(), sized.clone());
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        let place = match &**selection {
            Selection::One(name, fields) => Place {
                variants: vec![self.variant(name, fields, sized)],
                of: FxHashMap::default(),
                unknown: 0,
            },
            Selection::ByType { variants, of, declared } => {
                let mut types: Vec<_> = of.iter().map(|(name, index)| (name, &*variants[*index])).collect();
                types.sort_unstable_by_key(|(name, _)| *name);
                self.by_type(&types, declared, sized)
            }
        };
        self.places.push(place);
        let index = self.places.len() - 1;
        self.known.insert(key, index);
        index
    }

    /// Types that the supergraph says nothing of share a variant where they share the fields.
    fn by_type(&mut self, types: &[(&Arc<str>, &[Field])], declared: &Arc<str>, sized: &Sized) -> Place {
        let mut place = Place { variants: Vec::new(), of: FxHashMap::default(), unknown: 0 };
        let mut plain: FxHashMap<usize, usize> = FxHashMap::default();
        for (name, fields) in types.iter().copied() {
            let list = fields.as_ptr().addr();
            let shares = !self.pricer.pricing.weights.mentions(name) && name != declared;
            let known = plain.get(&list).copied().filter(|_| shares);
            let variant = known.unwrap_or_else(|| {
                let mut variant = self.variant(name, fields, sized);
                if name == declared {
                    // An object whose type is not known is one of those that are.
                    variant.weight = Cost::ZERO;
                }
                place.variants.push(variant);
                place.variants.len() - 1
            });
            if shares {
                plain.insert(list, variant);
            }
            if name == declared {
                place.unknown = variant;
            }
            place.of.insert(Arc::clone(name), variant);
        }
        let dearest = place.variants.iter().map(|variant| variant.weight).max().unwrap_or_default();
        if let Some(unknown) = place.variants.get_mut(place.unknown) {
            unknown.weight = dearest;
        }
        place
    }

    fn variant(&mut self, name: &str, fields: &[Field], sized: &Sized) -> Variant {
        let weight = self.pricer.object_weight(name);
        Variant { weight, fields: fields.iter().map(|field| self.field(name, field, sized)).collect() }
    }

    fn field(&mut self, parent: &str, field: &Field, sized: &Sized) -> PricedField {
        let (pricer, name) = (self.pricer, &*field.name);
        let weights = pricer.field_weights(parent, name);
        let definition = pricer.schema.get(parent).and_then(|ty| ty.fields.get(name));
        let own_size = weights.and_then(|weights| weights.size.as_ref());
        let own_slice = own_size.zip(definition).map(|(size, definition)| {
            self.slices.push(slice(pricer.schema, size, (parent, definition), &field.arguments));
            self.slices.len() - 1
        });
        let here = |(path, _): &&(Vec<String>, usize)| matches!(path.as_slice(), [last] if last == name);
        let told = sized.iter().find(here).map(|(_, slice)| *slice);
        let size = told.or(own_slice).map_or(SizedBy::Default, SizedBy::Slice);
        let inner = match &field.content {
            Content::Composite(selection) if !is_introspection(parent, name) => {
                let mut below: Sized = own_size
                    .zip(own_slice)
                    .into_iter()
                    .flat_map(|(size, slice)| size.sized.iter().map(move |path| (path.clone(), slice)))
                    .collect();
                below.extend(sized.iter().filter_map(|(path, slice)| match path.as_slice() {
                    [first, rest @ ..] if first == name && !rest.is_empty() => Some((rest.to_vec(), *slice)),
                    _ => None,
                }));
                Some(self.place(selection, &below))
            }
            _ => None,
        };
        PricedField {
            key: Arc::clone(&field.key),
            when: field.when.clone(),
            weight: self.weight(field, (parent, weights), inner),
            arguments: self.arguments(field, weights, definition),
            lists: depth(&field.shape),
            size,
            inner,
        }
    }

    fn weight(
        &self,
        field: &Field,
        (parent, weights): (&str, Option<&FieldWeights>),
        inner: Option<usize>,
    ) -> Option<Cost> {
        let Pricing { rules, weights: all, .. } = self.pricer.pricing;
        if is_introspection(parent, &field.name) || is_denied(field) {
            return Some(Cost::ZERO);
        }
        let own = weights.and_then(|weights| weights.weight);
        if own.is_some() || inner.is_some() {
            return own;
        }
        let ty = self.pricer.schema.get(parent).and_then(|ty| ty.fields.get(&*field.name));
        let leaf = ty.and_then(|field| all.of_type(field.ty.name()));
        Some(leaf.unwrap_or(rules.scalar_weight))
    }

    fn arguments(
        &self,
        field: &Field,
        weights: Option<&FieldWeights>,
        definition: Option<&crate::engine::schema::Field>,
    ) -> Vec<ArgumentPrice> {
        if is_denied(field) {
            return Vec::new();
        }
        let price = |(name, value): &(String, query::Value)| {
            let own = weights.and_then(|weights| weights.arguments.get(name)).copied();
            let declared = definition?.arguments.iter().find(|argument| *argument.name == **name)?;
            argument_price((self.pricer.schema, &self.pricer.pricing.weights), &declared.ty, own, value)
        };
        field.arguments.iter().filter_map(price).collect()
    }
}

/// What the caller may not have is not fetched.
const fn is_denied(field: &Field) -> bool {
    matches!(field.content, Content::Denied(_))
}

fn is_introspection(parent: &str, field: &str) -> bool {
    parent.starts_with("__") || field.starts_with("__")
}

fn depth(shape: &Shape) -> u32 {
    shape.item.as_ref().map_or(0, |item| 1 + depth(item))
}

/// Whether a type takes values of several fields.
pub(super) fn is_input_object(schema: &Schema, name: &str) -> bool {
    schema.get(name).is_some_and(|ty| ty.kind == Kind::InputObject)
}
