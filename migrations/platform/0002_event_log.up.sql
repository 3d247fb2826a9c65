-- The log in full: who wrote in which request, what routed an event before, where the log begins and what it is called;
-- consumer groups with stored positions, and what they could not handle.

-- ── outbox and log ──────────────────────────────────────────────────────────────────────────────────────────────
ALTER TABLE platform.outbox ADD COLUMN before jsonb, ADD COLUMN request uuid;
ALTER TABLE platform.log ADD COLUMN before jsonb, ADD COLUMN request uuid;
COMMENT ON COLUMN platform.outbox.before IS '@pii(class: NONE) Routing attributes that were different before, as they were; null when none was.';
COMMENT ON COLUMN platform.outbox.request IS '@pii(class: NONE) The request that wrote it.';
COMMENT ON COLUMN platform.log.before IS '@pii(class: NONE) As in the outbox.';
COMMENT ON COLUMN platform.log.request IS '@pii(class: NONE) As in the outbox.';

-- A subscriber that comes back reads its tenant's part of the log, nobody else's.
CREATE INDEX log_tenant ON platform.log (tenant, position);

-- The name is in every cursor: a database that was made anew counts from 1 again, and its positions mean other events.
ALTER TABLE platform.log_head
    ADD COLUMN name text NOT NULL COLLATE "C" DEFAULT left(replace(gen_random_uuid()::text, '-', ''), 12),
    ADD COLUMN oldest bigint NOT NULL DEFAULT 1;
COMMENT ON COLUMN platform.log_head.name IS '@pii(class: NONE) What this log is called in cursors; made at random.';
COMMENT ON COLUMN platform.log_head.oldest IS '@pii(class: NONE) The first position that retention has left.';

-- Drops whole partitions of events before `keep`, moves the log's beginning, and returns how many there were. A position
-- that a consumer group has still to read is kept, whatever `keep` says.
CREATE FUNCTION platform.drop_log_partitions(keep bigint) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    first bigint;
    upper bigint;
    name text;
    dropped int := 0;
BEGIN
    SELECT least(keep, min(position) + 1, (SELECT position + 1 FROM platform.log_head)) INTO upper FROM platform.consumers;
    FOR name IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = 'platform.log'::regclass ORDER BY c.relname
    LOOP
        first := substring(name FROM '\d+$')::bigint * 1000000;
        EXIT WHEN first + 1000000 > upper;
        EXECUTE format('DROP TABLE platform.%I', name);
        UPDATE platform.log_head SET oldest = first + 1000000;
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$;
REVOKE ALL ON FUNCTION platform.drop_log_partitions(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION platform.drop_log_partitions(bigint) TO pulse_maintenance;
GRANT SELECT ON platform.log, platform.log_head TO pulse_maintenance;

-- ── consumer groups ─────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE platform.consumers (
    name         text PRIMARY KEY COLLATE "C",
    position     bigint NOT NULL,
    holder       uuid,
    lease_until  timestamptz,
    attempts     int NOT NULL DEFAULT 0,
    retry_at     timestamptz,
    error        text
);
COMMENT ON TABLE platform.consumers IS 'class: platform. Consumer groups of the log: what each has read, and who reads for it now.';
COMMENT ON COLUMN platform.consumers.name IS '@pii(class: NONE) The group, as subgraph.what.';
COMMENT ON COLUMN platform.consumers.position IS '@pii(class: NONE) Everything up to this position is done.';
COMMENT ON COLUMN platform.consumers.holder IS '@pii(class: NONE) The process that reads for the group.';
COMMENT ON COLUMN platform.consumers.lease_until IS '@pii(class: NONE) When a holder that says nothing more has lost it.';
COMMENT ON COLUMN platform.consumers.attempts IS '@pii(class: NONE) How often the event after the position was tried and failed.';
COMMENT ON COLUMN platform.consumers.retry_at IS '@pii(class: NONE) Not before this time is it tried again.';
COMMENT ON COLUMN platform.consumers.error IS '@pii(class: NONE) Why the last attempt failed.';

CREATE TABLE platform.dead_letters (
    id        uuid PRIMARY KEY,
    consumer  text NOT NULL COLLATE "C",
    position  bigint NOT NULL,
    tenant    uuid,
    event     jsonb NOT NULL,
    attempts  int NOT NULL,
    error     text NOT NULL,
    at        timestamptz NOT NULL,
    retry     boolean NOT NULL DEFAULT false,
    UNIQUE (consumer, position)
);
COMMENT ON TABLE platform.dead_letters IS 'class: platform. Events that a consumer group gave up on, until somebody has them tried again or drops them.';
COMMENT ON COLUMN platform.dead_letters.id IS '@pii(class: NONE) UUIDv7.';
COMMENT ON COLUMN platform.dead_letters.consumer IS '@pii(class: NONE) The group.';
COMMENT ON COLUMN platform.dead_letters.position IS '@pii(class: NONE) The event''s place in the log.';
COMMENT ON COLUMN platform.dead_letters.tenant IS '@pii(class: NONE) The organization whose data the event is about.';
COMMENT ON COLUMN platform.dead_letters.event IS '@pii(class: SUBJECT) The event as it stood in the log, which may forget it sooner.';
COMMENT ON COLUMN platform.dead_letters.attempts IS '@pii(class: NONE) How often it was tried.';
COMMENT ON COLUMN platform.dead_letters.error IS '@pii(class: NONE) Why the last attempt failed.';
COMMENT ON COLUMN platform.dead_letters.at IS '@pii(class: NONE) When it was given up.';
COMMENT ON COLUMN platform.dead_letters.retry IS '@pii(class: NONE) Whether the group shall try it once more.';
CREATE INDEX dead_letters_tenant ON platform.dead_letters (tenant, id);

GRANT SELECT, INSERT, UPDATE, DELETE ON platform.consumers, platform.dead_letters TO pulse_system;
GRANT SELECT ON platform.consumers TO pulse_maintenance;

-- Work in the background tells of its own progress by the same way as everybody else.
GRANT INSERT ON platform.outbox TO pulse_system;
