-- Properties by which entities are found and ordered: one row for each property that has a value, and for each value of a
-- short list. What is stored is entities.entities.properties; these rows follow from it, and are written by the same
-- transactions.
--
-- Conditions on jsonb are not leakproof, so under row-level security they would read the whole tenant. Here each kind of
-- value has a column, and each column a btree index that begins with the type and the name of the property.

CREATE TABLE entities.properties (
    org_id     uuid NOT NULL,
    type       text NOT NULL COLLATE "C",
    name       text NOT NULL COLLATE "C",
    entity_id  uuid NOT NULL,
    place      integer NOT NULL,
    text       text COLLATE "C",
    number     float8,
    time       timestamptz,
    flag       boolean,
    PRIMARY KEY (org_id, type, name, entity_id, place)
);
COMMENT ON TABLE entities.properties IS 'class: tenant. Values of properties, by which entities are found and ordered.';
COMMENT ON COLUMN entities.properties.org_id IS '@pii(class: NONE) The tenant.';
COMMENT ON COLUMN entities.properties.type IS '@pii(class: NONE) The type of the entity.';
COMMENT ON COLUMN entities.properties.name IS '@pii(class: NONE) What the property is called.';
COMMENT ON COLUMN entities.properties.entity_id IS '@pii(class: NONE) Whose property it is.';
COMMENT ON COLUMN entities.properties.place IS '@pii(class: NONE) 0 for the property itself, 1 and up for the values of a list.';
COMMENT ON COLUMN entities.properties.text IS '@pii(class: CONTENT) The text; of a long one its beginning and an ellipsis.';
COMMENT ON COLUMN entities.properties.number IS '@pii(class: CONTENT) The number.';
COMMENT ON COLUMN entities.properties.time IS '@pii(class: CONTENT) The time that the text is, if it is one.';
COMMENT ON COLUMN entities.properties.flag IS '@pii(class: CONTENT) The truth value.';
CREATE INDEX properties_by_text ON entities.properties (org_id, type, name, text, entity_id) WHERE text IS NOT NULL;
CREATE INDEX properties_by_number ON entities.properties (org_id, type, name, number, entity_id) WHERE number IS NOT NULL;
CREATE INDEX properties_by_time ON entities.properties (org_id, type, name, time, entity_id) WHERE time IS NOT NULL;
CREATE INDEX properties_by_flag ON entities.properties (org_id, type, name, flag, entity_id) WHERE flag IS NOT NULL;

-- The rows of one entity's properties. Names of more than 100 characters are left out, and so are the values of lists of more
-- than 32; texts of more than 500 characters are cut. A date is the beginning of that day in UTC. Called once for each
-- entity of a batch, and short enough for PostgreSQL to put it into the statement that calls it.
CREATE FUNCTION entities.property_rows(properties jsonb)
    RETURNS TABLE (name text, place integer, text text, number float8, "time" timestamptz, flag boolean)
    LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT v.name, v.place,
           CASE WHEN v.kind = 'string' THEN CASE WHEN length(v.raw) > 500 THEN left(v.raw, 500) || '…' ELSE v.raw END END,
           CASE WHEN v.kind = 'number' THEN v.raw::float8 END,
           CASE WHEN v.kind = 'string' AND length(v.raw) BETWEEN 10 AND 40 THEN
               CASE WHEN v.raw ~ '^\d{4}-\d\d-\d\d$' AND pg_input_is_valid(v.raw || 'T00:00:00Z', 'timestamptz')
                    THEN (v.raw || 'T00:00:00Z')::timestamptz
                    WHEN v.raw ~ '^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$'
                         AND pg_input_is_valid(v.raw, 'timestamptz')
                    THEN v.raw::timestamptz END END,
           CASE WHEN v.kind = 'boolean' THEN v.raw::boolean END
      FROM (
          SELECT p.key AS name, 0 AS place, jsonb_typeof(p.value) AS kind, p.value #>> '{}' AS raw
            FROM jsonb_each($1) AS p
           WHERE jsonb_typeof(p.value) <> 'null'
           UNION ALL
          SELECT p.key, one.place::integer, jsonb_typeof(one.value), one.value #>> '{}'
            FROM jsonb_each($1) AS p,
                 jsonb_array_elements(
                     CASE jsonb_typeof(p.value) WHEN 'array'
                         THEN CASE WHEN jsonb_array_length(p.value) <= 32 THEN p.value ELSE '[]' END
                         ELSE '[]' END
                 ) WITH ORDINALITY AS one (value, place)
           WHERE jsonb_typeof(one.value) IN ('string', 'number', 'boolean')
      ) AS v
     WHERE length(v.name) <= 100
$$;
REVOKE ALL ON FUNCTION entities.property_rows(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION entities.property_rows(jsonb) TO pulse_app;

-- Of the entities that there are. Their owner is behind the wall too.
ALTER TABLE entities.entities NO FORCE ROW LEVEL SECURITY;
INSERT INTO entities.properties (org_id, type, name, entity_id, place, text, number, time, flag)
SELECT e.org_id, e.type, p.name, e.id, p.place, p.text, p.number, p.time, p.flag
  FROM entities.entities AS e, entities.property_rows(e.properties) AS p;
ALTER TABLE entities.entities FORCE ROW LEVEL SECURITY;

ALTER TABLE entities.properties ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON entities.properties TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
-- A property is seen by who sees its entity.
CREATE POLICY reach ON entities.properties AS RESTRICTIVE FOR SELECT TO pulse_narrowed USING (
    CASE (SELECT current_setting('pulse.entity_reach', true))
        WHEN 'all' THEN true
        WHEN 'but' THEN entity_id NOT IN (SELECT unnest(current_setting('pulse.entity_ids', true)::uuid[]))
        WHEN 'only' THEN entity_id IN (SELECT unnest(current_setting('pulse.entity_ids', true)::uuid[]))
        ELSE false
    END
);
GRANT SELECT, INSERT, DELETE ON entities.properties TO pulse_app;
