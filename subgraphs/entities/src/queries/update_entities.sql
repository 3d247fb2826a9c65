-- $1 now; $2 actor; $3 ids; $4 the versions that were read; $5–$9 a column each; $10 whether type or properties change.
WITH changed AS (
    SELECT *
      FROM unnest($3::uuid[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::float8[], $9::jsonb[], $10::boolean[])
           AS changed (id, version, type, name, description, confidence, properties, otherwise)
), old AS (
    INSERT INTO entities.history (org_id, subject, id, version, value, at, actor)
    SELECT e.org_id, 'entities.entity', e.id, e.version, to_jsonb(e) - 'org_id', $1, $2
      FROM changed JOIN entities.entities AS e ON e.id = changed.id AND e.version = changed.version
        ON CONFLICT DO NOTHING
), unindexed AS (
    DELETE FROM entities.properties AS p
     USING changed JOIN entities.entities AS e ON e.id = changed.id AND e.version = changed.version
           CROSS JOIN LATERAL jsonb_object_keys(e.properties) AS property (name)
     WHERE changed.otherwise AND p.type = e.type AND p.name = property.name AND p.entity_id = e.id
)
UPDATE entities.entities AS e
   SET type = changed.type, name = changed.name, description = changed.description,
       confidence = changed.confidence, properties = changed.properties,
       version = e.version + 1, updated_at = $1
  FROM changed
 WHERE e.id = changed.id AND e.version = changed.version
