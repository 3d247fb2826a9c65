-- The streams that gateways have open, for those who look after them. What gateways report is worth as much as the
-- gateways that it came from: it is in no backup, and after a crash they report it again.

-- ── gateways ────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE UNLOGGED TABLE operations.gateways (
    id           uuid PRIMARY KEY,
    lease_until  timestamptz NOT NULL
);
COMMENT ON TABLE operations.gateways IS 'class: platform. The gateway processes that report their streams.';
COMMENT ON COLUMN operations.gateways.id IS '@pii(class: NONE) The process.';
COMMENT ON COLUMN operations.gateways.lease_until IS '@pii(class: NONE) When a process that says nothing more is gone, and its streams with it.';

-- ── streams ─────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE UNLOGGED TABLE operations.streams (
    tenant     uuid NOT NULL,
    id         uuid NOT NULL,
    gateway    uuid NOT NULL REFERENCES operations.gateways (id) ON DELETE CASCADE,
    person     uuid,
    session    uuid,
    kind       text COLLATE "C" NOT NULL CHECK (kind IN ('SUBSCRIPTION', 'LIVE_QUERY')),
    transport  text COLLATE "C" NOT NULL,
    operation  text COLLATE "C",
    hash       text COLLATE "C" NOT NULL,
    opened_at  timestamptz NOT NULL,
    PRIMARY KEY (tenant, id)
);
COMMENT ON TABLE operations.streams IS 'class: platform. Who listens to what, as each gateway last said.';
COMMENT ON COLUMN operations.streams.tenant IS '@pii(class: NONE) The tenant that the listener acts in.';
COMMENT ON COLUMN operations.streams.id IS '@pii(class: NONE) UUIDv7, made by the gateway.';
COMMENT ON COLUMN operations.streams.gateway IS '@pii(class: NONE) The process that has it open.';
COMMENT ON COLUMN operations.streams.person IS '@pii(class: SUBJECT) Who listens; null for one whom another issuer of tokens knows.';
COMMENT ON COLUMN operations.streams.session IS '@pii(class: NONE) The session that it stands on.';
COMMENT ON COLUMN operations.streams.kind IS '@pii(class: NONE) SUBSCRIPTION or LIVE_QUERY.';
COMMENT ON COLUMN operations.streams.transport IS '@pii(class: NONE) How it reaches the client.';
COMMENT ON COLUMN operations.streams.operation IS '@pii(class: NONE) The operation''s name, when it has one.';
COMMENT ON COLUMN operations.streams.hash IS '@pii(class: NONE) The SHA-256 of the operation''s text.';
COMMENT ON COLUMN operations.streams.opened_at IS '@pii(class: NONE) When it was opened.';
CREATE INDEX streams_gateway ON operations.streams (gateway);

-- ── walls ───────────────────────────────────────────────────────────────────────────────────────────────────────
ALTER TABLE operations.streams ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON operations.streams FOR SELECT TO pulse_app
    USING (tenant = nullif(current_setting('pulse.org_id', true), '')::uuid);
CREATE POLICY reports ON operations.streams TO pulse_system USING (true);
GRANT SELECT ON operations.streams, operations.gateways TO pulse_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON operations.streams, operations.gateways TO pulse_system;
