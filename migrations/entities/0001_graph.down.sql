DROP TABLE entities.history, entities.relationships, entities.entities, entities.types;
