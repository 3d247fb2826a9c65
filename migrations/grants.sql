-- What follows from the comments of tables, whoever made them: pulse_privacy reads, changes and deletes what holds something
-- of persons. Run as pulse_owner after every migration run; writes only what is missing. Audit facts are not its to delete:
-- what it may do with them stands with their migration. Nothing is granted on partitions.
DO $grants$
DECLARE
    found regclass;
BEGIN
    FOR found IN
        SELECT c.oid
          FROM pg_class c
          JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relowner = 'pulse_owner'::regrole
           AND has_schema_privilege('pulse_privacy', n.oid, 'USAGE')
           AND NOT (n.nspname = 'platform' AND c.relname IN ('audit', 'privacy_requests'))
           AND EXISTS (
               SELECT FROM pg_attribute a
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                  AND col_description(c.oid, a.attnum) ~ '^@pii\(class: (?!NONE\))'
           )
           AND NOT (has_table_privilege('pulse_privacy', c.oid, 'SELECT') AND has_table_privilege('pulse_privacy', c.oid, 'UPDATE')
                    AND has_table_privilege('pulse_privacy', c.oid, 'DELETE'))
         ORDER BY c.oid
    LOOP
        EXECUTE format('GRANT SELECT, UPDATE, DELETE ON %s TO pulse_privacy', found);
    END LOOP;
END
$grants$;
