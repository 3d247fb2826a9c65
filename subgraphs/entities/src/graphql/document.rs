//! What a walk has reached, as a document for other programs.

use std::collections::HashMap;

use async_graphql::{Context, Enum};
use pulse_graph_formats::{Entity, Item, Output, Relationship, Writer};
use pulse_graphql::{ContextExt, Error};
use pulse_types::EntityId;

use super::loaders::Loaders;
use crate::check::Problem;
use crate::entity::EntityDraft;
use crate::error::GraphError;
use crate::traversal::{Edge, Stored};

/// How many relationships a document has at most.
const MAX_RELATIONSHIPS: usize = 20_000;
/// The largest document, in bytes.
const MAX_BYTES: usize = 8 << 20;

/// How a graph is written for other programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "GraphDocumentFormat")]
pub(crate) enum DocumentFormat {
    /// An object of JSON a line, as imports read it.
    JsonLines,
    /// GraphML 1.0, which imports read too.
    #[graphql(name = "GRAPHML")]
    GraphMl,
    /// GEXF 1.3.
    Gexf,
    /// JSON-LD 1.1.
    JsonLd,
}

impl From<DocumentFormat> for Output {
    fn from(format: DocumentFormat) -> Self {
        match format {
            DocumentFormat::JsonLines => Self::JsonLines,
            DocumentFormat::GraphMl => Self::GraphMl,
            DocumentFormat::Gexf => Self::Gexf,
            DocumentFormat::JsonLd => Self::JsonLd,
        }
    }
}

/// The document of these entities and relationships, as far as whoever asks sees them. Two statements more than the walk.
pub(super) async fn document(
    ctx: &Context<'_>,
    (nodes, edges): (impl Iterator<Item = EntityId>, &[Edge]),
    format: DocumentFormat,
) -> Result<String, Error<GraphError>> {
    if edges.len() > MAX_RELATIONSHIPS {
        let text = format!("{} relationships were reached, a document has {MAX_RELATIONSHIPS}", edges.len());
        return Err(refused(&format!("{text} at most")).into());
    }
    let loaders = ctx.part::<Loaders>();
    let rows = futures::future::try_join_all(nodes.map(|id| loaders.entity(id)));
    let rows = rows.await.map_err(super::entity::never)?;
    let keys: HashMap<EntityId, String> =
        rows.iter().flatten().map(|row| (row.id, row.key.clone())).collect();
    let mut items: Vec<Item> =
        rows.into_iter().flatten().map(|row| Item::Entity(entity(EntityDraft::of((*row).clone())))).collect();
    let known = Stored::of(ctx.session()).identify(edges).await?;
    let rows = futures::future::try_join_all(known.iter().map(|ends| loaders.relationship(ends.id)));
    for row in rows.await.map_err(super::entity::never)?.into_iter().flatten() {
        if let (Some(source), Some(target)) = (keys.get(&row.source_id), keys.get(&row.target_id)) {
            items.push(Item::Relationship(Relationship {
                r#type: row.type_name.clone(),
                source: source.clone(),
                target: target.clone(),
                confidence: Some(row.confidence),
                properties: row.properties.clone().unwrap_or_default(),
            }));
        }
    }
    let bytes = Writer::document(format.into(), &items).map_err(|error| argument(error.to_string()))?;
    if bytes.len() > MAX_BYTES {
        let text = format!("the document has {} bytes, allowed are {MAX_BYTES}", bytes.len());
        return Err(refused(&text).into());
    }
    String::from_utf8(bytes).map_err(Error::internal)
}

fn entity(draft: EntityDraft) -> Entity {
    let EntityDraft { key, type_name: r#type, name, description, confidence, properties } = draft;
    Entity { key, r#type, name, description, confidence: Some(confidence), properties }
}

fn refused(text: &str) -> GraphError {
    argument(format!("{text}: narrow what is reached by `filter`, `depth` or `limit`"))
}

fn argument(text: String) -> GraphError {
    GraphError::Argument(Problem::new("format", text))
}
