-- What the API over jobs and dead letters needs: lists by status and kind, the tenant's wall around dead letters; and audit
-- facts that travel with the events of their write.

-- ── jobs ────────────────────────────────────────────────────────────────────────────────────────────────────────
-- Almost all jobs end well, so that the others are found among few.
CREATE INDEX jobs_ended_unfinished ON platform.jobs_ended (tenant, status, id)
    WHERE tenant IS NOT NULL AND status IN ('failed', 'cancelled');
CREATE INDEX jobs_ended_kind ON platform.jobs_ended (tenant, kind, id) WHERE tenant IS NOT NULL;

-- ── dead letters ────────────────────────────────────────────────────────────────────────────────────────────────
-- A tenant sees, retries and drops its own; those of nobody are the operator's.
ALTER TABLE platform.dead_letters ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON platform.dead_letters TO pulse_app
    USING (tenant = nullif(current_setting('pulse.org_id', true), '')::uuid);
CREATE POLICY work ON platform.dead_letters TO pulse_system USING (true);
GRANT SELECT, DELETE, UPDATE (retry) ON platform.dead_letters TO pulse_app;

-- ── audit ───────────────────────────────────────────────────────────────────────────────────────────────────────
-- One row of each write carries its facts: a fact costs the log no row of its own. docs/adr says why.
ALTER TABLE platform.outbox ADD COLUMN facts jsonb;
ALTER TABLE platform.log ADD COLUMN facts jsonb;
COMMENT ON COLUMN platform.outbox.facts IS '@pii(class: NONE) The audit facts of the write, on the first of its events: ids, names and numbers.';
COMMENT ON COLUMN platform.log.facts IS '@pii(class: NONE) As in the outbox.';
