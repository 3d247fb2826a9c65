//! Every root field of the API, and what it says to whom.

mod accounts;
mod others;
mod registry;
mod settings;

use crate::row::Row;

/// Every field of `Query` and `Mutation`, in the order in which they are tried. `Data` for an outsider is its own data: no test
/// lets it contain the other's.
pub(crate) fn rows() -> impl Iterator<Item = &'static Row> {
    accounts::ROWS.iter().chain(settings::ROWS).chain(registry::ROWS).chain(others::ROWS)
}
