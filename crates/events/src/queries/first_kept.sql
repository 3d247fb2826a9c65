-- The first position of the first partition of the log that holds something younger than $1, or of the last partition.
SELECT coalesce(
    (SELECT min(part.first) FROM (
        SELECT n * 1000000 AS first FROM platform.log_head,
               generate_series(oldest / 1000000, position / 1000000) AS n
     ) AS part
     CROSS JOIN LATERAL (
        SELECT at FROM platform.log
         WHERE position >= part.first AND position < part.first + 1000000
         ORDER BY position DESC LIMIT 1
     ) AS newest
     WHERE newest.at >= $1),
    (SELECT position / 1000000 * 1000000 FROM platform.log_head))
