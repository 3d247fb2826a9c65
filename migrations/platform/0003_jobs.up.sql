-- Jobs in full: what waits and runs stays in a small table, what has ended goes to one that is only appended to and
-- emptied by age; schedules enqueue by the clock. docs/adr says why.

-- ── waiting and running ─────────────────────────────────────────────────────────────────────────────────────────
ALTER TABLE platform.jobs
    ADD COLUMN lane        uuid NOT NULL GENERATED ALWAYS AS (coalesce(tenant, '00000000-0000-0000-0000-000000000000'::uuid)) STORED,
    ADD COLUMN ready       boolean NOT NULL DEFAULT false,
    ADD COLUMN claims      int NOT NULL DEFAULT 0,
    ADD COLUMN worker      uuid,
    ADD COLUMN cancel      boolean NOT NULL DEFAULT false,
    ADD COLUMN version     bigint NOT NULL DEFAULT 1,
    ADD COLUMN schedule    uuid,
    ADD COLUMN started_at  timestamptz;
COMMENT ON COLUMN platform.jobs.lane IS '@pii(class: NONE) The tenant, or the nil UUID: whose turn it is.';
COMMENT ON COLUMN platform.jobs.ready IS '@pii(class: NONE) Whether run_at has come: only then is it claimed. Written by who enqueues and by workers.';
COMMENT ON COLUMN platform.jobs.claims IS '@pii(class: NONE) How often a worker took it. Never goes back, so that an old worker cannot end a newer attempt.';
COMMENT ON COLUMN platform.jobs.worker IS '@pii(class: NONE) The worker that runs it.';
COMMENT ON COLUMN platform.jobs.cancel IS '@pii(class: NONE) Whether its worker is asked to give it up.';
COMMENT ON COLUMN platform.jobs.version IS '@pii(class: NONE) Counts what was told of it.';
COMMENT ON COLUMN platform.jobs.schedule IS '@pii(class: NONE) The schedule that enqueued it.';
COMMENT ON COLUMN platform.jobs.started_at IS '@pii(class: NONE) When the last attempt began.';

-- Every job writes three row versions here and leaves none: pages have room for the next one, and vacuum comes often
-- and is done in a moment, since the table is as small as what waits.
ALTER TABLE platform.jobs SET (
    fillfactor = 70,
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0,
    autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000,
    autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 20000
);

DROP INDEX platform.jobs_claim, platform.jobs_lease;
-- A claim jumps from lane to lane and takes the first of each.
CREATE INDEX jobs_claim ON platform.jobs (lane, kind, priority DESC, run_at, id) WHERE status = 'pending' AND ready;
CREATE INDEX jobs_delayed ON platform.jobs (run_at) WHERE status = 'pending' AND NOT ready;
-- Neither the lease nor progress is in an index: renewing changes nothing but the row's page.
CREATE INDEX jobs_running ON platform.jobs (lane, kind) WHERE status = 'processing';
CREATE INDEX jobs_tenant ON platform.jobs (tenant, id) WHERE tenant IS NOT NULL;

