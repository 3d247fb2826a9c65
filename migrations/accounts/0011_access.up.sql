-- Who may do what in a tenant, beside the role that each membership has: roles of its own, who has them and where, and single
-- permissions that are given or withheld. One function of the program decides over all of it.

CREATE TABLE accounts.roles (
    org_id       uuid NOT NULL REFERENCES accounts.organizations,
    id           uuid NOT NULL,
    name         text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    description  text NOT NULL CHECK (length(description) <= 1000),
    permissions  text[] COLLATE "C" NOT NULL CHECK (cardinality(permissions) BETWEEN 1 AND 200),
    version      bigint NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    PRIMARY KEY (org_id, id)
);
CREATE UNIQUE INDEX roles_name ON accounts.roles (org_id, lower(name));
COMMENT ON TABLE accounts.roles IS 'class: tenant. Roles that a tenant has made, beside the four that each has.';
COMMENT ON COLUMN accounts.roles.org_id IS '@pii(class: NONE) The tenant.';
COMMENT ON COLUMN accounts.roles.id IS '@pii(class: NONE) UUIDv7.';
COMMENT ON COLUMN accounts.roles.name IS '@pii(class: NONE) What people call it, once in the tenant.';
COMMENT ON COLUMN accounts.roles.description IS '@pii(class: NONE) What it is for.';
COMMENT ON COLUMN accounts.roles.permissions IS '@pii(class: NONE) Names of permissions.';
COMMENT ON COLUMN accounts.roles.version IS '@pii(class: NONE) 1 at first, one more with each change.';
COMMENT ON COLUMN accounts.roles.created_at IS '@pii(class: NONE) When it was made.';
COMMENT ON COLUMN accounts.roles.updated_at IS '@pii(class: NONE) When this version was written.';

-- A row goes with whom it is for, and with the unit that it holds in: that is what the generated columns are for.
CREATE TABLE accounts.role_assignments (
    org_id          uuid NOT NULL REFERENCES accounts.organizations,
    id              uuid NOT NULL,
    principal_kind  text NOT NULL COLLATE "C" CHECK (principal_kind IN ('user', 'unit')),
    principal       uuid NOT NULL,
    role            uuid,
    template        text COLLATE "C" CHECK (template IN ('admin', 'member', 'viewer')),
    place           uuid,
    giver           uuid,
    created_at      timestamptz NOT NULL,
    of_user         uuid GENERATED ALWAYS AS (CASE WHEN principal_kind = 'user' THEN principal END) STORED,
    of_unit         uuid GENERATED ALWAYS AS (CASE WHEN principal_kind = 'unit' THEN principal END) STORED,
    PRIMARY KEY (org_id, id),
    CHECK ((role IS NULL) <> (template IS NULL)),
    CONSTRAINT role_assignments_once UNIQUE NULLS NOT DISTINCT (org_id, principal, role, template, place),
    FOREIGN KEY (org_id, role) REFERENCES accounts.roles ON DELETE CASCADE,
    FOREIGN KEY (org_id, place) REFERENCES accounts.units ON DELETE CASCADE,
    FOREIGN KEY (org_id, of_user) REFERENCES accounts.memberships ON DELETE CASCADE,
    FOREIGN KEY (org_id, of_unit) REFERENCES accounts.units ON DELETE CASCADE
);
CREATE INDEX role_assignments_role ON accounts.role_assignments (org_id, role);
CREATE INDEX role_assignments_place ON accounts.role_assignments (org_id, place);
CREATE INDEX role_assignments_user ON accounts.role_assignments (org_id, of_user);
CREATE INDEX role_assignments_unit ON accounts.role_assignments (org_id, of_unit);
COMMENT ON TABLE accounts.role_assignments IS 'class: tenant. Who has which role, and where, beside the one of the membership.';
COMMENT ON COLUMN accounts.role_assignments.org_id IS '@pii(class: NONE) The tenant.';
COMMENT ON COLUMN accounts.role_assignments.id IS '@pii(class: NONE) UUIDv7.';
COMMENT ON COLUMN accounts.role_assignments.principal_kind IS '@pii(class: NONE) user, or unit for all its members.';
COMMENT ON COLUMN accounts.role_assignments.principal IS '@pii(class: SUBJECT, of: ROW) The person, or the unit.';
COMMENT ON COLUMN accounts.role_assignments.role IS '@pii(class: NONE) A role of the tenant.';
COMMENT ON COLUMN accounts.role_assignments.template IS '@pii(class: NONE) Or one that each tenant has.';
COMMENT ON COLUMN accounts.role_assignments.place IS '@pii(class: NONE) The unit that it holds in, with all below it; null for the whole tenant.';
COMMENT ON COLUMN accounts.role_assignments.giver IS '@pii(class: SUBJECT) Who gave it.';
COMMENT ON COLUMN accounts.role_assignments.created_at IS '@pii(class: NONE) When.';
COMMENT ON COLUMN accounts.role_assignments.of_user IS '@pii(class: NONE) The principal, where it is a person.';
COMMENT ON COLUMN accounts.role_assignments.of_unit IS '@pii(class: NONE) The principal, where it is a unit.';

