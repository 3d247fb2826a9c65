-- People who are asked by letter to become members of a tenant.
CREATE TABLE accounts.invitations (
    org_id       uuid NOT NULL REFERENCES accounts.organizations,
    id           uuid NOT NULL,
    email        text NOT NULL COLLATE "C" CHECK (email = lower(email) AND length(email) BETWEEN 3 AND 254),
    role         text NOT NULL COLLATE "C" CHECK (role IN ('owner', 'admin', 'member', 'viewer')),
    state        text NOT NULL COLLATE "C" CHECK (state IN ('open', 'accepted', 'declined', 'revoked')),
    hash         bytea CHECK (length(hash) = 32),
    inviter      uuid NOT NULL,
    accepted_by  uuid,
    version      bigint NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    CONSTRAINT invitations_hash UNIQUE (hash)
);
-- One at a time for an address.
CREATE UNIQUE INDEX invitations_open ON accounts.invitations (org_id, email) WHERE state = 'open';
CREATE INDEX invitations_email ON accounts.invitations (email) WHERE state = 'open';
CREATE INDEX invitations_state ON accounts.invitations (org_id, state, id);
COMMENT ON TABLE accounts.invitations IS 'class: tenant. Letters that ask somebody to become a member.';
COMMENT ON COLUMN accounts.invitations.org_id IS '@pii(class: NONE) The tenant.';
COMMENT ON COLUMN accounts.invitations.id IS '@pii(class: NONE) UUIDv7.';
COMMENT ON COLUMN accounts.invitations.email IS '@pii(class: CONTACT) Who is invited, in lower case.';
COMMENT ON COLUMN accounts.invitations.role IS '@pii(class: NONE) The role of whoever accepts: owner, admin, member or viewer.';
COMMENT ON COLUMN accounts.invitations.state IS '@pii(class: NONE) open, accepted, declined or revoked.';
COMMENT ON COLUMN accounts.invitations.hash IS '@pii(class: CREDENTIAL) SHA-256 of the token of the newest letter, which has 256 random bits and is kept nowhere; null until it is sent.';
COMMENT ON COLUMN accounts.invitations.inviter IS '@pii(class: SUBJECT) Who has invited, or answers for the program that has.';
COMMENT ON COLUMN accounts.invitations.accepted_by IS '@pii(class: SUBJECT, of: ROW) Who became a member by it.';
COMMENT ON COLUMN accounts.invitations.version IS '@pii(class: NONE) 1 at first, one more with each change.';
COMMENT ON COLUMN accounts.invitations.created_at IS '@pii(class: NONE) When the address was invited first.';
COMMENT ON COLUMN accounts.invitations.updated_at IS '@pii(class: NONE) When this version was written.';
COMMENT ON COLUMN accounts.invitations.expires_at IS '@pii(class: NONE) Until when it is good.';

CREATE TABLE accounts.invitation_units (
    org_id      uuid NOT NULL,
    invitation  uuid NOT NULL,
    unit        uuid NOT NULL,
    PRIMARY KEY (org_id, invitation, unit),
    CONSTRAINT invitation_units_invitation FOREIGN KEY (org_id, invitation) REFERENCES accounts.invitations ON DELETE CASCADE,
    CONSTRAINT invitation_units_unit FOREIGN KEY (org_id, unit) REFERENCES accounts.units ON DELETE CASCADE
);
CREATE INDEX invitation_units_of ON accounts.invitation_units (org_id, unit);
COMMENT ON TABLE accounts.invitation_units IS 'class: tenant. Sub-organizations and teams that whoever accepts an invitation belongs to.';
COMMENT ON COLUMN accounts.invitation_units.org_id IS '@pii(class: NONE) The tenant.';
COMMENT ON COLUMN accounts.invitation_units.invitation IS '@pii(class: NONE) The invitation.';
COMMENT ON COLUMN accounts.invitation_units.unit IS '@pii(class: NONE) The sub-organization or team.';

ALTER TABLE accounts.invitations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON accounts.invitations TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE (role, state, hash, inviter, accepted_by, version, updated_at, expires_at)
    ON accounts.invitations TO pulse_app;

ALTER TABLE accounts.invitation_units ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON accounts.invitation_units TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
GRANT SELECT, INSERT, DELETE ON accounts.invitation_units TO pulse_app;

GRANT SELECT ON accounts.invitations TO pulse_lookup;

-- Using a letter: its token is all that is known.
CREATE FUNCTION accounts.invitation_by_hash(token_hash bytea) RETURNS TABLE (org_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT i.org_id, i.id FROM accounts.invitations i WHERE i.hash = token_hash
$$;

-- The invitations of the current person, by the address that is known to be its own, in whatever tenants.
CREATE FUNCTION accounts.my_invitations(at timestamptz)
RETURNS TABLE (org_id uuid, id uuid, organization text, role text, inviter text, created_at timestamptz, expires_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT i.org_id, i.id, o.name, i.role, b.name, i.created_at, i.expires_at
      FROM accounts.users u
      JOIN accounts.invitations i ON i.email = u.email AND i.state = 'open' AND i.expires_at > at
      JOIN accounts.organizations o ON o.org_id = i.org_id
      LEFT JOIN accounts.memberships m ON m.org_id = i.org_id AND m.user_id = i.inviter
      LEFT JOIN accounts.users b ON b.user_id = m.user_id
     WHERE u.user_id = nullif(current_setting('pulse.user_id', true), '')::uuid AND u.email_verified_at IS NOT NULL
     ORDER BY i.id
     LIMIT 100
$$;

REVOKE ALL ON FUNCTION accounts.invitation_by_hash(bytea), accounts.my_invitations(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION accounts.invitation_by_hash(bytea), accounts.my_invitations(timestamptz) TO pulse_app;
ALTER FUNCTION accounts.invitation_by_hash(bytea) OWNER TO pulse_lookup;
ALTER FUNCTION accounts.my_invitations(timestamptz) OWNER TO pulse_lookup;
