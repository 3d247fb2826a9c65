-- Every row of the outbox is deleted soon after it was written, so that what is dead in it is all that there is; whoever looks
-- into it reads past that until it is vacuumed.
ALTER TABLE platform.outbox SET (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0
);