CREATE TABLE accounts.grants (
    org_id          uuid NOT NULL REFERENCES accounts.organizations,
    id              uuid NOT NULL,
    principal_kind  text NOT NULL COLLATE "C" CHECK (principal_kind IN ('user', 'unit', 'machine')),
    principal       uuid NOT NULL,
    effect          text NOT NULL COLLATE "C" CHECK (effect IN ('allow', 'deny')),
    permission      text NOT NULL COLLATE "C" CHECK (length(permission) BETWEEN 3 AND 100),
    resource        text COLLATE "C" CHECK (length(resource) BETWEEN 38 AND 100),
    by_owner        boolean NOT NULL,
    giver           uuid,
    expires_at      timestamptz,
    created_at      timestamptz NOT NULL,
    of_user         uuid GENERATED ALWAYS AS (CASE WHEN principal_kind = 'user' THEN principal END) STORED,
    of_unit         uuid GENERATED ALWAYS AS (CASE WHEN principal_kind = 'unit' THEN principal END) STORED,
    of_machine      uuid GENERATED ALWAYS AS (CASE WHEN principal_kind = 'machine' THEN principal END) STORED,
    on_unit         uuid GENERATED ALWAYS AS (CASE WHEN starts_with(resource, 'unit:') THEN substr(resource, 6)::uuid END) STORED,
    PRIMARY KEY (org_id, id),
    CONSTRAINT grants_once UNIQUE NULLS NOT DISTINCT (org_id, principal, effect, permission, resource),
    FOREIGN KEY (org_id, of_user) REFERENCES accounts.memberships ON DELETE CASCADE,
    FOREIGN KEY (org_id, of_unit) REFERENCES accounts.units ON DELETE CASCADE,
    FOREIGN KEY (org_id, of_machine) REFERENCES accounts.machines ON DELETE CASCADE,
    FOREIGN KEY (org_id, on_unit) REFERENCES accounts.units ON DELETE CASCADE
);
CREATE INDEX grants_resource ON accounts.grants (org_id, resource);
CREATE INDEX grants_user ON accounts.grants (org_id, of_user);
CREATE INDEX grants_unit ON accounts.grants (org_id, of_unit);
CREATE INDEX grants_machine ON accounts.grants (org_id, of_machine);
CREATE INDEX grants_on_unit ON accounts.grants (org_id, on_unit);
COMMENT ON TABLE accounts.grants IS 'class: tenant. Single permissions that are given to somebody, or withheld.';
COMMENT ON COLUMN accounts.grants.org_id IS '@pii(class: NONE) The tenant.';
COMMENT ON COLUMN accounts.grants.id IS '@pii(class: NONE) UUIDv7.';
COMMENT ON COLUMN accounts.grants.principal_kind IS '@pii(class: NONE) user, unit for all its members, or machine.';
COMMENT ON COLUMN accounts.grants.principal IS '@pii(class: SUBJECT, of: ROW) The person, the unit or the machine.';
COMMENT ON COLUMN accounts.grants.effect IS '@pii(class: NONE) allow or deny.';
COMMENT ON COLUMN accounts.grants.permission IS '@pii(class: NONE) The name of the permission.';
COMMENT ON COLUMN accounts.grants.resource IS '@pii(class: NONE) What for: kind and id of a single thing, of which a unit stands for all below it; null for the whole tenant.';
COMMENT ON COLUMN accounts.grants.by_owner IS '@pii(class: NONE) Whether an owner gave it: only then it narrows owners.';
COMMENT ON COLUMN accounts.grants.giver IS '@pii(class: SUBJECT) Who gave it.';
COMMENT ON COLUMN accounts.grants.expires_at IS '@pii(class: NONE) When it ends by itself; null for never.';
COMMENT ON COLUMN accounts.grants.created_at IS '@pii(class: NONE) When it was given.';
COMMENT ON COLUMN accounts.grants.of_user IS '@pii(class: NONE) The principal, where it is a person.';
COMMENT ON COLUMN accounts.grants.of_unit IS '@pii(class: NONE) The principal, where it is a unit.';
COMMENT ON COLUMN accounts.grants.of_machine IS '@pii(class: NONE) The principal, where it is a machine.';
COMMENT ON COLUMN accounts.grants.on_unit IS '@pii(class: NONE) The resource, where it is a unit.';

-- ── walls ───────────────────────────────────────────────────────────────────────────────────────────────────────
ALTER TABLE accounts.roles ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON accounts.roles TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE (name, description, permissions, version, updated_at), DELETE ON accounts.roles TO pulse_app;

ALTER TABLE accounts.role_assignments ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON accounts.role_assignments TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
GRANT SELECT, INSERT, DELETE ON accounts.role_assignments TO pulse_app;

ALTER TABLE accounts.grants ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON accounts.grants TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
GRANT SELECT, INSERT, DELETE ON accounts.grants TO pulse_app;
