-- $1 organization, $2 slug or null, $3 name or null, $4 now, $5 actor. What is null stays. The lock keeps the version in
-- the history that of the row that is replaced.
WITH old AS (
    SELECT org_id, slug, name, version FROM accounts.organizations WHERE org_id = $1 FOR NO KEY UPDATE
), kept AS (
    INSERT INTO accounts.history (org_id, subject, id, version, value, at, actor)
    SELECT org_id, 'accounts.organization', org_id, version, jsonb_build_object('slug', slug, 'name', name), $4, $5
      FROM old
)
UPDATE accounts.organizations o
   SET slug = coalesce($2, old.slug), name = coalesce($3, old.name), version = old.version + 1, updated_at = $4
  FROM old
 WHERE o.org_id = old.org_id
RETURNING o.org_id, o.slug, o.name, o.version, o.created_at
