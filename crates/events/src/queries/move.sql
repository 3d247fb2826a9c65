-- Moves up to $1 events from the outbox to the log and tells channel $2 of the new head; how many there were.
WITH moved AS (
    DELETE FROM platform.outbox
     WHERE id IN (SELECT id FROM platform.outbox ORDER BY id LIMIT $1)
    RETURNING id, tenant, kind, subject, key, version, changed, attributes, before, actor, request, at, facts
), total AS (
    SELECT count(*) AS events FROM moved
), head AS (
    UPDATE platform.log_head SET position = position + total.events FROM total WHERE total.events > 0
    RETURNING position
), logged AS (
    INSERT INTO platform.log (position, tenant, kind, subject, key, version, changed, attributes, before, actor, request, at, facts)
    SELECT head.position - total.events + row_number() OVER (ORDER BY moved.id),
           tenant, kind, subject, key, version, changed, attributes, before, actor, request, at, facts
      FROM moved, total, head
)
SELECT total.events FROM total LEFT JOIN LATERAL (SELECT pg_notify($2, head.position::text) FROM head) AS told ON true
