-- The knowledge graph: types, entities, relationships, and the old values of all three.
--
-- Every list is one btree range scan that begins with org_id. Under row-level security an index serves only
-- comparisons that are leakproof: those of text, uuid, timestamptz and float8 are, those of numeric are not.
-- created_at has whole milliseconds, the precision of a UUIDv7, so that the order of ids is that of creation.

-- ── types ───────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE entities.types (
    org_id       uuid NOT NULL,
    id           uuid NOT NULL,
    name         text NOT NULL COLLATE "C",
    description  text,
    schema       jsonb NOT NULL,
    version      bigint NOT NULL,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    CONSTRAINT types_name UNIQUE (org_id, name)
);
COMMENT ON TABLE entities.types IS 'class: tenant. Types of entities, each with the JSON Schema of their properties.';
COMMENT ON COLUMN entities.types.org_id IS '@pii(class: NONE) The tenant.';
COMMENT ON COLUMN entities.types.id IS '@pii(class: NONE) UUIDv7.';
COMMENT ON COLUMN entities.types.name IS '@pii(class: NONE) The key by which entities refer to it; never changes.';
COMMENT ON COLUMN entities.types.description IS '@pii(class: CONTENT) What entities of this type are.';
COMMENT ON COLUMN entities.types.schema IS '@pii(class: NONE) JSON Schema 2020-12 of the properties; {} allows any.';
COMMENT ON COLUMN entities.types.version IS '@pii(class: NONE) 1, and one more with each change.';
COMMENT ON COLUMN entities.types.created_at IS '@pii(class: NONE) When it was created.';
COMMENT ON COLUMN entities.types.updated_at IS '@pii(class: NONE) When it was last changed.';

-- ── entities ────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE entities.entities (
    org_id       uuid NOT NULL,
    id           uuid NOT NULL,
    key          text NOT NULL COLLATE "C",
    type         text NOT NULL COLLATE "C",
    name         text NOT NULL COLLATE "C",
    description  text,
    confidence   float8 NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    properties   jsonb NOT NULL CHECK (jsonb_typeof(properties) = 'object'),
    version      bigint NOT NULL,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    CONSTRAINT entities_key UNIQUE (org_id, key),
    CONSTRAINT entities_type FOREIGN KEY (org_id, type) REFERENCES entities.types (org_id, name)
);
COMMENT ON TABLE entities.entities IS 'class: tenant. The things that the knowledge graph is about.';
COMMENT ON COLUMN entities.entities.org_id IS '@pii(class: NONE) The tenant.';
COMMENT ON COLUMN entities.entities.id IS '@pii(class: NONE) UUIDv7 of created_at.';
COMMENT ON COLUMN entities.entities.key IS '@pii(class: CONTENT) What the tenant calls it; unique, never changes.';
COMMENT ON COLUMN entities.entities.type IS '@pii(class: NONE) The name of its type.';
COMMENT ON COLUMN entities.entities.name IS '@pii(class: CONTENT) What people call it.';
COMMENT ON COLUMN entities.entities.description IS '@pii(class: CONTENT) What it is.';
COMMENT ON COLUMN entities.entities.confidence IS '@pii(class: NONE) How sure it is that this is so, 0 to 1.';
COMMENT ON COLUMN entities.entities.properties IS '@pii(class: CONTENT) What its type''s schema describes.';
COMMENT ON COLUMN entities.entities.version IS '@pii(class: NONE) 1, and one more with each change.';
COMMENT ON COLUMN entities.entities.created_at IS '@pii(class: NONE) When it was created, in whole milliseconds.';
COMMENT ON COLUMN entities.entities.updated_at IS '@pii(class: NONE) When it was last changed.';
-- One index for each order, in the tenant and in a type; the order of creation is that of the primary key.
CREATE INDEX entities_of_type ON entities.entities (org_id, type, id);
CREATE INDEX entities_of_type_by_key ON entities.entities (org_id, type, key);
CREATE INDEX entities_by_name ON entities.entities (org_id, name, id);
CREATE INDEX entities_of_type_by_name ON entities.entities (org_id, type, name, id);
CREATE INDEX entities_by_update ON entities.entities (org_id, updated_at, id);
CREATE INDEX entities_of_type_by_update ON entities.entities (org_id, type, updated_at, id);
CREATE INDEX entities_by_confidence ON entities.entities (org_id, confidence, id);
CREATE INDEX entities_of_type_by_confidence ON entities.entities (org_id, type, confidence, id);

