-- One row for each thing that breaks a convention: rule, object, message.
-- $1: the listed SECURITY DEFINER functions, as text[].
WITH our_schemas AS (
    SELECT oid, nspname FROM pg_namespace
    WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND nspname !~ '^pg_(temp|toast_temp)_'
),
-- What an extension brought is not ours to declare.
extension_objects AS (
    SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
),
relations AS (
    SELECT c.oid, c.relkind, c.relispartition, c.relrowsecurity, c.relforcerowsecurity, c.relacl, c.reloptions,
           c.relowner, format('%s.%s', s.nspname, c.relname) AS name,
           substring(obj_description(c.oid, 'pg_class') FROM '^class: (tenant|person|platform)\. \S') AS class
    FROM pg_class c
    JOIN our_schemas s ON s.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND NOT EXISTS (SELECT FROM extension_objects e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid)
),
tables AS (
    SELECT * FROM relations WHERE relkind IN ('r', 'p', 'f') AND NOT relispartition
),
columns AS (
    SELECT t.oid, t.name AS table_name, t.class, a.attname, a.attnum, a.attnotnull,
           format_type(a.atttypid, a.atttypmod) AS type, col_description(t.oid, a.attnum) AS comment
    FROM tables t
    JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
),
-- What each class of table is walled by.
walls AS (
    SELECT t.*, w.key, format('(%s = %s)', w.key, w.setting) AS condition,
           format('(%s = COALESCE(%s, ''00000000-0000-0000-0000-000000000000''::uuid))', w.key, w.setting) AS nil_condition
    FROM tables t
    JOIN (VALUES
        ('tenant', 'org_id', '(NULLIF(current_setting(''pulse.org_id''::text, true), ''''::text))::uuid'),
        ('person', 'user_id', '(NULLIF(current_setting(''pulse.user_id''::text, true), ''''::text))::uuid')
    ) AS w (class, key, setting) ON w.class = t.class
),
policies AS (
    SELECT w.oid, w.name, w.condition, w.nil_condition, p.polname, p.polcmd,
           pg_get_expr(p.polqual, p.polrelid) AS using_condition,
           pg_get_expr(p.polwithcheck, p.polrelid) AS check_condition
    FROM walls w
    -- The maintenance role deletes what expired in every tenant, where a policy of its own says so.
    JOIN pg_policy p ON p.polrelid = w.oid AND p.polpermissive
        AND p.polroles <> ARRAY(SELECT oid FROM pg_roles WHERE rolname = 'pulse_maintenance')
),
functions AS (
    SELECT p.oid, format('%s.%s(%s)', s.nspname, p.proname, oidvectortypes(p.proargtypes)) AS signature,
           p.proconfig, p.proacl, p.proowner
    FROM pg_proc p
    JOIN our_schemas s ON s.oid = p.pronamespace
    WHERE p.prosecdef
      AND NOT EXISTS (SELECT FROM extension_objects e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid)
),
found (rule, object, message) AS (
    SELECT 'table_class', name,
           'declare the table''s class: COMMENT ON TABLE … IS ''class: tenant|person|platform. What a row is.'''
    FROM tables WHERE class IS NULL

    UNION ALL
    SELECT 'column_class', table_name || '.' || attname,
           'declare the column''s class: COMMENT ON COLUMN … IS ''@pii(class: NONE|NAME|CONTACT|CREDENTIAL|SUBJECT|CONTENT|ADDRESS) What it is.'''
    FROM columns
    WHERE comment IS NULL
       OR comment !~ '^@pii\(class: (NONE|NAME|CONTACT|CREDENTIAL|SUBJECT(, of: ROW)?|CONTENT|ADDRESS)\) \S'

    UNION ALL
    SELECT 'table_owner', r.name, format('pulse_owner must own it, not %s', r.relowner::regrole)
    FROM relations r
    WHERE r.relowner IS DISTINCT FROM (SELECT oid FROM pg_roles WHERE rolname = 'pulse_owner')

    UNION ALL
    SELECT 'wall_column', w.name, format('a %s table needs the column %s uuid NOT NULL', w.class, w.key)
    FROM walls w
    WHERE NOT EXISTS (
        SELECT FROM columns c WHERE c.oid = w.oid AND c.attname = w.key AND c.attnotnull AND c.type = 'uuid'
    )

    UNION ALL
    SELECT 'wall_key', w.name, format('the primary key must begin with %s', w.key)
    FROM walls w
    WHERE NOT EXISTS (
        SELECT FROM pg_constraint k
        JOIN columns c ON c.oid = w.oid AND c.attnum = k.conkey[1]
        WHERE k.conrelid = w.oid AND k.contype = 'p' AND c.attname = w.key
    )

    UNION ALL
    SELECT 'row_security', w.name, 'row-level security must be enabled and forced: ALTER TABLE … ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY'
    FROM walls w
    WHERE NOT (w.relrowsecurity AND w.relforcerowsecurity)

    UNION ALL
    SELECT 'policy_missing', w.name, format('it needs a policy USING %s', w.condition)
    FROM walls w
    WHERE NOT EXISTS (SELECT FROM policies p WHERE p.oid = w.oid AND p.using_condition = w.condition)

    UNION ALL
    SELECT 'policy_wider', p.name, format('the policy %s lets through more than %s', p.polname, p.condition)
    FROM policies p
    CROSS JOIN LATERAL (VALUES (p.using_condition), (p.check_condition)) AS c (condition)
    WHERE c.condition IS NOT NULL
      AND c.condition <> p.condition
      AND NOT (starts_with(c.condition, '(' || p.condition || ' AND ') AND c.condition !~ '\) OR \(')
      -- A fact about no tenant may be added under the nil id; no tenant has that, so none can read it back.
      AND NOT (p.polcmd = 'a' AND c.condition = p.nil_condition)

    UNION ALL
    SELECT 'platform_column', table_name || '.' || attname,
           format('a platform table names a tenant "tenant" and a person "actor", not %s', attname)
    FROM columns WHERE class = 'platform' AND attname IN ('org_id', 'user_id')

    UNION ALL
    SELECT 'tenant_undeclared', t.name, 'it has org_id, so it is a tenant table'
    FROM tables t
    JOIN columns c ON c.oid = t.oid AND c.attname = 'org_id'
    WHERE t.class = 'person'

    UNION ALL
    SELECT 'partition_grant', r.name,
           format('%s may read or write the partition past its parent''s policy; revoke it', coalesce(nullif(a.grantee, 0)::regrole::text, 'PUBLIC'))
    FROM relations r
    CROSS JOIN LATERAL aclexplode(r.relacl) AS a
    WHERE r.relispartition AND a.grantee <> r.relowner

    UNION ALL
    SELECT 'materialized_view', name, 'row-level security does not reach into it; keep a rollup table instead'
    FROM relations WHERE relkind = 'm'

    UNION ALL
    SELECT 'view_rights', name, 'it reads with its owner''s rights; create it WITH (security_invoker = true)'
    FROM relations
    WHERE relkind = 'v'
      AND NOT EXISTS (
          SELECT FROM unnest(reloptions) AS o WHERE o IN ('security_invoker=true', 'security_invoker=on', 'security_invoker=1')
      )

    UNION ALL
    SELECT 'public_grant', r.name, 'every login may use it; revoke it from PUBLIC'
    FROM relations r
    CROSS JOIN LATERAL aclexplode(r.relacl) AS a
    WHERE a.grantee = 0 AND NOT r.relispartition

    UNION ALL
    SELECT 'definer_unlisted', signature, 'it runs with its owner''s rights; list it in migrations/definer-functions.txt'
    FROM functions WHERE signature <> ALL ($1)

    UNION ALL
    SELECT 'definer_search_path', signature, 'it runs in the caller''s search_path; add SET search_path = pg_catalog, …'
    FROM functions
    WHERE NOT EXISTS (SELECT FROM unnest(proconfig) AS c WHERE starts_with(c, 'search_path='))

    UNION ALL
    SELECT 'definer_public', signature, 'everybody may call it; revoke EXECUTE from PUBLIC'
    FROM functions f
    WHERE EXISTS (
        SELECT FROM aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) AS a
        WHERE a.grantee = 0 AND a.privilege_type = 'EXECUTE'
    )

    UNION ALL
    SELECT 'definer_missing', listed, 'migrations/definer-functions.txt lists it, but it is no SECURITY DEFINER function here'
    FROM unnest($1) AS listed
    WHERE listed NOT IN (SELECT signature FROM functions)

    UNION ALL
    SELECT 'foreign_key', format('%s.%s', child.nspname, c.relname),
           format('the foreign key %s leaves the schema for %s; keep the id and let federation resolve it', k.conname, k.confrelid::regclass)
    FROM pg_constraint k
    JOIN pg_class c ON c.oid = k.conrelid
    JOIN our_schemas child ON child.oid = c.relnamespace
    JOIN pg_class target ON target.oid = k.confrelid
    WHERE k.contype = 'f' AND target.relnamespace <> c.relnamespace

    UNION ALL
    SELECT 'role', rolname, 'only pulse_lookup and pulse_privacy may bypass row-level security, and none of these roles may log in or be a superuser'
    FROM pg_roles
    WHERE rolname ~ '^pulse_(owner|app|narrowed|system|maintenance|readonly|lookup|privacy)$'
      AND (rolcanlogin OR rolsuper OR rolbypassrls <> (rolname IN ('pulse_lookup', 'pulse_privacy')))
)
SELECT rule, object, message FROM found ORDER BY object, rule, message
