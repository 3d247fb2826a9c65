-- People, how they sign in, and the organizations that they belong to.
-- A person's rows are walled by pulse.user_id, an organization's by pulse.org_id. What must be found before either is
-- known, or across the two, goes through the functions at the end.

-- ── users ───────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE accounts.users (
    user_id     uuid PRIMARY KEY,
    email       text NOT NULL COLLATE "C" CHECK (email = lower(email) AND length(email) BETWEEN 3 AND 254),
    name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    version     bigint NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    CONSTRAINT users_email UNIQUE (email)
);
COMMENT ON TABLE accounts.users IS 'class: person. Somebody who can sign in.';
COMMENT ON COLUMN accounts.users.user_id IS '@pii(class: SUBJECT) UUIDv7.';
COMMENT ON COLUMN accounts.users.email IS '@pii(class: CONTACT) The address that the person signs in with, in lower case.';
COMMENT ON COLUMN accounts.users.name IS '@pii(class: NAME) What the person wants to be called.';
COMMENT ON COLUMN accounts.users.version IS '@pii(class: NONE) 1 at first, one more with each change.';
COMMENT ON COLUMN accounts.users.created_at IS '@pii(class: NONE) When the person registered.';
COMMENT ON COLUMN accounts.users.updated_at IS '@pii(class: NONE) When this version was written.';

CREATE TABLE accounts.user_history (
    user_id  uuid NOT NULL REFERENCES accounts.users,
    version  bigint NOT NULL,
    value    jsonb NOT NULL,
    at       timestamptz NOT NULL,
    PRIMARY KEY (user_id, version)
);
COMMENT ON TABLE accounts.user_history IS 'class: person. What a user was before each change; only the person makes one.';
COMMENT ON COLUMN accounts.user_history.user_id IS '@pii(class: SUBJECT) The person.';
COMMENT ON COLUMN accounts.user_history.version IS '@pii(class: NONE) The version that these values had.';
COMMENT ON COLUMN accounts.user_history.value IS '@pii(class: CONTENT) Name and address, as they were.';
COMMENT ON COLUMN accounts.user_history.at IS '@pii(class: NONE) When they were replaced.';

CREATE TABLE accounts.credentials (
    user_id        uuid PRIMARY KEY REFERENCES accounts.users,
    password_hash  text NOT NULL,
    updated_at     timestamptz NOT NULL
);
COMMENT ON TABLE accounts.credentials IS 'class: person. What a person proves itself with.';
COMMENT ON COLUMN accounts.credentials.user_id IS '@pii(class: SUBJECT) The person.';
COMMENT ON COLUMN accounts.credentials.password_hash IS '@pii(class: CREDENTIAL) Argon2id, as a PHC string with its salt and parameters.';
COMMENT ON COLUMN accounts.credentials.updated_at IS '@pii(class: NONE) When the password was set.';

-- ── sessions ────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE accounts.sessions (
    user_id       uuid NOT NULL REFERENCES accounts.users,
    id            uuid NOT NULL,
    organization  uuid,
    created_at    timestamptz NOT NULL,
    ended_at      timestamptz,
    end_reason    text COLLATE "C" CHECK (end_reason IN ('signed_out', 'token_reused')),
    PRIMARY KEY (user_id, id),
    CHECK ((ended_at IS NULL) = (end_reason IS NULL))
);
COMMENT ON TABLE accounts.sessions IS 'class: person. One sign-in: the family of refresh tokens that follow from it.';
COMMENT ON COLUMN accounts.sessions.user_id IS '@pii(class: SUBJECT) Who signed in.';
COMMENT ON COLUMN accounts.sessions.id IS '@pii(class: NONE) UUIDv7.';
COMMENT ON COLUMN accounts.sessions.organization IS '@pii(class: NONE) The organization that the session acts in; null while there is none. No foreign key: whether the person is a member is asked each time.';
COMMENT ON COLUMN accounts.sessions.created_at IS '@pii(class: NONE) When the person signed in.';
COMMENT ON COLUMN accounts.sessions.ended_at IS '@pii(class: NONE) When it ended.';
COMMENT ON COLUMN accounts.sessions.end_reason IS '@pii(class: NONE) signed_out, or token_reused when a refresh token came a second time.';

