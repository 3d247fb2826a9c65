//! Names of operations as labels of metrics: clients choose them, so that their number must be bounded.

use std::sync::{Arc, PoisonError, RwLock};

use rustc_hash::FxHashSet;

/// The names that are told apart: the first ones that came.
#[derive(Debug, Default)]
pub(crate) struct OperationNames {
    known: RwLock<FxHashSet<Arc<str>>>,
}

/// How long a name may be to be told apart.
const LONGEST: usize = 100;

impl OperationNames {
    /// The label for operations of this name, where at most `limit` are told apart. `None` when none are.
    pub(crate) fn label(&self, name: Option<&str>, limit: usize) -> Option<Arc<str>> {
        let name = match name {
            _ if limit == 0 => return None,
            None => return Some("anonymous".into()),
            Some(name) if name.len() > LONGEST => return Some("other".into()),
            Some(name) => name,
        };
        let found = self.known.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        if found.is_some() {
            return found;
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(name) {
            return Some(Arc::clone(found));
        }
        if known.len() >= limit {
            return Some("other".into());
        }
        let label: Arc<str> = name.into();
        known.insert(Arc::clone(&label));
        Some(label)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_names_are_told_apart_and_further_ones_are_other() {
        let names = OperationNames::default();
        let label = |name: &str| names.label(Some(name), 2).unwrap().to_string();
        assert_eq!(label("A"), "A");
        assert_eq!(label("B"), "B");
        assert_eq!(label("C"), "other");
        assert_eq!(label("A"), "A");
        assert_eq!(label(&"X".repeat(200)), "other");
        assert_eq!(names.label(None, 2).as_deref(), Some("anonymous"));
        assert_eq!(names.label(Some("A"), 0), None);
    }
}
