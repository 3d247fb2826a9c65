//! Lists in filters of subscriptions.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::Arc;

use pulse_events::{Route, Wanted};
use pulse_types::Change;
use uuid::Uuid;

use super::LiveError;

/// How many values a list may have.
const MOST: usize = 1_000;

/// With so many values at most a list is a way to changes.
const ROUTED: usize = 16;

/// Values of which a change must have one. A list that was not given lets everything through.
#[derive(Debug, Clone)]
pub struct AnyOf<T>(Option<HashSet<T>>);

impl<T: Eq + Hash> AnyOf<T> {
    /// The list that stands in a filter's `field`.
    pub fn try_new(field: &'static str, values: Option<Vec<T>>) -> Result<Self, LiveError> {
        match values {
            Some(values) if values.len() > MOST => {
                Err(LiveError::TooMany { field, given: values.len(), allowed: MOST })
            }
            values => Ok(Self(values.map(|values| values.into_iter().collect()))),
        }
    }

    /// Whether `value` is one of them.
    pub fn has(&self, value: &T) -> bool {
        self.0.as_ref().is_none_or(|values| values.contains(value))
    }
}

/// Of which changes a field tells. A closure is one; with a [`Route`] those are found whose subscribers are many.
pub struct Wanting {
    pub(super) wanted: Wanted,
    pub(super) route: Route,
}

impl Wanting {
    /// Changes for which `wanted` is true, all of which `route` leads to.
    pub fn by(route: Route, wanted: impl Fn(&Change) -> bool + Send + Sync + 'static) -> Self {
        Self { wanted: Arc::new(wanted), route }
    }
}

impl<W: Fn(&Change) -> bool + Send + Sync + 'static> From<W> for Wanting {
    fn from(wanted: W) -> Self {
        Self::by(Route::All, wanted)
    }
}

impl<T> AnyOf<T> {
    /// The way to changes of these things, by their ids; none for a list that was not given, or is long.
    pub fn route_to(&self, id: impl Fn(&T) -> Uuid) -> Option<Route> {
        self.few().map(|few| Route::Keys(few.iter().map(id).collect()))
    }

    fn few(&self) -> Option<&HashSet<T>> {
        self.0.as_ref().filter(|values| (1..=ROUTED).contains(&values.len()))
    }
}

impl AnyOf<String> {
    /// The way to changes that [`AnyOf::has_attribute`]; none for a list that was not given, or is long.
    pub fn route_by(&self, name: &'static str) -> Option<Route> {
        self.few().map(|few| Route::Attribute(name, few.iter().map(|value| value.as_str().into()).collect()))
    }

    /// Whether the change's attribute of this name is or was one of them: what moves out is heard of as well as what moves
    /// in. One of which the change says nothing may have any value.
    pub fn has_attribute(&self, change: &Change, name: &str) -> bool {
        self.0
            .as_ref()
            .is_none_or(|values| values.iter().any(|value| change.has(name, value).unwrap_or(true)))
    }

    /// Whether one of them is among `names`.
    pub fn has_any(&self, names: &[String]) -> bool {
        self.0.as_ref().is_none_or(|values| names.iter().any(|name| values.contains(name)))
    }
}
