-- What every write appends beside its rows: events, audit facts and jobs, in one statement.
-- $1 tenant, $2 actor, $3 now, $4 request; events $5–$11; audit facts $12–$17; jobs $18–$24; $25 address.
-- A job of a tenant is told of, as every change of it is; who may read it back is a tenant alone, hence two inserts.
-- The first event of a write carries its audit facts to the log; one that tells of nothing has an event for them, which those
-- who follow audit facts hear of where it is a tenant's.
WITH wanted AS (
    SELECT id, kind, payload, priority, max_attempts, $3 + make_interval(secs => delay) AS run_at, delay <= 0 AS ready, unique_key
      FROM unnest($18::uuid[], $19::text[], $20::jsonb[], $21::smallint[], $22::int[], $23::float8[], $24::text[])
           AS job (id, kind, payload, priority, max_attempts, delay, unique_key)
), tenants_jobs AS (
    INSERT INTO platform.jobs (id, tenant, kind, payload, priority, max_attempts, run_at, ready, unique_key, actor, created_at)
    SELECT id, $1, kind, payload, priority, max_attempts, run_at, ready, unique_key, $2, $3 FROM wanted WHERE $1 IS NOT NULL
        ON CONFLICT DO NOTHING
    RETURNING id, kind
), nobodys_jobs AS (
    INSERT INTO platform.jobs (id, kind, payload, priority, max_attempts, run_at, ready, unique_key, actor, created_at)
    SELECT id, kind, payload, priority, max_attempts, run_at, ready, unique_key, $2, $3 FROM wanted WHERE $1 IS NULL
        ON CONFLICT DO NOTHING
), fact AS (
    SELECT * FROM unnest($12::uuid[], $13::text[], $14::text[], $15::uuid[], $16::bigint[], $17::int[])
        AS fact (id, action, subject, key, version, items)
), salted AS MATERIALIZED (
    SELECT *, uuid_send(gen_random_uuid()) AS salt FROM fact
), facts AS (
    INSERT INTO platform.audit (org_id, id, at, actor, action, subject, key, version, items, request, address, salt, sealed)
    SELECT coalesce($1, '00000000-0000-0000-0000-000000000000'), id, $3, $2, action, subject, key, version, items, $4, $25, salt,
           platform.audit_sealed(salt, $2, key, $25)
      FROM salted
), event AS (
    SELECT kind, subject, key, version, changed, attributes, before, nth
      FROM unnest($5::text[], $6::text[], $7::uuid[], $8::bigint[], $9::text[], $10::jsonb[], $11::jsonb[])
           WITH ORDINALITY AS event (kind, subject, key, version, changed, attributes, before, nth)
     UNION ALL
    SELECT 'created', 'platform.job', id, 1, 'status',
           jsonb_strip_nulls(jsonb_build_object('kind', kind, 'status', 'pending', 'progress', 0, 'owner', $2)),
           NULL, 9223372036854775807
      FROM tenants_jobs
), told AS (
    SELECT * FROM event
     UNION ALL
    SELECT 'created', CASE WHEN $1 IS NULL THEN 'platform.audit_of_nobody' ELSE 'platform.audit' END, id, 1, '', '{}', NULL, 1
      FROM fact WHERE id = ($12::uuid[])[1] AND NOT EXISTS (SELECT FROM event)
)
INSERT INTO platform.outbox (tenant, kind, subject, key, version, changed, attributes, before, actor, request, at, facts)
SELECT $1, kind, subject, key, version, string_to_array(changed, ','), attributes, before, $2, $4, $3,
       CASE WHEN row_number() OVER (ORDER BY nth, key) = 1
            THEN (SELECT jsonb_agg(to_jsonb(fact) ORDER BY id) FROM fact) END
  FROM told
 ORDER BY nth, key