-- ── ended ───────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE platform.jobs_ended (
    id            uuid PRIMARY KEY,
    tenant        uuid,
    kind          text NOT NULL COLLATE "C",
    payload       jsonb NOT NULL,
    status        text NOT NULL CHECK (status IN ('completed', 'failed', 'cancelled')),
    priority      smallint NOT NULL,
    attempts      int NOT NULL,
    max_attempts  int NOT NULL,
    run_at        timestamptz NOT NULL,
    progress      smallint NOT NULL,
    unique_key    text COLLATE "C",
    error         text,
    actor         uuid,
    claims        int NOT NULL,
    version       bigint NOT NULL,
    schedule      uuid,
    created_at    timestamptz NOT NULL,
    started_at    timestamptz,
    finished_at   timestamptz NOT NULL
);
COMMENT ON TABLE platform.jobs_ended IS 'class: platform. Jobs that have ended, until they are forgotten; the failed ones are the dead letters.';
COMMENT ON COLUMN platform.jobs_ended.id IS '@pii(class: NONE) As in jobs.';
COMMENT ON COLUMN platform.jobs_ended.tenant IS '@pii(class: NONE) As in jobs.';
COMMENT ON COLUMN platform.jobs_ended.kind IS '@pii(class: NONE) As in jobs.';
COMMENT ON COLUMN platform.jobs_ended.payload IS '@pii(class: NONE) As in jobs.';
COMMENT ON COLUMN platform.jobs_ended.status IS '@pii(class: NONE) completed, failed or cancelled.';
COMMENT ON COLUMN platform.jobs_ended.priority IS '@pii(class: NONE) As in jobs.';
COMMENT ON COLUMN platform.jobs_ended.attempts IS '@pii(class: NONE) As in jobs.';
COMMENT ON COLUMN platform.jobs_ended.max_attempts IS '@pii(class: NONE) As in jobs.';
COMMENT ON COLUMN platform.jobs_ended.run_at IS '@pii(class: NONE) As in jobs.';
COMMENT ON COLUMN platform.jobs_ended.progress IS '@pii(class: NONE) As in jobs.';
COMMENT ON COLUMN platform.jobs_ended.unique_key IS '@pii(class: NONE) As in jobs.';
COMMENT ON COLUMN platform.jobs_ended.error IS '@pii(class: NONE) As in jobs.';
COMMENT ON COLUMN platform.jobs_ended.actor IS '@pii(class: SUBJECT) As in jobs.';
COMMENT ON COLUMN platform.jobs_ended.claims IS '@pii(class: NONE) As in jobs.';
COMMENT ON COLUMN platform.jobs_ended.version IS '@pii(class: NONE) As in jobs.';
COMMENT ON COLUMN platform.jobs_ended.schedule IS '@pii(class: NONE) As in jobs.';
COMMENT ON COLUMN platform.jobs_ended.created_at IS '@pii(class: NONE) As in jobs.';
COMMENT ON COLUMN platform.jobs_ended.started_at IS '@pii(class: NONE) As in jobs.';
COMMENT ON COLUMN platform.jobs_ended.finished_at IS '@pii(class: NONE) When it ended.';
ALTER TABLE platform.jobs_ended SET (
    autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0
);
-- What is forgotten is found by age; a row is in one of the two.
CREATE INDEX jobs_ended_completed ON platform.jobs_ended (finished_at) WHERE status = 'completed';
CREATE INDEX jobs_ended_other ON platform.jobs_ended (finished_at) WHERE status <> 'completed';
CREATE INDEX jobs_ended_tenant ON platform.jobs_ended (tenant, id) WHERE tenant IS NOT NULL;

WITH ended AS (
    DELETE FROM platform.jobs WHERE status IN ('completed', 'failed', 'cancelled') RETURNING *
)
INSERT INTO platform.jobs_ended (id, tenant, kind, payload, status, priority, attempts, max_attempts, run_at, progress,
                                 unique_key, error, actor, claims, version, schedule, created_at, started_at, finished_at)
SELECT id, tenant, kind, payload, status, priority, attempts, max_attempts, run_at, progress,
       unique_key, error, actor, claims, version, schedule, created_at, started_at, coalesce(finished_at, created_at)
  FROM ended;

-- A job wherever it stands. Without its payload, which is nobody's but the handler's.
CREATE VIEW platform.all_jobs WITH (security_invoker = true) AS
    SELECT id, tenant, kind, status, priority, attempts, max_attempts, run_at, progress, error, cancel, version, schedule,
           created_at, started_at, finished_at
      FROM platform.jobs
    UNION ALL
    SELECT id, tenant, kind, status, priority, attempts, max_attempts, run_at, progress, error, false, version, schedule,
           created_at, started_at, finished_at
      FROM platform.jobs_ended;

