-- Moves a schedule on and enqueues its runs. A run whose predecessor of the same time still waits is not enqueued again.
-- $1 schedule, $2 now, $3 next run, $4 ids and $5 times of the runs.
WITH schedule AS (
    UPDATE platform.schedules
       SET next_run = $3, last_run = coalesce((SELECT max(at) FROM unnest($5::timestamptz[]) AS at), last_run)
     WHERE id = $1
    RETURNING *
), jobs AS (
    INSERT INTO platform.jobs (id, tenant, kind, payload, priority, max_attempts, run_at, ready, unique_key, actor, schedule,
                               created_at)
    SELECT run.id, tenant, kind, payload, priority, 3, run.at, true, schedule.id || ' ' || extract(epoch FROM run.at),
           actor, schedule.id, $2
      FROM schedule CROSS JOIN unnest($4::uuid[], $5::timestamptz[]) AS run (id, at)
        ON CONFLICT DO NOTHING
    RETURNING id, tenant, kind, actor
)
INSERT INTO platform.outbox (tenant, kind, subject, key, version, changed, attributes, at)
SELECT tenant, 'created', 'platform.job', id, 1, '{status}',
       jsonb_strip_nulls(jsonb_build_object('kind', kind, 'status', 'pending', 'progress', 0, 'owner', actor)), $2
  FROM jobs WHERE tenant IS NOT NULL