CREATE TABLE accounts.refresh_tokens (
    user_id     uuid NOT NULL,
    hash        bytea NOT NULL CHECK (length(hash) = 32),
    session_id  uuid NOT NULL,
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    rotated_at  timestamptz,
    PRIMARY KEY (user_id, hash),
    CONSTRAINT refresh_tokens_hash UNIQUE (hash),
    FOREIGN KEY (user_id, session_id) REFERENCES accounts.sessions
);
CREATE INDEX refresh_tokens_session ON accounts.refresh_tokens (user_id, session_id, expires_at);
COMMENT ON TABLE accounts.refresh_tokens IS 'class: person. Refresh tokens; each is exchanged for the next one once.';
COMMENT ON COLUMN accounts.refresh_tokens.user_id IS '@pii(class: SUBJECT) Whose session it is.';
COMMENT ON COLUMN accounts.refresh_tokens.hash IS '@pii(class: CREDENTIAL) SHA-256 of the token, which has 256 random bits and is kept nowhere.';
COMMENT ON COLUMN accounts.refresh_tokens.session_id IS '@pii(class: NONE) The session that it continues.';
COMMENT ON COLUMN accounts.refresh_tokens.created_at IS '@pii(class: NONE) When it was given out.';
COMMENT ON COLUMN accounts.refresh_tokens.expires_at IS '@pii(class: NONE) Until when it can be exchanged.';
COMMENT ON COLUMN accounts.refresh_tokens.rotated_at IS '@pii(class: NONE) When it was exchanged; coming again after that ends the session.';

-- ── what a person made, before a tenant is known ────────────────────────────────────────────────────────────────
CREATE TABLE accounts.creations (
    user_id    uuid NOT NULL REFERENCES accounts.users,
    operation  text NOT NULL COLLATE "C",
    key        text NOT NULL COLLATE "C" CHECK (length(key) BETWEEN 1 AND 255),
    request    bytea NOT NULL,
    created    uuid NOT NULL,
    at         timestamptz NOT NULL,
    PRIMARY KEY (user_id, operation, key)
);
COMMENT ON TABLE accounts.creations IS 'class: person. Idempotency keys of what belongs to no tenant when it is made: registering, and making an organization.';
COMMENT ON COLUMN accounts.creations.user_id IS '@pii(class: SUBJECT) Who made it.';
COMMENT ON COLUMN accounts.creations.operation IS '@pii(class: NONE) The mutation.';
COMMENT ON COLUMN accounts.creations.key IS '@pii(class: NONE) The key that the client chose, 1 to 255 characters.';
COMMENT ON COLUMN accounts.creations.request IS '@pii(class: NONE) SHA-256 of the request without its password, so that a key cannot be used for another one.';
COMMENT ON COLUMN accounts.creations.created IS '@pii(class: NONE) The id of what was made.';
COMMENT ON COLUMN accounts.creations.at IS '@pii(class: NONE) When.';

-- ── organizations ───────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE accounts.organizations (
    org_id      uuid PRIMARY KEY,
    slug        text NOT NULL COLLATE "C" CHECK (slug ~ '^[a-z0-9-]{2,63}$'),
    name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    version     bigint NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    CONSTRAINT organizations_slug UNIQUE (slug)
);
COMMENT ON TABLE accounts.organizations IS 'class: tenant. A tenant: the root organization.';
COMMENT ON COLUMN accounts.organizations.org_id IS '@pii(class: NONE) UUIDv7; the tenant of everything inside.';
COMMENT ON COLUMN accounts.organizations.slug IS '@pii(class: NONE) Its name in addresses and commands.';
COMMENT ON COLUMN accounts.organizations.name IS '@pii(class: NONE) Its name for people.';
COMMENT ON COLUMN accounts.organizations.version IS '@pii(class: NONE) 1 at first, one more with each change.';
COMMENT ON COLUMN accounts.organizations.created_at IS '@pii(class: NONE) When it was made.';
COMMENT ON COLUMN accounts.organizations.updated_at IS '@pii(class: NONE) When this version was written.';

