-- $1 organization, $2 unit, $3 name, $4 parent or null, $5 now, $6 actor.
WITH old AS (
    SELECT org_id, id, kind, parent, name, version FROM accounts.units
     WHERE org_id = $1 AND id = $2 FOR NO KEY UPDATE
), kept AS (
    INSERT INTO accounts.history (org_id, subject, id, version, value, at, actor)
    SELECT org_id, 'accounts.unit', id, version,
           jsonb_build_object('kind', kind, 'parent', parent, 'name', name), $5, $6
      FROM old
)
UPDATE accounts.units u SET name = $3, parent = $4, version = old.version + 1, updated_at = $5
  FROM old
 WHERE u.org_id = old.org_id AND u.id = old.id
RETURNING u.id, u.kind, u.parent, u.name, u.version, u.created_at, u.updated_at
