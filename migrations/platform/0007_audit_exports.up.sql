-- Exports of the audit: what was asked for, how far it is, and until when its file is kept. The files are not in the database.

CREATE TABLE platform.audit_exports (
    org_id       uuid NOT NULL,
    id           uuid NOT NULL,
    requester    uuid,
    format       text NOT NULL COLLATE "C" CHECK (format IN ('json_lines', 'csv')),
    filter       jsonb NOT NULL,
    from_at      timestamptz NOT NULL,
    to_at        timestamptz NOT NULL CHECK (to_at > from_at),
    status       text NOT NULL DEFAULT 'waiting' COLLATE "C" CHECK (status IN ('waiting', 'completed', 'failed')),
    facts        bigint,
    bytes        bigint,
    created_at   timestamptz NOT NULL,
    finished_at  timestamptz,
    expires_at   timestamptz,
    PRIMARY KEY (org_id, id)
);
COMMENT ON TABLE platform.audit_exports IS 'class: tenant. Exports of the audit of a tenant to a file.';
COMMENT ON COLUMN platform.audit_exports.org_id IS '@pii(class: NONE) The tenant.';
COMMENT ON COLUMN platform.audit_exports.id IS '@pii(class: NONE) UUIDv7.';
COMMENT ON COLUMN platform.audit_exports.requester IS '@pii(class: SUBJECT) Who asked for it.';
COMMENT ON COLUMN platform.audit_exports.format IS '@pii(class: NONE) json_lines or csv.';
COMMENT ON COLUMN platform.audit_exports.filter IS '@pii(class: SUBJECT) Which facts are shown; the others stand there as digests alone.';
COMMENT ON COLUMN platform.audit_exports.from_at IS '@pii(class: NONE) From this time on.';
COMMENT ON COLUMN platform.audit_exports.to_at IS '@pii(class: NONE) Before this time.';
COMMENT ON COLUMN platform.audit_exports.status IS '@pii(class: NONE) waiting until it is written, completed or failed.';
COMMENT ON COLUMN platform.audit_exports.facts IS '@pii(class: NONE) How many facts are shown.';
COMMENT ON COLUMN platform.audit_exports.bytes IS '@pii(class: NONE) The size of the file.';
COMMENT ON COLUMN platform.audit_exports.created_at IS '@pii(class: NONE) When it was asked for.';
COMMENT ON COLUMN platform.audit_exports.finished_at IS '@pii(class: NONE) When it was completed or failed.';
COMMENT ON COLUMN platform.audit_exports.expires_at IS '@pii(class: NONE) When the file is deleted; null when there is none.';
CREATE INDEX audit_exports_expire ON platform.audit_exports (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX audit_exports_waiting ON platform.audit_exports (org_id) WHERE status = 'waiting';

ALTER TABLE platform.audit_exports ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON platform.audit_exports TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
CREATE POLICY upkeep ON platform.audit_exports TO pulse_maintenance USING (true);
GRANT SELECT, INSERT, UPDATE (status, facts, bytes, finished_at, expires_at) ON platform.audit_exports TO pulse_app;
GRANT SELECT, UPDATE (expires_at) ON platform.audit_exports TO pulse_maintenance;
