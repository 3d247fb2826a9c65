//! What operations use of a schema: types, fields, arguments, input fields, enum values, directives.

mod extract;
mod signature;

use std::collections::{BTreeSet, HashMap};

pub use self::{
    extract::{UsageError, document_operations, operation_coordinates, operation_coordinates_of},
    signature::operation_signature,
};

/// Which operation uses which coordinate.
#[derive(Clone, Debug, Default)]
pub struct Usage {
    names: Vec<String>,
    /// Coordinate to the operations that use it, ascending.
    users: HashMap<String, Vec<usize>>,
}

impl Usage {
    /// Adds an operation under a name of the caller's choice.
    pub fn record(&mut self, name: impl Into<String>, coordinates: BTreeSet<String>) {
        let index = self.names.len();
        self.names.push(name.into());
        for coordinate in coordinates {
            self.users.entry(coordinate).or_default().push(index);
        }
    }

    /// How many operations there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is no operation.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The operations that use all of the coordinates; none for no coordinates.
    pub fn operations_with(&self, coordinates: &[String]) -> Vec<String> {
        let mut common: Option<Vec<usize>> = None;
        for coordinate in coordinates {
            let users = self.users.get(coordinate).map(Vec::as_slice).unwrap_or_default();
            common = Some(match common {
                None => users.to_vec(),
                Some(common) => common.into_iter().filter(|user| users.binary_search(user).is_ok()).collect(),
            });
        }
        common.unwrap_or_default().into_iter().map(|index| self.names[index].clone()).collect()
    }
}
