-- $1 organization, $2 user, $3 now, $4 actor.
WITH old AS (
    DELETE FROM accounts.memberships WHERE org_id = $1 AND user_id = $2
    RETURNING org_id, user_id, role, version, joined_at
), kept AS (
    INSERT INTO accounts.history (org_id, subject, id, version, value, at, actor)
    SELECT org_id, 'accounts.membership', user_id, version,
           jsonb_build_object('role', role, 'joined_at', joined_at), $3, $4
      FROM old
)
SELECT user_id, role, version, joined_at FROM old
