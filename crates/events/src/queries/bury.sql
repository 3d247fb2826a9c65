-- $1 id, $2 group, $3 position, $4 tenant, $5 the change, $6 attempts, $7 error, $8 now.
-- Its tenant is told, unless it is about a dead letter itself: that would go on for ever.
WITH buried AS (
    INSERT INTO platform.dead_letters (id, consumer, position, tenant, event, attempts, error, at)
    VALUES ($1, $2, $3, $4, $5::jsonb, $6, $7, $8)
        ON CONFLICT (consumer, position) DO UPDATE
       SET attempts = excluded.attempts, error = excluded.error, at = excluded.at
    RETURNING id, consumer, tenant
)
INSERT INTO platform.outbox (tenant, kind, subject, key, version, changed, attributes, at)
SELECT tenant, 'created', 'platform.dead_letter', id, 1, '{}', jsonb_build_object('consumer', consumer), $8
  FROM buried WHERE tenant IS NOT NULL AND $5::jsonb ->> 'subject' <> 'platform.dead_letter'
