-- Signing in by another issuer: an organization's issuers, the domains whose people they may sign in, and who is whom at them.

-- ── an organization's own ───────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE accounts.identity_providers (
    org_id            uuid NOT NULL REFERENCES accounts.organizations,
    id                uuid NOT NULL,
    name              text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    issuer            text NOT NULL COLLATE "C" CHECK (length(issuer) BETWEEN 1 AND 500),
    client_id         text NOT NULL CHECK (length(client_id) BETWEEN 1 AND 255),
    client_secret     text,
    scopes            text[] NOT NULL,
    enabled           boolean NOT NULL,
    sign_up           boolean NOT NULL,
    assumes_verified  boolean NOT NULL,
    role_claim        text CHECK (length(role_claim) BETWEEN 1 AND 255),
    role_mappings     jsonb NOT NULL,
    default_role      text COLLATE "C" CHECK (default_role IN ('owner', 'admin', 'member', 'viewer')),
    version           bigint NOT NULL DEFAULT 1,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    CONSTRAINT identity_providers_id UNIQUE (id)
);
COMMENT ON TABLE accounts.identity_providers IS 'class: tenant. Issuers of OpenID Connect by which people sign in to an organization.';
COMMENT ON COLUMN accounts.identity_providers.org_id IS '@pii(class: NONE) The organization.';
COMMENT ON COLUMN accounts.identity_providers.id IS '@pii(class: NONE) UUIDv7.';
COMMENT ON COLUMN accounts.identity_providers.name IS '@pii(class: NONE) What people read on the button.';
COMMENT ON COLUMN accounts.identity_providers.issuer IS '@pii(class: NONE) The issuer, as its ID tokens name it.';
COMMENT ON COLUMN accounts.identity_providers.client_id IS '@pii(class: NONE) What Pulse is called there.';
COMMENT ON COLUMN accounts.identity_providers.client_secret IS '@pii(class: CREDENTIAL) What Pulse proves itself with there, sealed; null for a public client.';
COMMENT ON COLUMN accounts.identity_providers.scopes IS '@pii(class: NONE) What is asked for beside openid.';
COMMENT ON COLUMN accounts.identity_providers.enabled IS '@pii(class: NONE) Whether anybody is signed in by it.';
COMMENT ON COLUMN accounts.identity_providers.sign_up IS '@pii(class: NONE) Whether people who have no account get one.';
COMMENT ON COLUMN accounts.identity_providers.assumes_verified IS '@pii(class: NONE) Whether its addresses count as verified although it does not say so.';
COMMENT ON COLUMN accounts.identity_providers.role_claim IS '@pii(class: NONE) The path of the claim by which roles are given, with dots between.';
COMMENT ON COLUMN accounts.identity_providers.role_mappings IS '@pii(class: NONE) Values of that claim, and the role that each gives.';
COMMENT ON COLUMN accounts.identity_providers.default_role IS '@pii(class: NONE) The role of those to whom no value gives one; null to refuse them.';
COMMENT ON COLUMN accounts.identity_providers.version IS '@pii(class: NONE) 1 at first, one more with each change.';
COMMENT ON COLUMN accounts.identity_providers.created_at IS '@pii(class: NONE) When it was made.';
COMMENT ON COLUMN accounts.identity_providers.updated_at IS '@pii(class: NONE) When this version was written.';

CREATE TABLE accounts.email_domains (
    org_id       uuid NOT NULL REFERENCES accounts.organizations,
    domain       text NOT NULL COLLATE "C" CHECK (domain = lower(domain) AND length(domain) BETWEEN 3 AND 253),
    provider_id  uuid,
    proof        text NOT NULL,
    verified_at  timestamptz,
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (org_id, domain),
    FOREIGN KEY (org_id, provider_id) REFERENCES accounts.identity_providers ON DELETE SET NULL (provider_id)
);
-- Many may say that a domain is theirs; one can have shown it.
CREATE UNIQUE INDEX email_domains_verified ON accounts.email_domains (domain) WHERE verified_at IS NOT NULL;
CREATE INDEX email_domains_provider ON accounts.email_domains (org_id, provider_id);
COMMENT ON TABLE accounts.email_domains IS 'class: tenant. Domains of mail that an organization says are its own, and which of them it has shown to be.';
COMMENT ON COLUMN accounts.email_domains.org_id IS '@pii(class: NONE) The organization.';
COMMENT ON COLUMN accounts.email_domains.domain IS '@pii(class: NONE) The domain, in lower case.';
COMMENT ON COLUMN accounts.email_domains.provider_id IS '@pii(class: NONE) The issuer that signs in who has an address there; null for none.';
COMMENT ON COLUMN accounts.email_domains.proof IS '@pii(class: NONE) What the domain must publish. Everybody may read it there.';
COMMENT ON COLUMN accounts.email_domains.verified_at IS '@pii(class: NONE) When the domain had published it; null while it was not seen.';
COMMENT ON COLUMN accounts.email_domains.created_at IS '@pii(class: NONE) When it was claimed.';

