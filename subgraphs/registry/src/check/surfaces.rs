//! Other faces of the API, which change with the schema: whoever has them says what they are made of.

use std::collections::BTreeSet;
use std::fmt;

use pulse_schema::{ApiSchema, operation_coordinates};

use super::{Surface, SurfaceKind};

/// An operation by which another face of an API answers.
#[derive(Debug, Clone)]
pub struct SurfaceOperation {
    /// Of which face.
    pub kind: SurfaceKind,
    /// What it is called there, such as `GET /users/{id}`.
    pub name: String,
    /// The GraphQL document that it becomes.
    pub document: String,
}

/// The faces that an API has beside GraphQL.
pub trait Surfaces: fmt::Debug + Send + Sync + 'static {
    /// What they are made of for a supergraph. Takes processor time.
    fn operations(&self, supergraph: &str) -> Vec<SurfaceOperation>;
}

/// No other face than GraphQL.
#[derive(Debug, Clone, Copy)]
pub struct GraphqlAlone;

impl Surfaces for GraphqlAlone {
    fn operations(&self, _: &str) -> Vec<SurfaceOperation> {
        Vec::new()
    }
}

/// What each of them uses of the schema.
pub(super) fn used_by(
    surfaces: &dyn Surfaces,
    published: Vec<SurfaceOperation>,
    supergraph: &str,
    schema: &ApiSchema,
) -> Vec<(Surface, BTreeSet<String>)> {
    let used = |one: SurfaceOperation| {
        let coordinates = operation_coordinates(schema, &one.document, None, None).ok()?;
        Some((Surface { kind: one.kind, name: one.name }, coordinates))
    };
    surfaces.operations(supergraph).into_iter().chain(published).filter_map(used).collect()
}
