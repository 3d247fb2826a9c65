//! `Entity`, which another subgraph owns.

use async_graphql::SimpleObject;
use pulse_types::EntityId;

/// An entity of the knowledge graph.
#[derive(SimpleObject)]
#[graphql(unresolvable)]
pub(crate) struct Entity {
    /// Its id.
    pub(crate) id: EntityId,
}
