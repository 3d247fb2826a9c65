-- Forgets a batch of jobs that ended too long ago. $1 completed before, $2 failed and cancelled before, $3 how many.
WITH old AS (
    (SELECT id FROM platform.jobs_ended WHERE status = 'completed' AND finished_at < $1 ORDER BY finished_at LIMIT $3)
    UNION ALL
    (SELECT id FROM platform.jobs_ended WHERE status <> 'completed' AND finished_at < $2 ORDER BY finished_at LIMIT $3)
)
DELETE FROM platform.jobs_ended AS job USING old WHERE job.id = old.id
