-- Events as they happened, counted and summed over time. Read by when they happened, so partitioned by that.

CREATE TABLE analytics.events (
    org_id      uuid NOT NULL,
    at          timestamptz NOT NULL,
    id          uuid NOT NULL,
    name        text COLLATE "C" NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    value       double precision,
    entity_id   uuid,
    actor_id    uuid,
    dedupe_key  text COLLATE "C" CHECK (length(dedupe_key) BETWEEN 1 AND 255),
    properties  jsonb NOT NULL CHECK (jsonb_typeof(properties) = 'object'),
    PRIMARY KEY (org_id, at, id)
) PARTITION BY RANGE (at);
COMMENT ON TABLE analytics.events IS 'class: tenant. Something that happened at a time; never changed.';
COMMENT ON COLUMN analytics.events.org_id IS '@pii(class: NONE) The tenant.';
COMMENT ON COLUMN analytics.events.at IS '@pii(class: NONE) When it happened; partitions are months of it, in UTC.';
COMMENT ON COLUMN analytics.events.id IS '@pii(class: NONE) UUIDv7 of when it was recorded.';
COMMENT ON COLUMN analytics.events.name IS '@pii(class: NONE) What happened, such as page.viewed.';
COMMENT ON COLUMN analytics.events.value IS '@pii(class: NONE) What is summed; null counts as nothing.';
COMMENT ON COLUMN analytics.events.entity_id IS '@pii(class: NONE) The entity that it happened to.';
COMMENT ON COLUMN analytics.events.actor_id IS '@pii(class: SUBJECT) The person who did it.';
COMMENT ON COLUMN analytics.events.dedupe_key IS '@pii(class: NONE) The client''s own id: of two events with the same key and time, the first counts.';
COMMENT ON COLUMN analytics.events.properties IS '@pii(class: CONTENT) What the tenant keeps with it; an object.';

-- A series of one name; the value is in the index, so that counting and summing need not look at the rows.
CREATE INDEX events_name ON analytics.events (org_id, name, at, id) INCLUDE (value);
CREATE INDEX events_entity ON analytics.events (org_id, entity_id, at, id) WHERE entity_id IS NOT NULL;
CREATE UNIQUE INDEX events_dedupe ON analytics.events (org_id, dedupe_key, at) WHERE dedupe_key IS NOT NULL;

ALTER TABLE analytics.events ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON analytics.events TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
GRANT SELECT, INSERT ON analytics.events TO pulse_app;

SELECT platform.ensure_month_partitions('analytics.events', 2);

-- Gives a month a partition and moves there what `events_other` holds of it; false when it has one already.
-- Rows of a month come into `events_other` when somebody records what happened long ago, or when nobody has made
-- partitions ahead. It stops reads and writes of the table for as long as the move takes, so it does not wait long
-- for its locks: the job that calls it tries again.
CREATE FUNCTION analytics.ensure_month(month date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    lower timestamptz := date_trunc('month', month::timestamp) AT TIME ZONE 'UTC';
    upper timestamptz := (date_trunc('month', month::timestamp) + interval '1 month') AT TIME ZONE 'UTC';
    name text := to_char(month, '"events_"YYYY_MM');
BEGIN
    -- No weaker: a writer who has chosen `events_other` already would be refused once the month has its own.
    LOCK TABLE ONLY analytics.events IN SHARE ROW EXCLUSIVE MODE;
    IF to_regclass(format('analytics.%I', name)) IS NOT NULL THEN
        RETURN false;
    END IF;
    LOCK TABLE analytics.events_other IN ACCESS EXCLUSIVE MODE;
    EXECUTE format('CREATE TABLE analytics.%I (LIKE analytics.events INCLUDING ALL)', name);
    EXECUTE format('WITH moved AS (DELETE FROM analytics.events_other WHERE at >= %L AND at < %L RETURNING *)'
                   ' INSERT INTO analytics.%I SELECT * FROM moved', lower, upper, name);
    EXECUTE format('ALTER TABLE analytics.events ATTACH PARTITION analytics.%I FOR VALUES FROM (%L) TO (%L)',
                   name, lower, upper);
    RETURN true;
END $$;
REVOKE ALL ON FUNCTION analytics.ensure_month(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION analytics.ensure_month(date) TO pulse_maintenance;
