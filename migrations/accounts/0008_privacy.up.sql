-- Persons who are about to be erased, and what persons have consented to.

ALTER TABLE accounts.users ADD COLUMN erasing_at timestamptz;
COMMENT ON COLUMN accounts.users.erasing_at IS '@pii(class: NONE) When erasing the person was asked for; nobody is signed in as the person since.';
GRANT UPDATE (erasing_at) ON accounts.users TO pulse_app;

-- ── consents ────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE accounts.consents (
    user_id       uuid NOT NULL REFERENCES accounts.users,
    id            uuid NOT NULL,
    purpose       text NOT NULL COLLATE "C" CHECK (purpose ~ '^[a-z0-9._-]{1,64}$'),
    version       text NOT NULL COLLATE "C" CHECK (length(version) BETWEEN 1 AND 64),
    given_at      timestamptz NOT NULL,
    withdrawn_at  timestamptz,
    PRIMARY KEY (user_id, id)
);
COMMENT ON TABLE accounts.consents IS 'class: person. What a person has consented to, in which version of its text; what was withdrawn stays as proof.';
COMMENT ON COLUMN accounts.consents.user_id IS '@pii(class: SUBJECT) The person.';
COMMENT ON COLUMN accounts.consents.id IS '@pii(class: NONE) UUIDv7.';
COMMENT ON COLUMN accounts.consents.purpose IS '@pii(class: NONE) What for, such as terms or newsletter.';
COMMENT ON COLUMN accounts.consents.version IS '@pii(class: NONE) Of which text.';
COMMENT ON COLUMN accounts.consents.given_at IS '@pii(class: NONE) When it was given.';
COMMENT ON COLUMN accounts.consents.withdrawn_at IS '@pii(class: NONE) When it was withdrawn, or replaced by one to another version.';
-- One consent for a purpose holds at a time.
CREATE UNIQUE INDEX consents_standing ON accounts.consents (user_id, purpose) WHERE withdrawn_at IS NULL;
ALTER TABLE accounts.consents ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY person ON accounts.consents TO pulse_app
    USING (user_id = nullif(current_setting('pulse.user_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE (withdrawn_at) ON accounts.consents TO pulse_app;

-- ── what stands against erasing somebody ────────────────────────────────────────────────────────────────────────
-- Whether the person is a member of another tenant than the current one, and the only owner of one that has other members.
-- Of nobody but the caller and members of the caller's tenant.
CREATE FUNCTION accounts.erasure_obstacles(person uuid) RETURNS TABLE (elsewhere boolean, sole_owner boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (
               SELECT FROM accounts.memberships m
                WHERE m.user_id = person
                  AND m.org_id IS DISTINCT FROM nullif(current_setting('pulse.org_id', true), '')::uuid
           ),
           EXISTS (
               SELECT FROM accounts.memberships m
                WHERE m.user_id = person AND m.role = 'owner'
                  AND NOT EXISTS (SELECT FROM accounts.memberships o
                                   WHERE o.org_id = m.org_id AND o.role = 'owner' AND o.user_id <> person)
                  AND EXISTS (SELECT FROM accounts.memberships o WHERE o.org_id = m.org_id AND o.user_id <> person)
           )
     WHERE person = nullif(current_setting('pulse.user_id', true), '')::uuid
        OR EXISTS (SELECT FROM accounts.memberships m
                    WHERE m.user_id = person AND m.org_id = nullif(current_setting('pulse.org_id', true), '')::uuid)
$$;
REVOKE ALL ON FUNCTION accounts.erasure_obstacles(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION accounts.erasure_obstacles(uuid) TO pulse_app;
ALTER FUNCTION accounts.erasure_obstacles(uuid) OWNER TO pulse_lookup;
