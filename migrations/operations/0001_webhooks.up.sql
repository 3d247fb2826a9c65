-- Webhooks: where an organization wants its events sent, each thing that was or is to be sent, and whose turn it is.

-- ── webhooks ────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE operations.webhooks (
    org_id                 uuid NOT NULL,
    id                     uuid NOT NULL,
    url                    text COLLATE "C" NOT NULL CHECK (length(url) BETWEEN 1 AND 2000),
    description            text COLLATE "C" NOT NULL CHECK (length(description) <= 1000),
    filter                 jsonb NOT NULL CHECK (jsonb_typeof(filter) = 'object'),
    secret                 text COLLATE "C" NOT NULL,
    previous_secret        text COLLATE "C",
    previous_secret_until  timestamptz,
    state                  text COLLATE "C" NOT NULL CHECK (state IN ('ACTIVE', 'PAUSED')),
    pause_reason           text COLLATE "C" CHECK (pause_reason IN ('REQUESTED', 'GONE', 'FAILING')),
    paused_at              timestamptz,
    failing_since          timestamptz,
    failed_in_row          int NOT NULL DEFAULT 0,
    version                bigint NOT NULL,
    created_at             timestamptz NOT NULL,
    updated_at             timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    CHECK ((state = 'PAUSED') = (pause_reason IS NOT NULL) AND (state = 'PAUSED') = (paused_at IS NOT NULL)),
    CHECK ((previous_secret IS NULL) = (previous_secret_until IS NULL))
);
COMMENT ON TABLE operations.webhooks IS 'class: tenant. Where events of an organization are sent to.';
COMMENT ON COLUMN operations.webhooks.org_id IS '@pii(class: NONE) The tenant.';
COMMENT ON COLUMN operations.webhooks.id IS '@pii(class: NONE) UUIDv7.';
COMMENT ON COLUMN operations.webhooks.url IS '@pii(class: CONTENT) Where they are sent to.';
COMMENT ON COLUMN operations.webhooks.description IS '@pii(class: CONTENT) What people say of it.';
COMMENT ON COLUMN operations.webhooks.filter IS '@pii(class: CONTENT) Which events: subjects, kinds, and routing attributes with what each must be.';
COMMENT ON COLUMN operations.webhooks.secret IS '@pii(class: CREDENTIAL) What bodies are signed with.';
COMMENT ON COLUMN operations.webhooks.previous_secret IS '@pii(class: CREDENTIAL) What they were signed with before, and are as well for a while.';
COMMENT ON COLUMN operations.webhooks.previous_secret_until IS '@pii(class: NONE) Until when.';
COMMENT ON COLUMN operations.webhooks.state IS '@pii(class: NONE) ACTIVE or PAUSED.';
COMMENT ON COLUMN operations.webhooks.pause_reason IS '@pii(class: NONE) REQUESTED, GONE or FAILING.';
COMMENT ON COLUMN operations.webhooks.paused_at IS '@pii(class: NONE) When it was paused.';
COMMENT ON COLUMN operations.webhooks.failing_since IS '@pii(class: NONE) When the first attempt failed of those that failed since the last good one.';
COMMENT ON COLUMN operations.webhooks.failed_in_row IS '@pii(class: NONE) How many deliveries were given up since the last good one.';
COMMENT ON COLUMN operations.webhooks.version IS '@pii(class: NONE) From 1; how its deliveries go does not count.';
COMMENT ON COLUMN operations.webhooks.created_at IS '@pii(class: NONE) When it was made.';
COMMENT ON COLUMN operations.webhooks.updated_at IS '@pii(class: NONE) When it last changed.';

-- ── deliveries ──────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE operations.deliveries (
    org_id            uuid NOT NULL,
    id                uuid NOT NULL,
    webhook_id        uuid NOT NULL,
    position          bigint,
    event_type        text COLLATE "C" NOT NULL,
    body              text COLLATE "C" NOT NULL,
    status            text COLLATE "C" NOT NULL CHECK (status IN ('PENDING', 'DELIVERED', 'FAILED', 'HELD')),
    attempts          int NOT NULL DEFAULT 0,
    next_attempt_at   timestamptz,
    last_attempt_at   timestamptz,
    last_status_code  int,
    last_duration_ms  int,
    last_error        text COLLATE "C",
    created_at        timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    CHECK ((status = 'PENDING') = (next_attempt_at IS NOT NULL))
);
COMMENT ON TABLE operations.deliveries IS 'class: tenant. One event for one webhook, and what became of it; kept for 30 days unless set otherwise.';
COMMENT ON COLUMN operations.deliveries.org_id IS '@pii(class: NONE) The tenant.';
COMMENT ON COLUMN operations.deliveries.id IS '@pii(class: NONE) UUIDv7; the same in the header webhook-id however often it is sent.';
COMMENT ON COLUMN operations.deliveries.webhook_id IS '@pii(class: NONE) Where it goes to.';
COMMENT ON COLUMN operations.deliveries.position IS '@pii(class: NONE) The event''s place in the log; null for a test event.';
COMMENT ON COLUMN operations.deliveries.event_type IS '@pii(class: NONE) The event''s subject and kind, as subgraph.type.kind.';
COMMENT ON COLUMN operations.deliveries.body IS '@pii(class: NONE) What is sent: ids and routing attributes.';
COMMENT ON COLUMN operations.deliveries.status IS '@pii(class: NONE) PENDING, DELIVERED, FAILED, or HELD by a pause.';
COMMENT ON COLUMN operations.deliveries.attempts IS '@pii(class: NONE) How often it was sent since it was made or last replayed.';
COMMENT ON COLUMN operations.deliveries.next_attempt_at IS '@pii(class: NONE) Not before this time is it sent.';
COMMENT ON COLUMN operations.deliveries.last_attempt_at IS '@pii(class: NONE) When it was last sent.';
COMMENT ON COLUMN operations.deliveries.last_status_code IS '@pii(class: NONE) The HTTP status of the last answer; null when there was none.';
COMMENT ON COLUMN operations.deliveries.last_duration_ms IS '@pii(class: NONE) How long the last attempt took.';
COMMENT ON COLUMN operations.deliveries.last_error IS '@pii(class: CONTENT) Why the last attempt failed, with a short beginning of the answer.';
COMMENT ON COLUMN operations.deliveries.created_at IS '@pii(class: NONE) When the event was found to be for this webhook.';
-- An event that a consumer reads again is not sent as another one.
CREATE UNIQUE INDEX deliveries_position ON operations.deliveries (org_id, webhook_id, position) WHERE position IS NOT NULL;
CREATE INDEX deliveries_webhook ON operations.deliveries (org_id, webhook_id, id);
CREATE INDEX deliveries_status ON operations.deliveries (org_id, webhook_id, status, id);
CREATE INDEX deliveries_due ON operations.deliveries (org_id, webhook_id, next_attempt_at) WHERE status = 'PENDING';
CREATE INDEX deliveries_age ON operations.deliveries (created_at);

