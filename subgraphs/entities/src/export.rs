//! Exporting a graph: all that the caller sees of it at one moment, page by page.
//!
//! One snapshot is read from the beginning to the end, so that no relationship is written whose entities were not. Formats that
//! declare attributes have it read twice.

use std::future::Future;
use std::io;

pub use pulse_graph_formats::Output;
use pulse_graph_formats::{Attributes, Entity, Relationship, WriteError, Writer};
use pulse_store::{Session, StoreError};
use pulse_types::{EntityId, Permission, Refusal, RelationshipId};
use serde_json::{Map, Value};
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use crate::sight;

/// Entities in memory at once. They may be large.
const ENTITIES: i64 = 500;
/// Relationships in memory at once.
const RELATIONSHIPS: i64 = 2_000;
/// What is written is handed over when it has so many bytes.
const BUFFER: usize = 1 << 18;

/// Of what a piece of an export is. Formats but CSV have both in one document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Entities, and what comes before them.
    Entities,
    /// Relationships, and what comes after them.
    Relationships,
}

/// Where an export goes.
pub trait Sink: Send {
    /// Takes the next piece.
    fn write(&mut self, part: Part, bytes: &[u8]) -> impl Future<Output = io::Result<()>> + Send;
}

/// What was exported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Exported {
    /// Entities.
    pub entities: u64,
    /// Relationships.
    pub relationships: u64,
    /// Bytes that were written.
    pub bytes: u64,
}

/// Why an export failed.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The caller may not read the graph.
    #[error("the graph may not be read")]
    Refused(#[from] Refusal),
    /// The database does not give it.
    #[error("the graph cannot be read")]
    Store(#[from] StoreError),
    /// The format cannot have it.
    #[error(transparent)]
    Format(#[from] WriteError),
    /// It cannot be written where it is to go.
    #[error("the export cannot be written")]
    Write(#[from] io::Error),
}

/// Writes all that the session's caller sees. `progress` is told after each page of what is written.
pub async fn export(
    session: &Session,
    output: Output,
    sink: &mut impl Sink,
    mut progress: impl FnMut(Exported) + Send,
) -> Result<Exported, ExportError> {
    sight::may_read(session.caller())?;
    session.caller().require(&Permission::RELATIONSHIP_READ)?;
    let attributes = attributes(session, output).await?;
    let mut writing = Writing { sink, buffer: Vec::new(), exported: Exported::default() };
    let mut writer = Writer::new(output, attributes);
    writer.begin(&mut writing.buffer);
    let mut after = EntityId::from_uuid(Uuid::nil());
    loop {
        let page = entities(session, after).await?;
        let Some(last) = page.last() else { break };
        after = last.id;
        for row in page {
            writer.entity(&mut writing.buffer, &row.entity())?;
            writing.exported.entities += 1;
            writing.flush(Part::Entities, BUFFER).await?;
        }
        progress(writing.exported);
    }
    writing.flush(Part::Entities, 0).await?;
    writer.relationships(&mut writing.buffer);
    let mut after = RelationshipId::from_uuid(Uuid::nil());
    loop {
        let page = relationships(session, after).await?;
        let Some(last) = page.last() else { break };
        after = last.id;
        for row in page {
            writer.relationship(&mut writing.buffer, &row.relationship())?;
            writing.exported.relationships += 1;
            writing.flush(Part::Relationships, BUFFER).await?;
        }
        progress(writing.exported);
    }
    writer.finish(&mut writing.buffer);
    writing.flush(Part::Relationships, 0).await?;
    Ok(writing.exported)
}

struct Writing<'a, S> {
    sink: &'a mut S,
    buffer: Vec<u8>,
    exported: Exported,
}

impl<S: Sink> Writing<'_, S> {
    /// Hands the buffer over when it has at least so many bytes.
    async fn flush(&mut self, part: Part, least: usize) -> io::Result<()> {
        if self.buffer.is_empty() || self.buffer.len() < least {
            return Ok(());
        }
        self.exported.bytes += self.buffer.len() as u64;
        self.sink.write(part, &self.buffer).await?;
        self.buffer.clear();
        Ok(())
    }
}

/// What is to be declared before anything else is written.
async fn attributes(session: &Session, output: Output) -> Result<Attributes, ExportError> {
    let mut attributes = Attributes::default();
    if !output.declares_attributes() {
        return Ok(attributes);
    }
    let mut after = EntityId::from_uuid(Uuid::nil());
    loop {
        let page = entities(session, after).await?;
        let Some(last) = page.last() else { break };
        after = last.id;
        for row in page {
            attributes.note_entity(&row.entity())?;
        }
    }
    let mut after = RelationshipId::from_uuid(Uuid::nil());
    loop {
        let page = relationships(session, after).await?;
        let Some(last) = page.last() else { break };
        after = last.id;
        for row in page {
            attributes.note_relationship(&row.relationship())?;
        }
    }
    Ok(attributes)
}

#[derive(FromRow)]
struct EntityPageRow {
    id: EntityId,
    key: String,
    r#type: String,
    name: String,
    description: Option<String>,
    confidence: f64,
    properties: Json<Map<String, Value>>,
}

impl EntityPageRow {
    fn entity(self) -> Entity {
        let Self { id: _, key, r#type, name, description, confidence, properties: Json(properties) } = self;
        Entity { key, r#type, name, description, confidence: Some(confidence), properties }
    }
}

#[derive(FromRow)]
struct RelationshipPageRow {
    id: RelationshipId,
    r#type: String,
    source: String,
    target: String,
    confidence: f64,
    properties: Json<Map<String, Value>>,
}

impl RelationshipPageRow {
    fn relationship(self) -> Relationship {
        let Self { id: _, r#type, source, target, confidence, properties: Json(properties) } = self;
        Relationship { r#type, source, target, confidence: Some(confidence), properties }
    }
}

pub(crate) const ENTITY_PAGE: &str = include_str!("queries/export_entities.sql");
pub(crate) const RELATIONSHIP_PAGE: &str = include_str!("queries/export_relationships.sql");

async fn entities(session: &Session, after: EntityId) -> Result<Vec<EntityPageRow>, StoreError> {
    session.fetch_all("entities.export", sqlx::query_as(ENTITY_PAGE).bind(after).bind(ENTITIES)).await
}

async fn relationships(
    session: &Session,
    after: RelationshipId,
) -> Result<Vec<RelationshipPageRow>, StoreError> {
    let page = sqlx::query_as(RELATIONSHIP_PAGE).bind(after).bind(RELATIONSHIPS);
    session.fetch_all("relationships.export", page).await
}
