-- $1 the tenant. All that it has laid down, in one row: what is read together holds together.
SELECT jsonb_build_object(
    'units', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', id, 'parent', parent, 'name', name)), '[]')
                FROM accounts.units WHERE org_id = $1),
    'roles', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', id, 'name', name, 'permissions', permissions)), '[]')
                FROM accounts.roles WHERE org_id = $1),
    'assignments', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', id, 'principal_kind', principal_kind,
                        'principal', principal, 'role', role, 'template', template, 'place', place)), '[]')
                      FROM accounts.role_assignments WHERE org_id = $1),
    'grants', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', id, 'principal_kind', principal_kind,
                   'principal', principal, 'effect', effect, 'permission', permission, 'resource', resource,
                   'by_owner', by_owner, 'expires_at', expires_at)), '[]')
                 FROM accounts.grants WHERE org_id = $1)) AS rows
