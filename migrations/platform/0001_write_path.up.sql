-- The write path: what every write appends in its own transaction, and the log that is made of it.

-- ── outbox: written by every Write, emptied by the sequencer ────────────────────────────────────────────────────
CREATE TABLE platform.outbox (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant      uuid,
    kind        text NOT NULL CHECK (kind IN ('created', 'updated', 'deleted')),
    subject     text NOT NULL COLLATE "C",
    key         uuid NOT NULL,
    version     bigint NOT NULL,
    changed     text[] NOT NULL,
    attributes  jsonb NOT NULL,
    actor       uuid,
    at          timestamptz NOT NULL
);
COMMENT ON TABLE platform.outbox IS 'class: platform. Events of committed writes that the sequencer has not moved to the log yet.';
COMMENT ON COLUMN platform.outbox.id IS '@pii(class: NONE) Order of appending; says nothing about the order of commits.';
COMMENT ON COLUMN platform.outbox.tenant IS '@pii(class: NONE) The organization whose data changed; null for what belongs to none.';
COMMENT ON COLUMN platform.outbox.kind IS '@pii(class: NONE) created, updated or deleted.';
COMMENT ON COLUMN platform.outbox.subject IS '@pii(class: NONE) What changed, as subgraph.type.';
COMMENT ON COLUMN platform.outbox.key IS '@pii(class: NONE) The id of what changed.';
COMMENT ON COLUMN platform.outbox.version IS '@pii(class: NONE) Its version after the change; the owner''s history holds the values.';
COMMENT ON COLUMN platform.outbox.changed IS '@pii(class: NONE) Names of the fields that changed.';
COMMENT ON COLUMN platform.outbox.attributes IS '@pii(class: NONE) Declared routing attributes; never personal values.';
COMMENT ON COLUMN platform.outbox.actor IS '@pii(class: SUBJECT) The person who changed it.';
COMMENT ON COLUMN platform.outbox.at IS '@pii(class: NONE) When it was written.';

-- ── log: dense positions, the only thing that readers order by ──────────────────────────────────────────────────
CREATE TABLE platform.log (
    position    bigint NOT NULL,
    tenant      uuid,
    kind        text NOT NULL,
    subject     text NOT NULL COLLATE "C",
    key         uuid NOT NULL,
    version     bigint NOT NULL,
    changed     text[] NOT NULL,
    attributes  jsonb NOT NULL,
    actor       uuid,
    at          timestamptz NOT NULL,
    PRIMARY KEY (position)
) PARTITION BY RANGE (position);
COMMENT ON TABLE platform.log IS 'class: platform. Every committed event once, in a dense order; partitioned by position, a million a partition.';
COMMENT ON COLUMN platform.log.position IS '@pii(class: NONE) 1, 2, 3 …: readers ask for what is greater than their cursor.';
COMMENT ON COLUMN platform.log.tenant IS '@pii(class: NONE) As in the outbox.';
COMMENT ON COLUMN platform.log.kind IS '@pii(class: NONE) As in the outbox.';
COMMENT ON COLUMN platform.log.subject IS '@pii(class: NONE) As in the outbox.';
COMMENT ON COLUMN platform.log.key IS '@pii(class: NONE) As in the outbox.';
COMMENT ON COLUMN platform.log.version IS '@pii(class: NONE) As in the outbox.';
COMMENT ON COLUMN platform.log.changed IS '@pii(class: NONE) As in the outbox.';
COMMENT ON COLUMN platform.log.attributes IS '@pii(class: NONE) As in the outbox.';
COMMENT ON COLUMN platform.log.actor IS '@pii(class: SUBJECT) As in the outbox.';
COMMENT ON COLUMN platform.log.at IS '@pii(class: NONE) As in the outbox.';

