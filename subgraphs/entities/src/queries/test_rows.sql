-- Five tenants with 20,000 entities and 20,000 relationships each; one entity in a thousand is of a rare type, and a
-- fifth of the relationships lead to the first entity.
CREATE FUNCTION pg_temp.id(tenant bigint, number bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS
    $$ SELECT ('01970000' || lpad(to_hex(tenant), 4, '0') || '70008000' || lpad(to_hex(number), 12, '0'))::uuid $$;
CREATE FUNCTION pg_temp.org(tenant bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS
    $$ SELECT ('00000000-0000-7000-8000-' || lpad(tenant::text, 12, '0'))::uuid $$;
SET session_replication_role = replica;

INSERT INTO entities.types (org_id, id, name, schema, version, created_at, updated_at)
SELECT pg_temp.org(tenant), pg_temp.id(tenant, number), name, '{}', 1, now(), now()
  FROM generate_series(1, 5) AS tenant, (VALUES (1, 'common'), (2, 'rare')) AS type (number, name);

INSERT INTO entities.entities
       (org_id, id, key, type, name, description, confidence, properties, version, created_at, updated_at)
SELECT pg_temp.org(tenant), pg_temp.id(tenant, n), 'key ' || lpad(n::text, 6, '0'),
       CASE WHEN n % 1000 = 0 THEN 'rare' ELSE 'common' END,
       'name ' || lpad(((n * 7919) % 20000)::text, 6, '0'), 'text', (n * 7907 % 20000) / 20000.0, '{"a": 1}', 1, now(),
       timestamptz 'epoch' + make_interval(days => (n * 7901 % 20000)::int)
  FROM generate_series(1, 5) AS tenant, generate_series(1, 20000) AS n;

INSERT INTO entities.relationships
       (org_id, id, type, source_id, target_id, confidence, properties, version, created_at, updated_at)
SELECT pg_temp.org(tenant), pg_temp.id(tenant, n), CASE WHEN n % 1000 = 0 THEN 'rare' ELSE 'common' END,
       pg_temp.id(tenant, 1 + n % 5000),
       pg_temp.id(tenant, CASE WHEN n % 5 = 0 THEN 1 ELSE 1 + (n * 7919) % 20000 END),
       1, '{}', 1, now(), now()
  FROM generate_series(1, 5) AS tenant, generate_series(1, 20000) AS n
    ON CONFLICT DO NOTHING;

RESET session_replication_role;
ANALYZE entities.types, entities.entities, entities.relationships;