-- ── relationships ───────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE entities.relationships (
    org_id      uuid NOT NULL,
    id          uuid NOT NULL,
    type        text NOT NULL COLLATE "C",
    source_id   uuid NOT NULL,
    target_id   uuid NOT NULL,
    confidence  float8 NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    properties  jsonb NOT NULL CHECK (jsonb_typeof(properties) = 'object'),
    version     bigint NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    -- Also the order in which an entity's outgoing relationships are read.
    CONSTRAINT relationships_identity UNIQUE (org_id, source_id, type, target_id),
    CONSTRAINT relationships_source FOREIGN KEY (org_id, source_id) REFERENCES entities.entities (org_id, id),
    CONSTRAINT relationships_target FOREIGN KEY (org_id, target_id) REFERENCES entities.entities (org_id, id)
);
COMMENT ON TABLE entities.relationships IS 'class: tenant. What connects two entities: at most one of a type from one to the other.';
COMMENT ON COLUMN entities.relationships.org_id IS '@pii(class: NONE) The tenant.';
COMMENT ON COLUMN entities.relationships.id IS '@pii(class: NONE) UUIDv7 of created_at.';
COMMENT ON COLUMN entities.relationships.type IS '@pii(class: NONE) What kind of connection it is.';
COMMENT ON COLUMN entities.relationships.source_id IS '@pii(class: NONE) The entity that it goes out from.';
COMMENT ON COLUMN entities.relationships.target_id IS '@pii(class: NONE) The entity that it comes in to.';
COMMENT ON COLUMN entities.relationships.confidence IS '@pii(class: NONE) How sure it is that this is so, 0 to 1.';
COMMENT ON COLUMN entities.relationships.properties IS '@pii(class: CONTENT) What else is known about it.';
COMMENT ON COLUMN entities.relationships.version IS '@pii(class: NONE) 1, and one more with each change.';
COMMENT ON COLUMN entities.relationships.created_at IS '@pii(class: NONE) When it was created, in whole milliseconds.';
COMMENT ON COLUMN entities.relationships.updated_at IS '@pii(class: NONE) When it was last changed.';
CREATE INDEX relationships_incoming ON entities.relationships (org_id, target_id, type, source_id);
-- Another name of the same collation keeps this index to the list of a type: while there are no statistics, it would look
-- as good as the unique index for finding one relationship, and be a scan of its whole type.
CREATE INDEX relationships_of_type ON entities.relationships (org_id, type COLLATE "POSIX", id);

-- ── history ─────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE entities.history (
    org_id   uuid NOT NULL,
    subject  text NOT NULL COLLATE "C",
    id       uuid NOT NULL,
    version  bigint NOT NULL,
    value    jsonb NOT NULL,
    at       timestamptz NOT NULL,
    actor    uuid,
    PRIMARY KEY (org_id, subject, id, version)
);
COMMENT ON TABLE entities.history IS 'class: tenant. What a row was before it was changed or deleted; the row itself is the newest version.';
COMMENT ON COLUMN entities.history.org_id IS '@pii(class: NONE) The tenant.';
COMMENT ON COLUMN entities.history.subject IS '@pii(class: NONE) Of what, as subgraph.type.';
COMMENT ON COLUMN entities.history.id IS '@pii(class: NONE) Of which one.';
COMMENT ON COLUMN entities.history.version IS '@pii(class: NONE) Which version of it.';
COMMENT ON COLUMN entities.history.value IS '@pii(class: CONTENT) The row as it was.';
COMMENT ON COLUMN entities.history.at IS '@pii(class: NONE) When it was replaced.';
COMMENT ON COLUMN entities.history.actor IS '@pii(class: SUBJECT) The person who replaced it; null for Pulse itself.';

-- ── walls ───────────────────────────────────────────────────────────────────────────────────────────────────────
ALTER TABLE entities.types ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE entities.entities ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE entities.relationships ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE entities.history ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON entities.types TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
CREATE POLICY tenant ON entities.entities TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
CREATE POLICY tenant ON entities.relationships TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
CREATE POLICY tenant ON entities.history TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON entities.types, entities.entities, entities.relationships TO pulse_app;
GRANT SELECT, INSERT ON entities.history TO pulse_app;