-- No foreign key to users: tenants may move to another server than people. Nothing deletes a user.
CREATE TABLE accounts.memberships (
    org_id      uuid NOT NULL REFERENCES accounts.organizations,
    user_id     uuid NOT NULL,
    role        text NOT NULL COLLATE "C" CHECK (role IN ('owner', 'admin', 'member', 'viewer')),
    version     bigint NOT NULL DEFAULT 1,
    joined_at   timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    PRIMARY KEY (org_id, user_id)
);
CREATE INDEX memberships_joined ON accounts.memberships (org_id, joined_at, user_id);
CREATE INDEX memberships_role ON accounts.memberships (org_id, role, joined_at, user_id);
CREATE INDEX memberships_user ON accounts.memberships (user_id);
COMMENT ON TABLE accounts.memberships IS 'class: tenant. Who belongs to an organization, and with which role.';
COMMENT ON COLUMN accounts.memberships.org_id IS '@pii(class: NONE) The organization.';
COMMENT ON COLUMN accounts.memberships.user_id IS '@pii(class: SUBJECT) The person.';
COMMENT ON COLUMN accounts.memberships.role IS '@pii(class: NONE) owner, admin, member or viewer.';
COMMENT ON COLUMN accounts.memberships.version IS '@pii(class: NONE) Grows with each change, also over a removal and a return.';
COMMENT ON COLUMN accounts.memberships.joined_at IS '@pii(class: NONE) When the person became a member.';
COMMENT ON COLUMN accounts.memberships.updated_at IS '@pii(class: NONE) When this version was written.';

CREATE TABLE accounts.history (
    org_id   uuid NOT NULL,
    subject  text NOT NULL COLLATE "C",
    id       uuid NOT NULL,
    version  bigint NOT NULL,
    value    jsonb NOT NULL,
    at       timestamptz NOT NULL,
    actor    uuid,
    PRIMARY KEY (org_id, subject, id, version)
);
COMMENT ON TABLE accounts.history IS 'class: tenant. What organizations and memberships were before each change and removal.';
COMMENT ON COLUMN accounts.history.org_id IS '@pii(class: NONE) The organization.';
COMMENT ON COLUMN accounts.history.subject IS '@pii(class: NONE) accounts.organization or accounts.membership.';
COMMENT ON COLUMN accounts.history.id IS '@pii(class: SUBJECT) The organization, or the member.';
COMMENT ON COLUMN accounts.history.version IS '@pii(class: NONE) The version that these values had.';
COMMENT ON COLUMN accounts.history.value IS '@pii(class: NONE) Slug and name, or role and time of joining, as they were.';
COMMENT ON COLUMN accounts.history.at IS '@pii(class: NONE) When they were replaced.';
COMMENT ON COLUMN accounts.history.actor IS '@pii(class: SUBJECT) Who replaced them.';

