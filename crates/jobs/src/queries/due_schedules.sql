-- Schedules whose time has come, of kinds that somebody here can do. $1 now, $2 kinds.
SELECT id, cron, zone, missed, next_run
  FROM platform.schedules
 WHERE enabled AND next_run <= $1 AND kind = ANY ($2)
 ORDER BY next_run
 LIMIT 100
   FOR UPDATE SKIP LOCKED
