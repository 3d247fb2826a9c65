DROP TABLE platform.schedules;
DROP VIEW platform.all_jobs;
DROP POLICY tenant_reads ON platform.jobs;
DROP POLICY tenant_asks ON platform.jobs;
DROP POLICY tenant_ends ON platform.jobs;
REVOKE SELECT, UPDATE (cancel, version), DELETE ON platform.jobs FROM pulse_app;

INSERT INTO platform.jobs (id, tenant, kind, payload, status, priority, attempts, max_attempts, run_at, progress,
                           unique_key, error, actor, created_at, finished_at)
SELECT id, tenant, kind, payload, status, priority, attempts, max_attempts, run_at, progress,
       unique_key, error, actor, created_at, finished_at
  FROM platform.jobs_ended;
DROP TABLE platform.jobs_ended;

DROP INDEX platform.jobs_claim, platform.jobs_delayed, platform.jobs_running, platform.jobs_tenant;
ALTER TABLE platform.jobs RESET (
    fillfactor,
    autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold, autovacuum_vacuum_cost_delay,
    autovacuum_vacuum_insert_scale_factor, autovacuum_vacuum_insert_threshold,
    autovacuum_analyze_scale_factor, autovacuum_analyze_threshold
);
ALTER TABLE platform.jobs
    DROP COLUMN lane, DROP COLUMN ready, DROP COLUMN claims, DROP COLUMN worker, DROP COLUMN cancel, DROP COLUMN version,
    DROP COLUMN schedule, DROP COLUMN started_at;
CREATE INDEX jobs_claim ON platform.jobs (priority DESC, run_at, id) WHERE status = 'pending';
CREATE INDEX jobs_lease ON platform.jobs (lease_until) WHERE status = 'processing';
