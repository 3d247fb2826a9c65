-- A month gets its partition before its first row comes, so that rows never move between partitions: a transaction that
-- began before such a move would find them in neither.

-- Gives a month a partition; false when it has one already. Stops neither reads nor writes: without a default partition
-- PostgreSQL has no rows to look at.
CREATE FUNCTION analytics.make_month(month date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    lower timestamptz := date_trunc('month', month::timestamp) AT TIME ZONE 'UTC';
    upper timestamptz := (date_trunc('month', month::timestamp) + interval '1 month') AT TIME ZONE 'UTC';
    name text := to_char(month, '"events_"YYYY_MM');
BEGIN
    -- One at a time makes a partition.
    LOCK TABLE ONLY analytics.events IN SHARE UPDATE EXCLUSIVE MODE;
    IF to_regclass(format('analytics.%I', name)) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE analytics.%I (LIKE analytics.events INCLUDING ALL)', name);
    EXECUTE format('ALTER TABLE analytics.events ATTACH PARTITION analytics.%I FOR VALUES FROM (%L) TO (%L)',
                   name, lower, upper);
    RETURN true;
END $$;
REVOKE ALL ON FUNCTION analytics.make_month(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION analytics.make_month(date) TO pulse_maintenance;

-- What has no month of its own yet.
LOCK TABLE analytics.events IN ACCESS EXCLUSIVE MODE;
ALTER TABLE analytics.events DETACH PARTITION analytics.events_other;
-- Its owner, who moves the rows, is behind the wall too.
ALTER TABLE analytics.events NO FORCE ROW LEVEL SECURITY;
SELECT analytics.make_month(month)
  FROM (SELECT DISTINCT date_trunc('month', at AT TIME ZONE 'UTC')::date AS month FROM analytics.events_other) AS homeless;
INSERT INTO analytics.events SELECT * FROM analytics.events_other;
ALTER TABLE analytics.events FORCE ROW LEVEL SECURITY;
DROP TABLE analytics.events_other;

DROP FUNCTION analytics.ensure_month(date);
