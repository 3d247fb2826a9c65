-- How attempts ended. An attempt that is not the job's newest any more changes nothing; one that would be repeated is not
-- when somebody has cancelled the job meanwhile.
-- $1 now; by attempt: $2 ids, $3 claims, $4 outcomes (completed, failed, cancelled; pending: again after a delay;
-- returned: it was not to blame, and is again as if it had not been claimed), $5 errors, $6 delays in seconds,
-- $7 results.
WITH attempt AS (
    SELECT * FROM unnest($2::uuid[], $3::int[], $4::text[], $5::text[], $6::float8[], $7::jsonb[])
        AS attempt (id, claims, outcome, error, delay, result)
), gone AS (
    DELETE FROM platform.jobs AS job USING attempt
     WHERE job.id = attempt.id AND job.claims = attempt.claims AND job.status = 'processing'
       AND (outcome IN ('completed', 'failed', 'cancelled') OR job.cancel)
    RETURNING job.*, attempt.outcome, attempt.error AS last_error, attempt.result
), kept AS (
    INSERT INTO platform.jobs_ended (id, tenant, kind, payload, status, priority, attempts, max_attempts, run_at, progress,
                                     unique_key, error, actor, claims, version, schedule, created_at, started_at, finished_at,
                                     result)
    SELECT id, tenant, kind, payload, CASE WHEN outcome IN ('pending', 'returned') THEN 'cancelled' ELSE outcome END,
           priority, attempts, max_attempts, run_at, CASE outcome WHEN 'completed' THEN 100 ELSE progress END,
           unique_key, last_error, actor, claims, version + 1, schedule, created_at, started_at, $1, result
      FROM gone
    RETURNING id, tenant, kind, version, status, progress, actor, result IS NOT NULL AS has_result
), again AS (
    UPDATE platform.jobs AS job
       SET status = 'pending', worker = NULL, lease_until = NULL, version = version + 1,
           ready = attempt.delay <= 0,
           run_at = CASE WHEN attempt.delay <= 0 THEN run_at ELSE $1 + make_interval(secs => attempt.delay) END,
           attempts = CASE outcome WHEN 'returned' THEN attempts - 1 ELSE attempts END,
           error = CASE outcome WHEN 'returned' THEN job.error ELSE attempt.error END
      FROM attempt
     WHERE job.id = attempt.id AND job.claims = attempt.claims AND job.status = 'processing'
       AND outcome IN ('pending', 'returned') AND NOT job.cancel
    RETURNING job.id, tenant, kind, version, status, progress, actor, false
), changed AS (
    SELECT * FROM kept UNION ALL SELECT * FROM again
), told AS (
    INSERT INTO platform.outbox (tenant, kind, subject, key, version, changed, attributes, before, at)
    SELECT tenant, 'updated', 'platform.job', id, version, '{status}',
           jsonb_strip_nulls(jsonb_build_object('kind', kind, 'status', status, 'progress', progress, 'owner', actor,
                                              'result', nullif(has_result, false))),
           '{"status": "processing"}', $1
      FROM changed WHERE tenant IS NOT NULL
)
SELECT tenant IS NOT NULL FROM changed
