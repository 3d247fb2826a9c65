-- A schedule of Pulse itself, made or brought up to date.
-- $1 id, $2 name, $3 kind, $4 cron expression in UTC, $5 rule for missed runs, $6 next run, $7 now.
INSERT INTO platform.schedules AS old (id, tenant, name, kind, cron, zone, payload, priority, missed, enabled, next_run,
                                       version, created_at, updated_at)
VALUES ($1, NULL, $2, $3, $4, 'UTC', '{}', 0, $5, true, $6, 1, $7, $7)
    ON CONFLICT (tenant, name) DO UPDATE
   SET kind = excluded.kind, cron = excluded.cron, missed = excluded.missed, next_run = excluded.next_run,
       version = old.version + 1, updated_at = excluded.updated_at
 WHERE (old.kind, old.cron, old.missed) IS DISTINCT FROM (excluded.kind, excluded.cron, excluded.missed)
