//! The knowledge graph: entity types, entities and relationships.
