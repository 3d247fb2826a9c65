-- $1 organization, $2 user, $3 role, $4 now, $5 actor.
WITH old AS (
    SELECT org_id, user_id, role, version, joined_at FROM accounts.memberships
     WHERE org_id = $1 AND user_id = $2 FOR NO KEY UPDATE
), kept AS (
    INSERT INTO accounts.history (org_id, subject, id, version, value, at, actor)
    SELECT org_id, 'accounts.membership', user_id, version,
           jsonb_build_object('role', role, 'joined_at', joined_at), $4, $5
      FROM old
)
UPDATE accounts.memberships m SET role = $3, version = old.version + 1, updated_at = $4
  FROM old
 WHERE m.org_id = old.org_id AND m.user_id = old.user_id
RETURNING m.user_id, m.role, m.version, m.joined_at
