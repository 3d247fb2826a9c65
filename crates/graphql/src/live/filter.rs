//! Lists in filters of subscriptions.

use std::collections::HashSet;
use std::hash::Hash;

use pulse_types::Change;

use super::LiveError;

/// How many values a list may have.
const MOST: usize = 1_000;

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

impl AnyOf<String> {
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
