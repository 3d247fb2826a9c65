REVOKE INSERT ON platform.outbox FROM pulse_system;
DROP TABLE platform.dead_letters, platform.consumers;
REVOKE SELECT ON platform.log, platform.log_head FROM pulse_maintenance;
DROP FUNCTION platform.drop_log_partitions(bigint);
ALTER TABLE platform.log_head DROP COLUMN name, DROP COLUMN oldest;
DROP INDEX platform.log_tenant;
ALTER TABLE platform.log DROP COLUMN before, DROP COLUMN request;
ALTER TABLE platform.outbox DROP COLUMN before, DROP COLUMN request;
