-- Takes or keeps the group $1 for the process $2 at $3 for $4 seconds, and stores how far it has come, $5; its place, if it
-- is not another's, and whether somebody wants its dead letters tried once more.
UPDATE platform.consumers
   SET holder = $2,
       lease_until = $3 + make_interval(secs => $4),
       position = CASE WHEN holder = $2 THEN greatest(position, coalesce($5, position)) ELSE position END
 WHERE name = $1 AND (holder = $2 OR holder IS NULL OR lease_until < $3)
RETURNING position, attempts, retry_at,
          EXISTS (SELECT FROM platform.dead_letters WHERE consumer = $1 AND retry) AS retries
