-- Whether events are on their way to the log, or in it unread by a consumer, or tables of this database are being vacuumed.
SELECT EXISTS (SELECT FROM platform.outbox)
    OR EXISTS (SELECT FROM platform.consumers AS c, platform.log_head AS h WHERE c.position < h.position)
    OR EXISTS (SELECT FROM pg_stat_activity
                WHERE backend_type = 'autovacuum worker' AND datname = current_database())