CREATE TABLE platform.log_head (
    id        boolean PRIMARY KEY DEFAULT true CHECK (id),
    position  bigint NOT NULL
);
COMMENT ON TABLE platform.log_head IS 'class: platform. One row: the last position given out.';
COMMENT ON COLUMN platform.log_head.id IS '@pii(class: NONE) Always true: there is one row.';
COMMENT ON COLUMN platform.log_head.position IS '@pii(class: NONE) The last position given out; 0 before the first event.';
INSERT INTO platform.log_head (position) VALUES (0);

-- Partitions of the log up to a million past `upto`; returns how many it made.
CREATE FUNCTION platform.ensure_log_partitions(upto bigint) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    made int := 0;
    first bigint;
    name text;
BEGIN
    FOR first IN SELECT generate_series(0, upto + 1000000, 1000000) LOOP
        name := 'log_' || lpad((first / 1000000)::text, 6, '0');
        IF to_regclass('platform.' || name) IS NULL AND first + 1000000 > upto THEN
            EXECUTE format('CREATE TABLE platform.%I PARTITION OF platform.log FOR VALUES FROM (%s) TO (%s)',
                           name, first, first + 1000000);
            made := made + 1;
        END IF;
    END LOOP;
    RETURN made;
END $$;
REVOKE ALL ON FUNCTION platform.ensure_log_partitions(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION platform.ensure_log_partitions(bigint) TO pulse_system, pulse_maintenance;
SELECT platform.ensure_log_partitions(0);

-- ── audit: one fact per thing done, append-only ─────────────────────────────────────────────────────────────────
CREATE TABLE platform.audit (
    org_id      uuid NOT NULL,
    id          uuid NOT NULL,
    at          timestamptz NOT NULL,
    actor       uuid,
    action      text NOT NULL COLLATE "C",
    subject     text NOT NULL COLLATE "C",
    key         uuid,
    version     bigint,
    items       int NOT NULL,
    request     uuid NOT NULL,
    PRIMARY KEY (org_id, id)
) PARTITION BY RANGE (id);
COMMENT ON TABLE platform.audit IS 'class: tenant. Who did what to what, and which version in the owner''s history holds the values. Facts that belong to no tenant stand under the nil UUID, which no session ever has.';
COMMENT ON COLUMN platform.audit.org_id IS '@pii(class: NONE) The tenant.';
COMMENT ON COLUMN platform.audit.id IS '@pii(class: NONE) UUIDv7; partitions are ranges of it.';
COMMENT ON COLUMN platform.audit.at IS '@pii(class: NONE) When it was done.';
COMMENT ON COLUMN platform.audit.actor IS '@pii(class: SUBJECT) The person who did it; null for Pulse itself.';
COMMENT ON COLUMN platform.audit.action IS '@pii(class: NONE) What was done, as resource:action.';
COMMENT ON COLUMN platform.audit.subject IS '@pii(class: NONE) What it was done to, as subgraph.type.';
COMMENT ON COLUMN platform.audit.key IS '@pii(class: NONE) The id of what it was done to; null for a batch.';
COMMENT ON COLUMN platform.audit.version IS '@pii(class: NONE) Its version after.';
COMMENT ON COLUMN platform.audit.items IS '@pii(class: NONE) How many things were changed: 1, or the size of the batch.';
COMMENT ON COLUMN platform.audit.request IS '@pii(class: NONE) The request that it was part of.';

-- Monthly partitions of `parent` from the current month to `ahead` months later, and one for what lies outside.
-- The key that `parent` is partitioned by is a UUIDv7 or a timestamptz.
CREATE FUNCTION platform.ensure_month_partitions(parent regclass, ahead int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    schema_name text;
    table_name text;
    by_uuid boolean;
    month timestamptz := date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC';
    upper timestamptz;
    name text;
    made int := 0;
BEGIN
    SELECT n.nspname, c.relname, a.atttypid = 'uuid'::regtype INTO STRICT schema_name, table_name, by_uuid
      FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_partitioned_table p ON p.partrelid = c.oid
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = p.partattrs[0]
     WHERE c.oid = parent;
    IF to_regclass(format('%I.%I', schema_name, table_name || '_other')) IS NULL THEN
        EXECUTE format('CREATE TABLE %I.%I PARTITION OF %s DEFAULT', schema_name, table_name || '_other', parent);
    END IF;
    FOR step IN 0..ahead LOOP
        upper := (month AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC';
        name := table_name || to_char(month AT TIME ZONE 'UTC', '_YYYY_MM');
        IF to_regclass(format('%I.%I', schema_name, name)) IS NULL THEN
            EXECUTE format('CREATE TABLE %I.%I PARTITION OF %s FOR VALUES FROM (%L) TO (%L)', schema_name, name, parent,
                CASE WHEN by_uuid THEN platform.uuid_floor(month)::text ELSE month::text END,
                CASE WHEN by_uuid THEN platform.uuid_floor(upper)::text ELSE upper::text END);
            made := made + 1;
        END IF;
        month := upper;
    END LOOP;
    RETURN made;
END $$;

-- The least UUIDv7 of a time.
CREATE FUNCTION platform.uuid_floor(at timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;
REVOKE ALL ON FUNCTION platform.ensure_month_partitions(regclass, int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION platform.ensure_month_partitions(regclass, int) TO pulse_maintenance;
SELECT platform.ensure_month_partitions('platform.audit', 1);

-- ── idempotency: the answer that a repeated request gets ────────────────────────────────────────────────────────
CREATE TABLE platform.idempotency (
    org_id     uuid NOT NULL,
    actor      uuid NOT NULL,
    operation  text NOT NULL COLLATE "C",
    key        text NOT NULL COLLATE "C" CHECK (length(key) BETWEEN 1 AND 255),
    request    bytea NOT NULL,
    response   jsonb,
    at         timestamptz NOT NULL,
    PRIMARY KEY (org_id, actor, operation, key)
);
COMMENT ON TABLE platform.idempotency IS 'class: tenant. What a write with an idempotency key answered, so that a repeated one answers the same and does nothing.';
COMMENT ON COLUMN platform.idempotency.org_id IS '@pii(class: NONE) The tenant.';
COMMENT ON COLUMN platform.idempotency.actor IS '@pii(class: SUBJECT) Who sent it; the nil UUID for Pulse itself.';
COMMENT ON COLUMN platform.idempotency.operation IS '@pii(class: NONE) The write that the key is for.';
COMMENT ON COLUMN platform.idempotency.key IS '@pii(class: NONE) The key that the client chose, 1 to 255 characters.';
COMMENT ON COLUMN platform.idempotency.request IS '@pii(class: NONE) SHA-256 of the request, so that a key cannot be used for another one.';
COMMENT ON COLUMN platform.idempotency.response IS '@pii(class: NONE) Ids and versions of what was written; never its values.';
COMMENT ON COLUMN platform.idempotency.at IS '@pii(class: NONE) When; kept for a day.';
CREATE INDEX idempotency_at ON platform.idempotency (at);

-- ── jobs ────────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE platform.jobs (
    id            uuid PRIMARY KEY,
    tenant        uuid,
    kind          text NOT NULL COLLATE "C",
    payload       jsonb NOT NULL,
    status        text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'processing', 'completed', 'failed', 'cancelled')),
    priority      smallint NOT NULL,
    attempts      int NOT NULL DEFAULT 0,
    max_attempts  int NOT NULL CHECK (max_attempts > 0),
    run_at        timestamptz NOT NULL,
    lease_until   timestamptz,
    progress      smallint NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 100),
    unique_key    text COLLATE "C",
    error         text,
    actor         uuid,
    created_at    timestamptz NOT NULL,
    finished_at   timestamptz
);
COMMENT ON TABLE platform.jobs IS 'class: platform. Work to be done at least once.';
COMMENT ON COLUMN platform.jobs.id IS '@pii(class: NONE) UUIDv7.';
COMMENT ON COLUMN platform.jobs.tenant IS '@pii(class: NONE) The organization that the job works for; null for upkeep of the platform.';
COMMENT ON COLUMN platform.jobs.kind IS '@pii(class: NONE) Names the handler, as subgraph.what.';
COMMENT ON COLUMN platform.jobs.payload IS '@pii(class: NONE) The handler''s arguments: ids, never values of persons.';
COMMENT ON COLUMN platform.jobs.status IS '@pii(class: NONE) pending, processing, completed, failed or cancelled.';
COMMENT ON COLUMN platform.jobs.priority IS '@pii(class: NONE) Higher runs first.';
COMMENT ON COLUMN platform.jobs.attempts IS '@pii(class: NONE) How often it was started.';
COMMENT ON COLUMN platform.jobs.max_attempts IS '@pii(class: NONE) How often it may be started.';
COMMENT ON COLUMN platform.jobs.run_at IS '@pii(class: NONE) Not before this time.';
COMMENT ON COLUMN platform.jobs.lease_until IS '@pii(class: NONE) When a worker that says nothing more has lost it.';
COMMENT ON COLUMN platform.jobs.progress IS '@pii(class: NONE) Per cent.';
COMMENT ON COLUMN platform.jobs.unique_key IS '@pii(class: NONE) While one with this key waits or runs, no other is enqueued.';
COMMENT ON COLUMN platform.jobs.error IS '@pii(class: NONE) Why the last attempt failed.';
COMMENT ON COLUMN platform.jobs.actor IS '@pii(class: SUBJECT) The person whose write enqueued it.';
COMMENT ON COLUMN platform.jobs.created_at IS '@pii(class: NONE) When it was enqueued.';
COMMENT ON COLUMN platform.jobs.finished_at IS '@pii(class: NONE) When it ended.';
CREATE UNIQUE INDEX jobs_unique ON platform.jobs (kind, tenant, unique_key) NULLS NOT DISTINCT
    WHERE unique_key IS NOT NULL AND status IN ('pending', 'processing');
CREATE INDEX jobs_claim ON platform.jobs (priority DESC, run_at, id) WHERE status = 'pending';
CREATE INDEX jobs_lease ON platform.jobs (lease_until) WHERE status = 'processing';

-- ── walls ───────────────────────────────────────────────────────────────────────────────────────────────────────
ALTER TABLE platform.outbox ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY append ON platform.outbox FOR INSERT TO pulse_app
    WITH CHECK (tenant IS NOT DISTINCT FROM nullif(current_setting('pulse.org_id', true), '')::uuid);
CREATE POLICY sequence ON platform.outbox TO pulse_system USING (true);
GRANT INSERT ON platform.outbox TO pulse_app;
GRANT SELECT, DELETE ON platform.outbox TO pulse_system;

GRANT SELECT, INSERT ON platform.log TO pulse_system;
GRANT SELECT, UPDATE ON platform.log_head TO pulse_system;

ALTER TABLE platform.audit ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON platform.audit FOR SELECT TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
CREATE POLICY append ON platform.audit FOR INSERT TO pulse_app
    WITH CHECK (org_id = coalesce(nullif(current_setting('pulse.org_id', true), '')::uuid, '00000000-0000-0000-0000-000000000000'));
GRANT SELECT, INSERT ON platform.audit TO pulse_app;

ALTER TABLE platform.idempotency ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON platform.idempotency TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
CREATE POLICY upkeep ON platform.idempotency TO pulse_maintenance USING (true);
GRANT SELECT, INSERT, UPDATE ON platform.idempotency TO pulse_app;
GRANT SELECT, DELETE ON platform.idempotency TO pulse_maintenance;

ALTER TABLE platform.jobs ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY enqueue ON platform.jobs FOR INSERT TO pulse_app
    WITH CHECK (tenant IS NOT DISTINCT FROM nullif(current_setting('pulse.org_id', true), '')::uuid AND status = 'pending');
CREATE POLICY work ON platform.jobs TO pulse_system USING (true);
GRANT INSERT ON platform.jobs TO pulse_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON platform.jobs TO pulse_system;
