-- Programs that act in a tenant by a credential of their own: API keys, and service accounts, which exchange theirs for access
-- tokens. Both are machines. Nothing is kept by which a secret could be made again.

-- ── machines ────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE accounts.machines (
    org_id               uuid NOT NULL REFERENCES accounts.organizations,
    id                   uuid NOT NULL,
    kind                 text NOT NULL COLLATE "C" CHECK (kind IN ('api_key', 'service_account')),
    name                 text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    maker                uuid NOT NULL,
    scopes               text[] COLLATE "C" NOT NULL CHECK (cardinality(scopes) BETWEEN 1 AND 200),
    operations           text[] COLLATE "C" NOT NULL DEFAULT '{}' CHECK (cardinality(operations) <= 100),
    networks             text[] COLLATE "C" NOT NULL DEFAULT '{}' CHECK (cardinality(networks) <= 100),
    requests_per_minute  int CHECK (requests_per_minute > 0),
    cost_per_minute      int CHECK (cost_per_minute > 0),
    enabled              boolean NOT NULL DEFAULT true,
    expires_at           timestamptz,
    version              bigint NOT NULL DEFAULT 1,
    terms                bigint NOT NULL DEFAULT 1,
    created_at           timestamptz NOT NULL,
    updated_at           timestamptz NOT NULL,
    last_used_at         timestamptz,
    revoked_at           timestamptz,
    PRIMARY KEY (org_id, id),
    CHECK (kind = 'api_key' OR (operations = '{}' AND networks = '{}'
           AND requests_per_minute IS NULL AND cost_per_minute IS NULL))
);
CREATE INDEX machines_good ON accounts.machines (org_id, kind, id) WHERE revoked_at IS NULL;
CREATE INDEX machines_id ON accounts.machines (id);
COMMENT ON TABLE accounts.machines IS 'class: tenant. API keys and service accounts.';
COMMENT ON COLUMN accounts.machines.org_id IS '@pii(class: NONE) The organization that it acts in.';
COMMENT ON COLUMN accounts.machines.id IS '@pii(class: NONE) UUIDv7; of a service account it is the client id.';
COMMENT ON COLUMN accounts.machines.kind IS '@pii(class: NONE) api_key or service_account.';
COMMENT ON COLUMN accounts.machines.name IS '@pii(class: NONE) What people call it.';
COMMENT ON COLUMN accounts.machines.maker IS '@pii(class: SUBJECT) The person who answers for it: it may nothing that this person may not. No foreign key, as with memberships.';
COMMENT ON COLUMN accounts.machines.scopes IS '@pii(class: NONE) Names of permissions.';
COMMENT ON COLUMN accounts.machines.operations IS '@pii(class: NONE) Names, or SHA-256 of texts, of the operations that it is for; none for any.';
COMMENT ON COLUMN accounts.machines.networks IS '@pii(class: NONE) The networks that it may be used from, as CIDR; none for any.';
COMMENT ON COLUMN accounts.machines.requests_per_minute IS '@pii(class: NONE) How many requests it may send; null for as many as anybody.';
COMMENT ON COLUMN accounts.machines.cost_per_minute IS '@pii(class: NONE) What its operations may cost; null for as much as those of anybody.';
COMMENT ON COLUMN accounts.machines.enabled IS '@pii(class: NONE) Whether it is good for anything just now.';
COMMENT ON COLUMN accounts.machines.expires_at IS '@pii(class: NONE) When it ends by itself; null for never.';
COMMENT ON COLUMN accounts.machines.version IS '@pii(class: NONE) 1 at first, one more with each change.';
COMMENT ON COLUMN accounts.machines.terms IS '@pii(class: NONE) One more with each change of what it may do.';
COMMENT ON COLUMN accounts.machines.created_at IS '@pii(class: NONE) When it was made.';
COMMENT ON COLUMN accounts.machines.updated_at IS '@pii(class: NONE) When this version was written.';
COMMENT ON COLUMN accounts.machines.last_used_at IS '@pii(class: NONE) When it was last used, or up to a minute and some seconds before.';
COMMENT ON COLUMN accounts.machines.revoked_at IS '@pii(class: NONE) When it was revoked; its secrets are gone with that.';

