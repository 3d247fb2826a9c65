-- The next jobs, by turns: every tenant's first before anybody's second, what a tenant has running and has just had
-- counted in; among jobs of the same turn higher priorities first. A tenant's own are in the order of their priorities.
-- Runs under the claim lock, so that limits hold across workers.
-- $1 now, $2 lease in seconds; by kind: $3 kinds, $4 how many may run at once (null: any), $5 attempts (null: as enqueued);
-- $6 limit, $7 worker, $8 jobs of a tenant at once, $9 a tenant's share of this worker;
-- $10, $11 the lane and kind after which to look, $12 how many lanes to look at; $13 whose jobs were claimed last;
-- $14 whether slots that nobody else has use for are lent to a tenant beyond its share. They are not where there are lanes
-- that this claim does not look at.
WITH RECURSIVE lanes AS (
    (SELECT lane, kind, 1 AS nth FROM platform.jobs
      WHERE status = 'pending' AND ready AND (lane, kind) > ($10, $11)
      ORDER BY lane, kind LIMIT 1)
    UNION ALL
    SELECT next.lane, next.kind, lanes.nth + 1
      FROM lanes
     CROSS JOIN LATERAL (
           SELECT lane, kind FROM platform.jobs
            WHERE status = 'pending' AND ready AND (lane, kind) > (lanes.lane, lanes.kind)
            ORDER BY lane, kind LIMIT 1
          ) AS next
     WHERE lanes.nth < $12
), kinds AS (
    SELECT * FROM unnest($3::text[], $4::int[], $5::int[]) AS kind (kind, most, attempts)
), running AS (
    SELECT lane, kind, count(*) AS everywhere, count(*) FILTER (WHERE worker = $7) AS here
      FROM platform.jobs WHERE status = 'processing' GROUP BY lane, kind
), running_of_kind AS (
    SELECT kind, sum(everywhere) AS everywhere FROM running GROUP BY kind
), running_of_lane AS (
    SELECT lane, sum(everywhere) AS everywhere, sum(here) AS here FROM running GROUP BY lane
), recent AS (
    SELECT lane, count(*) AS times FROM unnest($13::uuid[]) AS lane GROUP BY lane
), first AS (
    SELECT lane, kind, id, priority, run_at, most - coalesce(everywhere, 0) AS room
      FROM lanes JOIN kinds USING (kind) LEFT JOIN running_of_kind USING (kind)
     CROSS JOIN LATERAL (
           SELECT id, priority, run_at FROM platform.jobs
            WHERE status = 'pending' AND ready AND lane = lanes.lane AND kind = lanes.kind
            ORDER BY priority DESC, run_at, id
            LIMIT (SELECT least($6, greatest(2, 2 * $6 / greatest(count(*), 1))) FROM lanes)
          ) AS job
     WHERE most IS NULL OR most > coalesce(everywhere, 0)
), numbered AS (
    SELECT first.*, coalesce(everywhere, 0) AS everywhere, coalesce(here, 0) AS here, coalesce(times, 0) AS recently,
           row_number() OVER (PARTITION BY lane ORDER BY priority DESC, run_at, id) AS nth
      FROM first LEFT JOIN running_of_lane USING (lane) LEFT JOIN recent USING (lane)
), allowed AS (
    SELECT id, priority, run_at, room, lent, turn,
           row_number() OVER (PARTITION BY kind ORDER BY lent, turn, priority DESC, run_at, id) AS nth_of_kind
      FROM (SELECT *, everywhere + recently + nth AS turn,
                   lane <> '00000000-0000-0000-0000-000000000000' AND here + nth > $9 AS lent
              FROM numbered
             WHERE lane = '00000000-0000-0000-0000-000000000000' OR everywhere + nth <= $8) AS numbered
     WHERE NOT lent OR $14 AND $11 = '' AND (SELECT count(*) FROM lanes) < $12
), taken AS (
    SELECT id FROM platform.jobs
     WHERE status = 'pending' AND id = ANY (ARRAY(
           SELECT id FROM allowed WHERE room IS NULL OR nth_of_kind <= room
            ORDER BY lent, turn, priority DESC, run_at, id LIMIT $6))
       FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE platform.jobs AS job
       SET status = 'processing', attempts = job.attempts + 1, max_attempts = coalesce(kinds.attempts, max_attempts),
           claims = claims + 1, worker = $7, lease_until = $1 + make_interval(secs => $2), started_at = $1,
           progress = 0, version = version + 1
      FROM taken, kinds
     WHERE job.id = taken.id AND kinds.kind = job.kind
    RETURNING job.id, tenant, job.kind, payload, priority, job.attempts, max_attempts, claims, run_at, version, actor
), told AS (
    INSERT INTO platform.outbox (tenant, kind, subject, key, version, changed, attributes, before, at)
    SELECT tenant, 'updated', 'platform.job', id, version, '{status}',
           jsonb_strip_nulls(jsonb_build_object('kind', kind, 'status', 'processing', 'progress', 0, 'owner', actor)), '{"status": "pending"}', $1
      FROM claimed WHERE tenant IS NOT NULL
)
SELECT (SELECT count(*) FROM lanes) AS lanes, last.lane AS last_lane, last.kind AS last_kind,
       (SELECT min(run_at) FROM platform.jobs WHERE status = 'pending' AND NOT ready) AS next_due,
       (SELECT min(next_run) FROM platform.schedules WHERE enabled AND kind = ANY ($3)) AS next_run,
       claimed.id, claimed.tenant, claimed.kind, payload, claimed.attempts, max_attempts, claims, claimed.run_at
  FROM (SELECT) AS summary
  LEFT JOIN (SELECT lane, kind FROM lanes ORDER BY nth DESC LIMIT 1) AS last ON true
  LEFT JOIN claimed ON true
 ORDER BY claimed.priority DESC, claimed.run_at, claimed.id
