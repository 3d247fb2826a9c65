-- Every column of the tables of owner $1, or of all, as its comment declares it. Generated columns follow from others.
SELECT n.nspname::text AS owner, format('%I.%I', n.nspname, c.relname) AS name,
       substring(obj_description(c.oid, 'pg_class') FROM '^class: (\w+)\.') AS class,
       coalesce(substring(obj_description(c.oid, 'pg_class') FROM '^class: \w+\. (.*)$'), '') AS table_description,
       quote_ident(a.attname) AS column_name,
       substring(col_description(c.oid, a.attnum) FROM '^@pii\(class: (\w+)') AS pii,
       col_description(c.oid, a.attnum) ~ '^@pii\(class: SUBJECT, of: ROW\)' AS is_about,
       coalesce(substring(col_description(c.oid, a.attnum) FROM '^@pii\([^)]*\) (.*)$'), '') AS description,
       format_type(a.atttypid, NULL) AS type_name, a.attnotnull AS not_null,
       EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'p' AND a.attnum = ANY (k.conkey)) AS in_key,
       ARRAY(SELECT format('%I.%I', pn.nspname, p.relname)
               FROM pg_constraint k JOIN pg_class p ON p.oid = k.confrelid JOIN pg_namespace pn ON pn.oid = p.relnamespace
              WHERE k.conrelid = c.oid AND k.contype = 'f') AS parents
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
 WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
   AND obj_description(c.oid, 'pg_class') ~ '^class: (tenant|person|platform)\.'
   AND col_description(c.oid, a.attnum) ~ '^@pii\('
   AND n.nspname <> 'pulse_migrations' AND ($1::text IS NULL OR n.nspname = $1)
 ORDER BY n.nspname, c.relname, a.attnum
