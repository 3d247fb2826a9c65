-- How many events there are in each interval of several ranges, zero where there are none.
-- $1 tenant; ranges: $2 from, $3 to, $4 unit, $5 time zone.
WITH asked AS (
    SELECT * FROM unnest($2::timestamptz[], $3::timestamptz[], $4::text[], $5::text[])
                  WITH ORDINALITY AS range (lower, upper, unit, zone, nth)
), counted AS (
    SELECT nth, date_trunc(unit, event.at, zone) AS bucket, count(*) AS events
      FROM asked
      JOIN analytics.events AS event ON event.org_id = $1 AND event.at >= lower AND event.at < upper
     GROUP BY 1, 2
    UNION ALL
    SELECT nth, date_trunc(unit, step, zone), 0
      FROM asked
      CROSS JOIN generate_series(date_trunc(unit, lower, zone), upper - interval '1 microsecond',
                                 ('1 ' || unit)::interval, zone) AS step
)
SELECT nth, bucket, sum(events)::bigint AS events FROM counted GROUP BY 1, 2 ORDER BY 1, 2
