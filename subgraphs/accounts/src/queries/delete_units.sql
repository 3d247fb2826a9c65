-- $1 organization, $2 units, $3 now, $4 actor.
WITH old AS (
    DELETE FROM accounts.units WHERE org_id = $1 AND id = ANY ($2)
    RETURNING org_id, id, kind, parent, name, version
), kept AS (
    INSERT INTO accounts.history (org_id, subject, id, version, value, at, actor)
    SELECT org_id, 'accounts.unit', id, version,
           jsonb_build_object('kind', kind, 'parent', parent, 'name', name), $3, $4
      FROM old
)
SELECT count(*) FROM old
