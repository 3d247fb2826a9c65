-- Records events; of those with a dedupe key and time that are there already, nothing happens. Tells how many were new.
-- $1 tenant, $2 ids, $3 times, $4 names, $5 values, $6 entities, $7 actors, $8 dedupe keys, $9 properties.
WITH inserted AS (
    INSERT INTO analytics.events (org_id, id, at, name, value, entity_id, actor_id, dedupe_key, properties)
    SELECT $1, id, at, name, value, entity_id, actor_id, dedupe_key, properties
      FROM unnest($2::uuid[], $3::timestamptz[], $4::text[], $5::float8[], $6::uuid[], $7::uuid[], $8::text[], $9::jsonb[])
           AS event (id, at, name, value, entity_id, actor_id, dedupe_key, properties)
        ON CONFLICT DO NOTHING
    RETURNING 1
)
SELECT count(*) FROM inserted