-- ── walls ───────────────────────────────────────────────────────────────────────────────────────────────────────
ALTER TABLE accounts.users ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY person ON accounts.users TO pulse_app
    USING (user_id = nullif(current_setting('pulse.user_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE (name, version, updated_at) ON accounts.users TO pulse_app;

ALTER TABLE accounts.user_history ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY person ON accounts.user_history TO pulse_app
    USING (user_id = nullif(current_setting('pulse.user_id', true), '')::uuid);
GRANT SELECT, INSERT ON accounts.user_history TO pulse_app;

ALTER TABLE accounts.credentials ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY person ON accounts.credentials TO pulse_app
    USING (user_id = nullif(current_setting('pulse.user_id', true), '')::uuid);
GRANT INSERT ON accounts.credentials TO pulse_app;

ALTER TABLE accounts.sessions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY person ON accounts.sessions TO pulse_app
    USING (user_id = nullif(current_setting('pulse.user_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE (organization, ended_at, end_reason) ON accounts.sessions TO pulse_app;

ALTER TABLE accounts.refresh_tokens ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY person ON accounts.refresh_tokens TO pulse_app
    USING (user_id = nullif(current_setting('pulse.user_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE (rotated_at), DELETE ON accounts.refresh_tokens TO pulse_app;

ALTER TABLE accounts.creations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY person ON accounts.creations TO pulse_app
    USING (user_id = nullif(current_setting('pulse.user_id', true), '')::uuid);
GRANT SELECT, INSERT ON accounts.creations TO pulse_app;

ALTER TABLE accounts.organizations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON accounts.organizations TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE (slug, name, version, updated_at) ON accounts.organizations TO pulse_app;

ALTER TABLE accounts.memberships ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON accounts.memberships TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE (role, version, updated_at), DELETE ON accounts.memberships TO pulse_app;

ALTER TABLE accounts.history ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON accounts.history TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
GRANT SELECT, INSERT ON accounts.history TO pulse_app;

-- ── what is looked up past the walls ────────────────────────────────────────────────────────────────────────────
GRANT SELECT ON accounts.users, accounts.credentials, accounts.refresh_tokens, accounts.organizations,
    accounts.memberships TO pulse_lookup;

-- Signing in: nobody is known yet.
CREATE FUNCTION accounts.credential_by_email(address text) RETURNS TABLE (user_id uuid, password_hash text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT u.user_id, c.password_hash
      FROM accounts.users u
      JOIN accounts.credentials c ON c.user_id = u.user_id
     WHERE u.email = address COLLATE "C"
$$;

-- Adding a member: the person is outside of the tenant.
CREATE FUNCTION accounts.user_by_email(address text) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT u.user_id FROM accounts.users u WHERE u.email = address COLLATE "C"
$$;

-- Refreshing a session: the token is all that is known.
CREATE FUNCTION accounts.refresh_token_user(token_hash bytea) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT t.user_id FROM accounts.refresh_tokens t WHERE t.hash = token_hash
$$;

-- The organizations that the current person is a member of, whichever tenant the session acts in.
CREATE FUNCTION accounts.my_organizations()
RETURNS TABLE (org_id uuid, slug text, name text, version bigint, created_at timestamptz, role text, joined_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT o.org_id, o.slug, o.name, o.version, o.created_at, m.role, m.joined_at
      FROM accounts.memberships m
      JOIN accounts.organizations o ON o.org_id = m.org_id
     WHERE m.user_id = nullif(current_setting('pulse.user_id', true), '')::uuid
$$;

-- The users with these ids who are members of the current tenant.
CREATE FUNCTION accounts.users_of_tenant(ids uuid[])
RETURNS TABLE (user_id uuid, email text, name text, version bigint, created_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT u.user_id, u.email, u.name, u.version, u.created_at
      FROM accounts.memberships m
      JOIN accounts.users u ON u.user_id = m.user_id
     WHERE m.org_id = nullif(current_setting('pulse.org_id', true), '')::uuid AND m.user_id = ANY (ids)
$$;

-- An operator's command names a tenant by its slug.
CREATE FUNCTION accounts.organization_by_slug(wanted text) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT o.org_id FROM accounts.organizations o WHERE o.slug = wanted COLLATE "C"
$$;

REVOKE ALL ON FUNCTION accounts.credential_by_email(text), accounts.user_by_email(text),
    accounts.refresh_token_user(bytea), accounts.my_organizations(), accounts.users_of_tenant(uuid[]),
    accounts.organization_by_slug(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION accounts.credential_by_email(text), accounts.user_by_email(text),
    accounts.refresh_token_user(bytea), accounts.my_organizations(), accounts.users_of_tenant(uuid[]),
    accounts.organization_by_slug(text) TO pulse_app;
ALTER FUNCTION accounts.credential_by_email(text) OWNER TO pulse_lookup;
ALTER FUNCTION accounts.user_by_email(text) OWNER TO pulse_lookup;
ALTER FUNCTION accounts.refresh_token_user(bytea) OWNER TO pulse_lookup;
ALTER FUNCTION accounts.my_organizations() OWNER TO pulse_lookup;
ALTER FUNCTION accounts.users_of_tenant(uuid[]) OWNER TO pulse_lookup;
ALTER FUNCTION accounts.organization_by_slug(text) OWNER TO pulse_lookup;
