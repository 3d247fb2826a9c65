-- What comes with time: delayed jobs whose time has come, and running ones whose worker has said nothing for a lease.
-- Tells besides whether there is anything to claim, and when the next job is due and the next schedule fires if there is
-- not: at rest, no other statement is needed.
-- $1 now, $2 how many of each at most, $3 kinds.
WITH due AS (
    UPDATE platform.jobs SET ready = true
     WHERE id = ANY (ARRAY(
           SELECT id FROM platform.jobs WHERE status = 'pending' AND NOT ready AND run_at <= $1
            ORDER BY run_at LIMIT $2 FOR UPDATE SKIP LOCKED))
    RETURNING id
), lost AS (
    SELECT id, attempts < max_attempts AND NOT cancel AS again
      FROM platform.jobs WHERE status = 'processing' AND lease_until < $1
     LIMIT $2 FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM platform.jobs AS job USING lost WHERE job.id = lost.id AND NOT again
    RETURNING job.*
), kept AS (
    INSERT INTO platform.jobs_ended (id, tenant, kind, payload, status, priority, attempts, max_attempts, run_at, progress,
                                     unique_key, error, actor, claims, version, schedule, created_at, started_at, finished_at)
    SELECT id, tenant, kind, payload, CASE WHEN cancel THEN 'cancelled' ELSE 'failed' END,
           priority, attempts, max_attempts, run_at, progress,
           unique_key, 'its workers were lost', actor, claims, version + 1, schedule, created_at, started_at, $1
      FROM gone
    RETURNING id, tenant, kind, version, status, progress, actor
), back AS (
    UPDATE platform.jobs AS job
       SET status = 'pending', ready = true, worker = NULL, lease_until = NULL, version = version + 1,
           error = 'its worker was lost'
      FROM lost WHERE job.id = lost.id AND again
    RETURNING job.id, tenant, kind, version, status, progress, actor
), told AS (
    INSERT INTO platform.outbox (tenant, kind, subject, key, version, changed, attributes, before, at)
    SELECT tenant, 'updated', 'platform.job', id, version, '{status}',
           jsonb_strip_nulls(jsonb_build_object('kind', kind, 'status', status, 'progress', progress, 'owner', actor)),
           '{"status": "processing"}', $1
      FROM (SELECT * FROM kept UNION ALL SELECT * FROM back) AS changed WHERE tenant IS NOT NULL
)
SELECT (SELECT count(*) FROM back) AS back, (SELECT count(*) FROM kept) AS lost,
       EXISTS (SELECT FROM due) OR EXISTS (SELECT FROM back)
           OR EXISTS (SELECT FROM platform.jobs WHERE status = 'pending' AND ready) AS waiting,
       (SELECT min(run_at) FROM platform.jobs WHERE status = 'pending' AND NOT ready) AS next_due,
       (SELECT min(next_run) FROM platform.schedules WHERE enabled AND kind = ANY ($3)) AS next_run