-- ── a person's own ──────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE accounts.identities (
    user_id       uuid NOT NULL REFERENCES accounts.users,
    id            uuid NOT NULL,
    scope         uuid NOT NULL,
    issuer        text NOT NULL COLLATE "C" CHECK (length(issuer) BETWEEN 1 AND 500),
    subject       text NOT NULL COLLATE "C" CHECK (length(subject) BETWEEN 1 AND 255),
    email         text COLLATE "C" CHECK (length(email) BETWEEN 3 AND 254),
    linked_at     timestamptz NOT NULL,
    last_used_at  timestamptz NOT NULL,
    PRIMARY KEY (user_id, id),
    CONSTRAINT identities_subject UNIQUE (scope, issuer, subject)
);
COMMENT ON TABLE accounts.identities IS 'class: person. Who a person is at issuers.';
COMMENT ON COLUMN accounts.identities.user_id IS '@pii(class: SUBJECT) The person.';
COMMENT ON COLUMN accounts.identities.id IS '@pii(class: NONE) UUIDv7.';
COMMENT ON COLUMN accounts.identities.scope IS '@pii(class: NONE) The organization whose issuer it is; the nil id for those of the settings. What one says of a person counts for no other.';
COMMENT ON COLUMN accounts.identities.issuer IS '@pii(class: NONE) The issuer.';
COMMENT ON COLUMN accounts.identities.subject IS '@pii(class: CONTACT) What the issuer calls the person: never another one.';
COMMENT ON COLUMN accounts.identities.email IS '@pii(class: CONTACT) The address that the issuer last named.';
COMMENT ON COLUMN accounts.identities.linked_at IS '@pii(class: NONE) When the two were found to be the same.';
COMMENT ON COLUMN accounts.identities.last_used_at IS '@pii(class: NONE) When the person last signed in so.';

CREATE TABLE accounts.session_origins (
    user_id       uuid NOT NULL,
    session_id    uuid NOT NULL,
    identity_id   uuid NOT NULL,
    provider      text NOT NULL COLLATE "C",
    organization  uuid,
    PRIMARY KEY (user_id, session_id),
    FOREIGN KEY (user_id, session_id) REFERENCES accounts.sessions
);
CREATE INDEX session_origins_identity ON accounts.session_origins (user_id, identity_id);
COMMENT ON TABLE accounts.session_origins IS 'class: person. Sessions that were begun by an issuer.';
COMMENT ON COLUMN accounts.session_origins.user_id IS '@pii(class: SUBJECT) Whose session it is.';
COMMENT ON COLUMN accounts.session_origins.session_id IS '@pii(class: NONE) The session.';
COMMENT ON COLUMN accounts.session_origins.identity_id IS '@pii(class: NONE) Who the person was there. No foreign key: it may be unlinked.';
COMMENT ON COLUMN accounts.session_origins.provider IS '@pii(class: NONE) The issuer: its id, or its name in the settings.';
COMMENT ON COLUMN accounts.session_origins.organization IS '@pii(class: NONE) The organization that the session must stay in, since its issuer speaks for no other; null when it need not.';

