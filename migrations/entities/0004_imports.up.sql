-- Imports that are under way: how far each is, written by the transaction of each batch, so that one that broke off goes on
-- behind what it has committed. What is done with leaves nothing here.

CREATE TABLE entities.imports (
    org_id       uuid NOT NULL,
    fingerprint  text NOT NULL COLLATE "C",
    pass         smallint NOT NULL,
    records      bigint NOT NULL,
    report       jsonb NOT NULL,
    begun_at     timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    PRIMARY KEY (org_id, fingerprint)
);
COMMENT ON TABLE entities.imports IS 'class: tenant. Imports of files that are under way or have broken off.';
COMMENT ON COLUMN entities.imports.org_id IS '@pii(class: NONE) The tenant.';
COMMENT ON COLUMN entities.imports.fingerprint IS '@pii(class: NONE) Of what is imported and how, as a digest.';
COMMENT ON COLUMN entities.imports.pass IS '@pii(class: NONE) 0 while it stores entities, 1 while it stores relationships.';
COMMENT ON COLUMN entities.imports.records IS '@pii(class: NONE) How many records of the pass are done with.';
COMMENT ON COLUMN entities.imports.report IS '@pii(class: CONTENT) What it has done until then, and the first records that were wrong.';
COMMENT ON COLUMN entities.imports.begun_at IS '@pii(class: NONE) When it was begun.';
COMMENT ON COLUMN entities.imports.updated_at IS '@pii(class: NONE) When its last batch was committed.';

ALTER TABLE entities.imports ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON entities.imports TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON entities.imports TO pulse_app;
