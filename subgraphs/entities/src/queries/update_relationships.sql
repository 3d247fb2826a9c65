-- $1 now; $2 actor; $3 ids; $4 the versions that were read; $5 and $6 a column each.
WITH changed AS (
    SELECT *
      FROM unnest($3::uuid[], $4::bigint[], $5::float8[], $6::jsonb[])
           AS changed (id, version, confidence, properties)
), old AS (
    INSERT INTO entities.history (org_id, subject, id, version, value, at, actor)
    SELECT r.org_id, 'entities.relationship', r.id, r.version, to_jsonb(r) - 'org_id', $1, $2
      FROM changed JOIN entities.relationships AS r ON r.id = changed.id AND r.version = changed.version
        ON CONFLICT DO NOTHING
)
UPDATE entities.relationships AS r
   SET confidence = changed.confidence, properties = changed.properties, version = r.version + 1, updated_at = $1
  FROM changed
 WHERE r.id = changed.id AND r.version = changed.version
