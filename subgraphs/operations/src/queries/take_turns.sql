-- Webhooks of which something is due and that nobody sends for.
-- $1 now, $2 until when the turn lasts, $3 the holder, $4 limit, $5 busy hosts, $6 busy tenants.
WITH next AS (
    SELECT webhook FROM operations.dispatch
     WHERE due_at <= $1 AND (lease_until IS NULL OR lease_until < $1)
       AND host <> ALL ($5) AND tenant <> ALL ($6)
     ORDER BY due_at
     LIMIT $4
       FOR UPDATE SKIP LOCKED
)
UPDATE operations.dispatch AS turn SET holder = $3, lease_until = $2
  FROM next
 WHERE turn.webhook = next.webhook
RETURNING turn.webhook, turn.tenant, turn.host, turn.holder
