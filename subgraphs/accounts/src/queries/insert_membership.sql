-- $1 organization, $2 user, $3 role, $4 now. Who was a member before goes on behind the version of leaving.
INSERT INTO accounts.memberships (org_id, user_id, role, version, joined_at, updated_at)
SELECT $1, $2, $3, coalesce(max(version) + 2, 1), $4, $4
  FROM accounts.history
 WHERE org_id = $1 AND subject = 'accounts.membership' AND id = $2
RETURNING user_id, role, version, joined_at
