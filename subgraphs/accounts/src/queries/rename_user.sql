-- $1 user, $2 name, $3 now. The lock keeps the version in the history that of the row that is replaced.
WITH old AS (
    SELECT user_id, email, name, version FROM accounts.users WHERE user_id = $1 FOR NO KEY UPDATE
), kept AS (
    INSERT INTO accounts.user_history (user_id, version, value, at)
    SELECT user_id, version, jsonb_build_object('email', email, 'name', name), $3 FROM old
)
UPDATE accounts.users u SET name = $2, version = old.version + 1, updated_at = $3
  FROM old
 WHERE u.user_id = old.user_id
RETURNING u.user_id, u.email, u.name, u.version, u.created_at
