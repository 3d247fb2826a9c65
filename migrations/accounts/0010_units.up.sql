-- The inside of a tenant: sub-organizations and teams. They are walled off from each other by permissions alone; the wall of the
-- database is around the tenant.
CREATE TABLE accounts.units (
    org_id      uuid NOT NULL REFERENCES accounts.organizations,
    id          uuid NOT NULL,
    kind        text NOT NULL COLLATE "C" CHECK (kind IN ('organization', 'team')),
    parent      uuid CHECK (parent <> id),
    name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    version     bigint NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    CONSTRAINT units_parent FOREIGN KEY (org_id, parent) REFERENCES accounts.units,
    CONSTRAINT units_name UNIQUE NULLS NOT DISTINCT (org_id, parent, name)
);
COMMENT ON TABLE accounts.units IS 'class: tenant. Sub-organizations and teams inside a tenant.';
COMMENT ON COLUMN accounts.units.org_id IS '@pii(class: NONE) The tenant.';
COMMENT ON COLUMN accounts.units.id IS '@pii(class: NONE) UUIDv7.';
COMMENT ON COLUMN accounts.units.kind IS '@pii(class: NONE) organization, or team; nothing is inside a team.';
COMMENT ON COLUMN accounts.units.parent IS '@pii(class: NONE) The sub-organization that it is in; null directly in the tenant.';
COMMENT ON COLUMN accounts.units.name IS '@pii(class: NONE) Its name for people, once among those beside it.';
COMMENT ON COLUMN accounts.units.version IS '@pii(class: NONE) 1 at first, one more with each change.';
COMMENT ON COLUMN accounts.units.created_at IS '@pii(class: NONE) When it was made.';
COMMENT ON COLUMN accounts.units.updated_at IS '@pii(class: NONE) When this version was written.';

CREATE TABLE accounts.unit_members (
    org_id    uuid NOT NULL,
    unit      uuid NOT NULL,
    user_id   uuid NOT NULL,
    added_at  timestamptz NOT NULL,
    PRIMARY KEY (org_id, unit, user_id),
    CONSTRAINT unit_members_unit FOREIGN KEY (org_id, unit) REFERENCES accounts.units ON DELETE CASCADE,
    CONSTRAINT unit_members_member FOREIGN KEY (org_id, user_id) REFERENCES accounts.memberships ON DELETE CASCADE
);
CREATE INDEX unit_members_user ON accounts.unit_members (org_id, user_id);
CREATE INDEX unit_members_added ON accounts.unit_members (org_id, unit, added_at, user_id);
COMMENT ON TABLE accounts.unit_members IS 'class: tenant. Which members of the tenant belong to a sub-organization or a team.';
COMMENT ON COLUMN accounts.unit_members.org_id IS '@pii(class: NONE) The tenant.';
COMMENT ON COLUMN accounts.unit_members.unit IS '@pii(class: NONE) The sub-organization or team.';
COMMENT ON COLUMN accounts.unit_members.user_id IS '@pii(class: SUBJECT) The person.';
COMMENT ON COLUMN accounts.unit_members.added_at IS '@pii(class: NONE) When the person was added.';

ALTER TABLE accounts.units ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON accounts.units TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE (parent, name, version, updated_at), DELETE ON accounts.units TO pulse_app;

ALTER TABLE accounts.unit_members ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON accounts.unit_members TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
GRANT SELECT, INSERT, DELETE ON accounts.unit_members TO pulse_app;
