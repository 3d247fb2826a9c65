-- $1 tenant; $2–$8 a column each; $9 now, in whole milliseconds.
INSERT INTO entities.entities
       (org_id, id, key, type, name, description, confidence, properties, version, created_at, updated_at)
SELECT $1, id, key, type, name, description, confidence, properties, 1, $9, $9
  FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::float8[], $8::jsonb[])
       AS new (id, key, type, name, description, confidence, properties)
    ON CONFLICT DO NOTHING
