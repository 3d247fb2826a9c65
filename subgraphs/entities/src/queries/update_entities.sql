-- $1 now; $2 actor; $3 ids; $4 the versions that were read; $5–$9 a column each.
WITH changed AS (
    SELECT *
      FROM unnest($3::uuid[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::float8[], $9::jsonb[])
           AS changed (id, version, type, name, description, confidence, properties)
), old AS (
    INSERT INTO entities.history (org_id, subject, id, version, value, at, actor)
    SELECT e.org_id, 'entities.entity', e.id, e.version, to_jsonb(e) - 'org_id', $1, $2
      FROM changed JOIN entities.entities AS e ON e.id = changed.id AND e.version = changed.version
        ON CONFLICT DO NOTHING
)
UPDATE entities.entities AS e
   SET type = changed.type, name = changed.name, description = changed.description,
       confidence = changed.confidence, properties = changed.properties,
       version = e.version + 1, updated_at = $1
  FROM changed
 WHERE e.id = changed.id AND e.version = changed.version