-- ── on the way to an issuer and back ────────────────────────────────────────────────────────────────────────────
CREATE TABLE accounts.oidc_attempts (
    state_hash    bytea PRIMARY KEY CHECK (length(state_hash) = 32),
    browser_hash  bytea NOT NULL CHECK (length(browser_hash) = 32),
    provider      text NOT NULL COLLATE "C",
    actor         uuid,
    secrets       text NOT NULL,
    redirect_uri  text NOT NULL COLLATE "C",
    expires_at    timestamptz NOT NULL
);
CREATE INDEX oidc_attempts_age ON accounts.oidc_attempts (expires_at);
COMMENT ON TABLE accounts.oidc_attempts IS 'class: platform. People who were sent to an issuer and are not back yet: each row is good once, for minutes.';
COMMENT ON COLUMN accounts.oidc_attempts.state_hash IS '@pii(class: CREDENTIAL) SHA-256 of the state that the issuer hands back.';
COMMENT ON COLUMN accounts.oidc_attempts.browser_hash IS '@pii(class: CREDENTIAL) SHA-256 of what whoever began keeps, and shows when coming back.';
COMMENT ON COLUMN accounts.oidc_attempts.provider IS '@pii(class: NONE) The issuer: its id, or its name in the settings.';
COMMENT ON COLUMN accounts.oidc_attempts.actor IS '@pii(class: SUBJECT) Who wants to link an identity; null to sign in.';
COMMENT ON COLUMN accounts.oidc_attempts.secrets IS '@pii(class: CREDENTIAL) The nonce and the verifier of PKCE, sealed.';
COMMENT ON COLUMN accounts.oidc_attempts.redirect_uri IS '@pii(class: NONE) Where the issuer sends the browser back to.';
COMMENT ON COLUMN accounts.oidc_attempts.expires_at IS '@pii(class: NONE) Until when.';
GRANT SELECT, INSERT, DELETE ON accounts.oidc_attempts TO pulse_app;

-- ── walls ───────────────────────────────────────────────────────────────────────────────────────────────────────
ALTER TABLE accounts.identity_providers ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON accounts.identity_providers TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
GRANT SELECT, INSERT, DELETE, UPDATE (name, issuer, client_id, client_secret, scopes, enabled, sign_up, assumes_verified,
    role_claim, role_mappings, default_role, version, updated_at) ON accounts.identity_providers TO pulse_app;

ALTER TABLE accounts.email_domains ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON accounts.email_domains TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
GRANT SELECT, INSERT, DELETE, UPDATE (provider_id, verified_at) ON accounts.email_domains TO pulse_app;

ALTER TABLE accounts.identities ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY person ON accounts.identities TO pulse_app
    USING (user_id = nullif(current_setting('pulse.user_id', true), '')::uuid);
GRANT SELECT, INSERT, DELETE, UPDATE (email, last_used_at) ON accounts.identities TO pulse_app;

ALTER TABLE accounts.session_origins ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY person ON accounts.session_origins TO pulse_app
    USING (user_id = nullif(current_setting('pulse.user_id', true), '')::uuid);
GRANT SELECT, INSERT ON accounts.session_origins TO pulse_app;

-- ── what is looked up past the walls ────────────────────────────────────────────────────────────────────────────
GRANT SELECT ON accounts.identity_providers, accounts.email_domains, accounts.identities TO pulse_lookup;

-- Beginning to sign in: the issuer is all that is known.
CREATE FUNCTION accounts.identity_provider_organization(provider uuid) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT p.org_id FROM accounts.identity_providers p WHERE p.id = provider
$$;
REVOKE ALL ON FUNCTION accounts.identity_provider_organization(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION accounts.identity_provider_organization(uuid) TO pulse_app;
ALTER FUNCTION accounts.identity_provider_organization(uuid) OWNER TO pulse_lookup;

-- The same when it is the domain of an address.
CREATE FUNCTION accounts.identity_provider_of_domain(asked text) RETURNS TABLE (id uuid, name text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT p.id, p.name
      FROM accounts.email_domains d
      JOIN accounts.identity_providers p ON p.org_id = d.org_id AND p.id = d.provider_id
     WHERE d.domain = asked COLLATE "C" AND d.verified_at IS NOT NULL AND p.enabled
$$;
REVOKE ALL ON FUNCTION accounts.identity_provider_of_domain(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION accounts.identity_provider_of_domain(text) TO pulse_app;
ALTER FUNCTION accounts.identity_provider_of_domain(text) OWNER TO pulse_lookup;

-- Coming back from an issuer: what it calls the person is all that is known.
CREATE FUNCTION accounts.identity_user(within uuid, of_issuer text, called text) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT i.user_id FROM accounts.identities i
     WHERE i.scope = within AND i.issuer = of_issuer COLLATE "C" AND i.subject = called COLLATE "C"
$$;
REVOKE ALL ON FUNCTION accounts.identity_user(uuid, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION accounts.identity_user(uuid, text, text) TO pulse_app;
ALTER FUNCTION accounts.identity_user(uuid, text, text) OWNER TO pulse_lookup;
