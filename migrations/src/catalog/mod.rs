//! Whether the live database keeps the conventions that tenancy rests on.

use std::fmt;

use sqlx::{FromRow, PgConnection};

const VIOLATIONS: &str = include_str!("violations.sql");
const DEFINER_FUNCTIONS: &str = include_str!("../../definer-functions.txt");

/// A table, column, view, function or role that breaks a convention.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Violation {
    /// The convention, as a stable name: `table_class`, `policy_missing`, `partition_grant` …
    pub rule: String,
    /// What breaks it: `schema.table`, `schema.table.column`, a function's signature, a role.
    pub object: String,
    /// What is wrong and what to do.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]: {}", self.object, self.rule, self.message)
    }
}

/// Everything in the connected database that breaks a convention, in a stable order. Needs no rights beyond
/// reading the catalog.
pub async fn violations(conn: &mut PgConnection) -> Result<Vec<Violation>, sqlx::Error> {
    sqlx::query_as(VIOLATIONS).bind(definer_functions()).fetch_all(conn).await
}

/// The functions that may see past row-level security, as `definer-functions.txt` lists them.
pub fn definer_functions() -> Vec<String> {
    DEFINER_FUNCTIONS
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(ToOwned::to_owned)
        .collect()
}
