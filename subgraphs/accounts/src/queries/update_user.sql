-- $1 user, $2 name or null, $3 address or null, $4 when the address was verified or null, $5 now, $6 the address that it must
-- have or null. What is null stays. The lock keeps the version in the history that of the row that is replaced.
WITH old AS (
    SELECT user_id, email, name, email_verified_at, version FROM accounts.users
     WHERE user_id = $1 AND ($6::text IS NULL OR email = $6) FOR NO KEY UPDATE
), kept AS (
    INSERT INTO accounts.user_history (user_id, version, value, at)
    SELECT user_id, version, jsonb_build_object('email', email, 'name', name), $5 FROM old
)
UPDATE accounts.users u
   SET name = coalesce($2, old.name), email = coalesce($3, old.email),
       email_verified_at = coalesce($4, old.email_verified_at), version = old.version + 1, updated_at = $5
  FROM old
 WHERE u.user_id = old.user_id
RETURNING u.user_id, u.email, u.name, u.email_verified_at, u.version, u.created_at
