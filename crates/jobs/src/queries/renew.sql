-- Another lease for all jobs that a worker runs; those that are missing in the answer it has lost.
-- $1 now, $2 lease in seconds, $3 ids, $4 claims.
UPDATE platform.jobs AS job
   SET lease_until = $1 + make_interval(secs => $2)
  FROM unnest($3::uuid[], $4::int[]) AS mine (id, claims)
 WHERE job.id = mine.id AND job.claims = mine.claims AND job.status = 'processing'
RETURNING job.id, job.cancel
