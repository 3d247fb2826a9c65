CREATE TABLE analytics.events_other PARTITION OF analytics.events DEFAULT;

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

DROP FUNCTION analytics.make_month(date);