-- ── schedules ───────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE platform.schedules (
    id            uuid PRIMARY KEY,
    tenant        uuid,
    name          text NOT NULL COLLATE "C" CHECK (length(name) BETWEEN 1 AND 100),
    kind          text NOT NULL COLLATE "C",
    cron          text NOT NULL,
    zone          text NOT NULL,
    payload       jsonb NOT NULL,
    priority      smallint NOT NULL,
    missed        text NOT NULL CHECK (missed IN ('skip', 'once', 'all')),
    enabled       boolean NOT NULL,
    next_run      timestamptz,
    last_run      timestamptz,
    version       bigint NOT NULL,
    actor         uuid,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    UNIQUE NULLS NOT DISTINCT (tenant, name)
);
COMMENT ON TABLE platform.schedules IS 'class: platform. Jobs to be enqueued by the clock, each time once however many processes look.';
COMMENT ON COLUMN platform.schedules.id IS '@pii(class: NONE) UUIDv7.';
COMMENT ON COLUMN platform.schedules.tenant IS '@pii(class: NONE) The organization whose schedule it is; null for one that is part of Pulse.';
COMMENT ON COLUMN platform.schedules.name IS '@pii(class: NONE) What it is called, once in a tenant.';
COMMENT ON COLUMN platform.schedules.kind IS '@pii(class: NONE) The kind of job that it enqueues.';
COMMENT ON COLUMN platform.schedules.cron IS '@pii(class: NONE) When, as a cron expression of five fields, or six with seconds first.';
COMMENT ON COLUMN platform.schedules.zone IS '@pii(class: NONE) The IANA time zone that the expression is read in.';
COMMENT ON COLUMN platform.schedules.payload IS '@pii(class: NONE) The payload of its jobs.';
COMMENT ON COLUMN platform.schedules.priority IS '@pii(class: NONE) The priority of its jobs.';
COMMENT ON COLUMN platform.schedules.missed IS '@pii(class: NONE) What is made up for when nobody was there to fire: skip, once or all.';
COMMENT ON COLUMN platform.schedules.enabled IS '@pii(class: NONE) Whether it fires.';
COMMENT ON COLUMN platform.schedules.next_run IS '@pii(class: NONE) When it fires next; null when never again.';
COMMENT ON COLUMN platform.schedules.last_run IS '@pii(class: NONE) The time that it fired for last.';
COMMENT ON COLUMN platform.schedules.version IS '@pii(class: NONE) Counts the changes that somebody made.';
COMMENT ON COLUMN platform.schedules.actor IS '@pii(class: SUBJECT) The person who made it.';
COMMENT ON COLUMN platform.schedules.created_at IS '@pii(class: NONE) When it was made.';
COMMENT ON COLUMN platform.schedules.updated_at IS '@pii(class: NONE) When somebody changed it.';
CREATE INDEX schedules_next ON platform.schedules (next_run) WHERE enabled;

-- ── walls ───────────────────────────────────────────────────────────────────────────────────────────────────────
-- A tenant sees, cancels and repeats its own jobs; those of nobody and of others are as if they were not there.
CREATE POLICY tenant_reads ON platform.jobs FOR SELECT TO pulse_app
    USING (tenant = nullif(current_setting('pulse.org_id', true), '')::uuid);
CREATE POLICY tenant_asks ON platform.jobs FOR UPDATE TO pulse_app
    USING (tenant = nullif(current_setting('pulse.org_id', true), '')::uuid);
CREATE POLICY tenant_ends ON platform.jobs FOR DELETE TO pulse_app
    USING (tenant = nullif(current_setting('pulse.org_id', true), '')::uuid AND status = 'pending');
GRANT SELECT, DELETE ON platform.jobs TO pulse_app;
GRANT UPDATE (cancel, version) ON platform.jobs TO pulse_app;

ALTER TABLE platform.jobs_ended ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON platform.jobs_ended TO pulse_app
    USING (tenant = nullif(current_setting('pulse.org_id', true), '')::uuid);
CREATE POLICY work ON platform.jobs_ended TO pulse_system USING (true);
GRANT SELECT, INSERT, DELETE ON platform.jobs_ended TO pulse_app;
GRANT SELECT, INSERT, DELETE ON platform.jobs_ended TO pulse_system;
GRANT SELECT ON platform.all_jobs TO pulse_app, pulse_system;

ALTER TABLE platform.schedules ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON platform.schedules TO pulse_app
    USING (tenant = nullif(current_setting('pulse.org_id', true), '')::uuid);
CREATE POLICY work ON platform.schedules TO pulse_system USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON platform.schedules TO pulse_app, pulse_system;
