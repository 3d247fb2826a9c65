-- The next jobs: those that wait, and those whose worker has lost its lease while attempts are left.
-- $1 now, $2 lease in seconds, $3 kinds, $4 limit.
WITH next AS (
    SELECT id FROM platform.jobs
     WHERE kind = ANY ($3)
       AND (status = 'pending' AND run_at <= $1 OR status = 'processing' AND lease_until < $1)
     ORDER BY priority DESC, run_at, id
     LIMIT $4
       FOR UPDATE SKIP LOCKED
)
UPDATE platform.jobs AS job
   SET status = CASE WHEN attempts < max_attempts THEN 'processing' ELSE 'failed' END,
       attempts = least(attempts + 1, max_attempts),
       error = CASE WHEN attempts < max_attempts THEN error ELSE 'its workers were lost' END,
       finished_at = CASE WHEN attempts < max_attempts THEN NULL ELSE $1 END,
       lease_until = $1 + make_interval(secs => $2)
  FROM next
 WHERE job.id = next.id
RETURNING job.status = 'processing' AS mine, job.id, job.tenant, job.kind, job.payload, job.attempts, job.max_attempts