CREATE TABLE accounts.machine_secrets (
    org_id      uuid NOT NULL,
    hash        bytea NOT NULL CHECK (length(hash) = 32),
    machine     uuid NOT NULL,
    created_at  timestamptz NOT NULL,
    good_until  timestamptz,
    PRIMARY KEY (org_id, hash),
    CONSTRAINT machine_secrets_hash UNIQUE (hash),
    FOREIGN KEY (org_id, machine) REFERENCES accounts.machines ON DELETE CASCADE
);
CREATE INDEX machine_secrets_machine ON accounts.machine_secrets (org_id, machine);
COMMENT ON TABLE accounts.machine_secrets IS 'class: tenant. What API keys and service accounts prove themselves with: the newest, and for a while the one before.';
COMMENT ON COLUMN accounts.machine_secrets.org_id IS '@pii(class: NONE) The organization.';
COMMENT ON COLUMN accounts.machine_secrets.hash IS '@pii(class: CREDENTIAL) SHA-256 of the secret, which has 256 random bits and is kept nowhere.';
COMMENT ON COLUMN accounts.machine_secrets.machine IS '@pii(class: NONE) Whose it is.';
COMMENT ON COLUMN accounts.machine_secrets.created_at IS '@pii(class: NONE) When it was given out.';
COMMENT ON COLUMN accounts.machine_secrets.good_until IS '@pii(class: NONE) When the next one takes over for good; null for the newest.';

-- ── walls ───────────────────────────────────────────────────────────────────────────────────────────────────────
ALTER TABLE accounts.machines ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON accounts.machines TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
GRANT SELECT, INSERT,
    UPDATE (name, maker, scopes, operations, networks, requests_per_minute, cost_per_minute, enabled, expires_at, version,
            terms, updated_at, last_used_at, revoked_at)
    ON accounts.machines TO pulse_app;

ALTER TABLE accounts.machine_secrets ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON accounts.machine_secrets TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
GRANT SELECT (org_id, machine, created_at, good_until), INSERT, UPDATE (good_until), DELETE ON accounts.machine_secrets TO pulse_app;

-- ── what is looked up past the walls ────────────────────────────────────────────────────────────────────────────
GRANT SELECT ON accounts.machines, accounts.machine_secrets TO pulse_lookup;
GRANT UPDATE (last_used_at) ON accounts.machines TO pulse_lookup;

-- A request brings a secret: it is all that is known. The role is that of the person who answers for the machine, null for no
-- member any more.
CREATE FUNCTION accounts.machine_by_secret(secret_hash bytea)
RETURNS TABLE (org_id uuid, id uuid, kind text, maker uuid, role text, scopes text[], operations text[], networks text[],
               requests_per_minute int, cost_per_minute int, enabled boolean, expires_at timestamptz, good_until timestamptz,
               terms bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT m.org_id, m.id, m.kind, m.maker, p.role, m.scopes, m.operations, m.networks,
           m.requests_per_minute, m.cost_per_minute, m.enabled, m.expires_at, s.good_until, m.terms
      FROM accounts.machine_secrets s
      JOIN accounts.machines m ON m.org_id = s.org_id AND m.id = s.machine
      LEFT JOIN accounts.memberships p ON p.org_id = m.org_id AND p.user_id = m.maker
     WHERE s.hash = secret_hash AND m.revoked_at IS NULL
$$;

-- Which machines were used lately, of whichever tenants. It tells nothing back.
CREATE FUNCTION accounts.note_machine_uses(ids uuid[], used_at timestamptz) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE accounts.machines m SET last_used_at = used_at
     WHERE m.id = ANY (ids) AND (m.last_used_at IS NULL OR m.last_used_at < used_at)
$$;

REVOKE ALL ON FUNCTION accounts.machine_by_secret(bytea), accounts.note_machine_uses(uuid[], timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION accounts.machine_by_secret(bytea) TO pulse_app;
GRANT EXECUTE ON FUNCTION accounts.note_machine_uses(uuid[], timestamptz) TO pulse_app, pulse_maintenance;
ALTER FUNCTION accounts.machine_by_secret(bytea) OWNER TO pulse_lookup;
ALTER FUNCTION accounts.note_machine_uses(uuid[], timestamptz) OWNER TO pulse_lookup;
