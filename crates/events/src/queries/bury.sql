-- $1 id, $2 group, $3 position, $4 tenant, $5 the change, $6 attempts, $7 error, $8 now.
INSERT INTO platform.dead_letters (id, consumer, position, tenant, event, attempts, error, at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (consumer, position) DO UPDATE SET attempts = excluded.attempts, error = excluded.error, at = excluded.at
