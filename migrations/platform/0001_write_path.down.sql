DROP TABLE platform.jobs, platform.idempotency, platform.audit, platform.log_head, platform.log, platform.outbox;
DROP FUNCTION platform.ensure_month_partitions(regclass, int), platform.ensure_log_partitions(bigint), platform.uuid_floor(timestamptz);