-- ── dispatch ────────────────────────────────────────────────────────────────────────────────────────────────────
-- One row per webhook, ids and times alone, so that whoever sends need not see any tenant to find out whose turn it is.
CREATE TABLE operations.dispatch (
    webhook      uuid PRIMARY KEY,
    tenant       uuid NOT NULL,
    host         text COLLATE "C" NOT NULL,
    due_at       timestamptz,
    holder       uuid,
    lease_until  timestamptz
);
COMMENT ON TABLE operations.dispatch IS 'class: platform. When each webhook next has something to send, and which process sends it now.';
COMMENT ON COLUMN operations.dispatch.webhook IS '@pii(class: NONE) The webhook.';
COMMENT ON COLUMN operations.dispatch.tenant IS '@pii(class: NONE) Whose it is.';
COMMENT ON COLUMN operations.dispatch.host IS '@pii(class: NONE) The host that it is sent to: few at a time go to the same one.';
COMMENT ON COLUMN operations.dispatch.due_at IS '@pii(class: NONE) When the next of its deliveries is due; null when none is.';
COMMENT ON COLUMN operations.dispatch.holder IS '@pii(class: NONE) The turn of the process that sends for it.';
COMMENT ON COLUMN operations.dispatch.lease_until IS '@pii(class: NONE) When a holder that says nothing more has lost it.';
CREATE INDEX dispatch_due ON operations.dispatch (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX dispatch_tenant ON operations.dispatch (tenant);

-- ── history ─────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE operations.history (
    org_id   uuid NOT NULL,
    subject  text COLLATE "C" NOT NULL,
    id       uuid NOT NULL,
    version  bigint NOT NULL,
    value    jsonb NOT NULL,
    at       timestamptz NOT NULL,
    actor    uuid,
    PRIMARY KEY (org_id, subject, id, version)
);
COMMENT ON TABLE operations.history IS 'class: tenant. What a webhook was before it changed or went; never its secrets.';
COMMENT ON COLUMN operations.history.org_id IS '@pii(class: NONE) The tenant.';
COMMENT ON COLUMN operations.history.subject IS '@pii(class: NONE) operations.webhook.';
COMMENT ON COLUMN operations.history.id IS '@pii(class: NONE) The id of what changed.';
COMMENT ON COLUMN operations.history.version IS '@pii(class: NONE) The version that this was.';
COMMENT ON COLUMN operations.history.value IS '@pii(class: CONTENT) The row as it was, without secrets.';
COMMENT ON COLUMN operations.history.at IS '@pii(class: NONE) When it was replaced.';
COMMENT ON COLUMN operations.history.actor IS '@pii(class: SUBJECT) Who replaced it; null for Pulse itself.';

-- ── walls ───────────────────────────────────────────────────────────────────────────────────────────────────────
ALTER TABLE operations.webhooks ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON operations.webhooks TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON operations.webhooks TO pulse_app;

ALTER TABLE operations.deliveries ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON operations.deliveries TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
CREATE POLICY upkeep ON operations.deliveries TO pulse_maintenance USING (true);
GRANT SELECT, INSERT, UPDATE ON operations.deliveries TO pulse_app;
GRANT SELECT (org_id, id, created_at), DELETE ON operations.deliveries TO pulse_maintenance;

ALTER TABLE operations.history ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON operations.history TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
GRANT SELECT, INSERT ON operations.history TO pulse_app;

ALTER TABLE operations.dispatch ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON operations.dispatch TO pulse_app
    USING (tenant = nullif(current_setting('pulse.org_id', true), '')::uuid);
CREATE POLICY dispatch ON operations.dispatch TO pulse_system USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON operations.dispatch TO pulse_app;
GRANT USAGE ON SCHEMA operations TO pulse_system;
GRANT SELECT, UPDATE ON operations.dispatch TO pulse_system;
