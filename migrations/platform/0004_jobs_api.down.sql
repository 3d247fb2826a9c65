ALTER TABLE platform.log DROP COLUMN facts;
ALTER TABLE platform.outbox DROP COLUMN facts;

REVOKE SELECT, DELETE, UPDATE (retry) ON platform.dead_letters FROM pulse_app;
DROP POLICY work ON platform.dead_letters;
DROP POLICY tenant ON platform.dead_letters;
ALTER TABLE platform.dead_letters NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;

DROP INDEX platform.jobs_ended_kind, platform.jobs_ended_unfinished;
