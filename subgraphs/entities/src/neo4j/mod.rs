//! The second engine of the graph: a copy of it in Neo4j, which walks may go through.
//!
//! PostgreSQL holds what is true. Neo4j holds the ids, types, versions and confidences that a walk looks at, made of the event log,
//! and says up to where (ADR 45). Community has one database, so each tenant has a label of its own; labels are made of ids
//! alone, and everything else that comes from outside is a parameter.

mod apply;
mod claim;
mod client;
mod copy;
mod edges;
mod load;
mod projector;
mod service;
#[cfg(test)]
mod tests;
mod verify;

use pulse_types::OrgId;

pub use client::{Neo4j, Neo4jError, Neo4jOptions};
pub(crate) use edges::Projected;
pub use projector::{ProjectionError, Projector, Step};
pub(crate) use verify::IS_TOLD;
pub use verify::{Difference, Progress, Verified};

use crate::{entity, relationship};

/// What the copy is made of.
pub(crate) const SUBJECTS: [&str; 2] = [entity::SUBJECT, relationship::SUBJECT];

/// The name of the place of a tenant in a query.
const PLACE: &str = "TENANT";

/// A query about one tenant: its label is made of the tenant's id, which consists of hexadecimal digits.
fn of_tenant(query: &str, tenant: OrgId) -> String {
    query.replace(PLACE, &format!("T_{}", tenant.uuid().simple()))
}

/// What a tenant's place in the copy is found by: the log that it was made of, and the tenant.
fn key_of(log: &str, tenant: OrgId) -> String {
    format!("{log}:{tenant}")
}
