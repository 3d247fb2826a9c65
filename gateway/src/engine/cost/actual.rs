//! An operation's cost by the data that it was answered with.

use super::price::{Place, PricedField, Variant};
use super::{Cost, OperationCost};
use crate::engine::selection::holds;
use crate::value::{Object, Value};

impl OperationCost {
    /// What the operation cost, given what was fetched for it. What is not there costs nothing, but its arguments do.
    pub(in crate::engine) fn actual(&self, variables: &Object, data: &Value) -> Cost {
        let flags = self.whole.flags.iter();
        let flags = flags.map(|name| variables.get(name).and_then(Value::as_bool).unwrap_or_default());
        let counter = Counter { places: &self.whole.places, variables, flags: flags.collect() };
        let Some((root, data)) = self.whole.places.last().zip(data.as_object()) else { return self.base };
        self.base + counter.inside(&root.variants[root.unknown], data)
    }
}

struct Counter<'a> {
    places: &'a [Place],
    variables: &'a Object,
    flags: Vec<bool>,
}

impl Counter<'_> {
    fn inside(&self, variant: &Variant, data: &Object) -> Cost {
        let mut hint = 0;
        let mut sum = Cost::ZERO;
        for field in variant.fields.iter().filter(|field| holds(field.when.as_ref(), &self.flags)) {
            if is_free(field) {
                continue;
            }
            let Some(value) = data.get_from(&field.key, &mut hint) else { continue };
            let arguments: Cost = field.arguments.iter().map(|price| price.cost(self.variables)).sum();
            sum = sum + arguments + self.value(field, value);
        }
        sum
    }

    fn value(&self, field: &PricedField, value: &Value) -> Cost {
        match (value, field.inner) {
            (Value::Null, _) => Cost::ZERO,
            (Value::List(items), _) if field.lists > 0 => {
                items.iter().map(|item| self.value(field, item)).sum()
            }
            (Value::Object(object), Some(inner)) => self.object(field, &self.places[inner], object),
            // A custom scalar may hold anything.
            (_, None) => field.weight.unwrap_or_default(),
            // Something that the schema does not allow is not answered with.
            (_, Some(_)) => Cost::ZERO,
        }
    }

    fn object(&self, field: &PricedField, place: &Place, object: &Object) -> Cost {
        let of_type = || place.of.get(object.get("__typename")?.as_str()?).copied();
        let index = if place.of.is_empty() { place.unknown } else { of_type().unwrap_or(place.unknown) };
        let variant = &place.variants[index];
        field.weight.unwrap_or(variant.weight) + self.inside(variant, object)
    }
}

/// Whether nothing in the data can make the field cost something.
fn is_free(field: &PricedField) -> bool {
    field.inner.is_none() && field.arguments.is_empty() && field.weight.is_none_or(Cost::is_zero)
}
