-- Second factors: what people sign in with beside their password, and the step between the two. And the keys that access
-- tokens are signed with, which are replaced from time to time.

-- ── codes of an app ─────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE accounts.totp_factors (
    user_id       uuid PRIMARY KEY REFERENCES accounts.users,
    secret        text NOT NULL COLLATE "C" CHECK (secret LIKE 'sealed.%'),
    created_at    timestamptz NOT NULL,
    confirmed_at  timestamptz,
    last_step     bigint NOT NULL DEFAULT 0
);
COMMENT ON TABLE accounts.totp_factors IS 'class: person. The app that makes codes for a person (RFC 6238); it counts once it is confirmed.';
COMMENT ON COLUMN accounts.totp_factors.user_id IS '@pii(class: SUBJECT) The person.';
COMMENT ON COLUMN accounts.totp_factors.secret IS '@pii(class: CREDENTIAL) The secret that the app shares, sealed.';
COMMENT ON COLUMN accounts.totp_factors.created_at IS '@pii(class: NONE) When the secret was made.';
COMMENT ON COLUMN accounts.totp_factors.confirmed_at IS '@pii(class: NONE) When the person showed that the app makes the right codes; null before.';
COMMENT ON COLUMN accounts.totp_factors.last_step IS '@pii(class: NONE) The 30 seconds since 1970 of the newest code that was used: no code is good twice.';

ALTER TABLE accounts.totp_factors ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY person ON accounts.totp_factors TO pulse_app
    USING (user_id = nullif(current_setting('pulse.user_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE (secret, created_at, confirmed_at, last_step), DELETE ON accounts.totp_factors TO pulse_app;

-- ── codes on paper ──────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE accounts.recovery_codes (
    user_id     uuid NOT NULL REFERENCES accounts.users,
    hash        bytea NOT NULL CHECK (length(hash) = 32),
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (user_id, hash)
);
COMMENT ON TABLE accounts.recovery_codes IS 'class: person. Codes for whoever has lost the app, which are gone once used.';
COMMENT ON COLUMN accounts.recovery_codes.user_id IS '@pii(class: SUBJECT) The person.';
COMMENT ON COLUMN accounts.recovery_codes.hash IS '@pii(class: CREDENTIAL) SHA-256 of the person and the code, which has 80 random bits and is kept nowhere.';
COMMENT ON COLUMN accounts.recovery_codes.created_at IS '@pii(class: NONE) When it was made.';

ALTER TABLE accounts.recovery_codes ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY person ON accounts.recovery_codes TO pulse_app
    USING (user_id = nullif(current_setting('pulse.user_id', true), '')::uuid);
GRANT SELECT, INSERT, DELETE ON accounts.recovery_codes TO pulse_app;

-- ── the step between ────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE accounts.sign_in_challenges (
    user_id       uuid NOT NULL REFERENCES accounts.users,
    hash          bytea NOT NULL CHECK (length(hash) = 32),
    organization  uuid,
    failures      int NOT NULL DEFAULT 0,
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    PRIMARY KEY (user_id, hash),
    CONSTRAINT sign_in_challenges_hash UNIQUE (hash)
);
CREATE INDEX sign_in_challenges_age ON accounts.sign_in_challenges (user_id, expires_at);
COMMENT ON TABLE accounts.sign_in_challenges IS 'class: person. Who has shown the first of two factors, and has to show the second.';
COMMENT ON COLUMN accounts.sign_in_challenges.user_id IS '@pii(class: SUBJECT) Who signs in.';
COMMENT ON COLUMN accounts.sign_in_challenges.hash IS '@pii(class: CREDENTIAL) SHA-256 of the challenge, which has 256 random bits and is kept nowhere.';
COMMENT ON COLUMN accounts.sign_in_challenges.organization IS '@pii(class: NONE) The organization that the session will act in; null for none.';
COMMENT ON COLUMN accounts.sign_in_challenges.failures IS '@pii(class: NONE) Wrong codes so far; the challenge is gone after a few.';
COMMENT ON COLUMN accounts.sign_in_challenges.created_at IS '@pii(class: NONE) When the first factor was shown.';
COMMENT ON COLUMN accounts.sign_in_challenges.expires_at IS '@pii(class: NONE) Until when the second one may be.';

ALTER TABLE accounts.sign_in_challenges ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY person ON accounts.sign_in_challenges TO pulse_app
    USING (user_id = nullif(current_setting('pulse.user_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE (failures), DELETE ON accounts.sign_in_challenges TO pulse_app;

-- Showing the second factor: the challenge is all that is known.
GRANT SELECT ON accounts.sign_in_challenges TO pulse_lookup;
CREATE FUNCTION accounts.sign_in_challenge_user(challenge_hash bytea) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT c.user_id FROM accounts.sign_in_challenges c WHERE c.hash = challenge_hash
$$;
REVOKE ALL ON FUNCTION accounts.sign_in_challenge_user(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION accounts.sign_in_challenge_user(bytea) TO pulse_app;
ALTER FUNCTION accounts.sign_in_challenge_user(bytea) OWNER TO pulse_lookup;

-- ── passkeys ────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE accounts.passkeys (
    user_id        uuid NOT NULL REFERENCES accounts.users,
    id             uuid NOT NULL,
    credential_id  bytea NOT NULL CHECK (length(credential_id) BETWEEN 16 AND 1023),
    name           text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    static_state   bytea NOT NULL CHECK (length(static_state) <= 2048),
    dynamic_state  bytea NOT NULL CHECK (length(dynamic_state) = 7),
    created_at     timestamptz NOT NULL,
    last_used_at   timestamptz,
    PRIMARY KEY (user_id, id),
    CONSTRAINT passkeys_credential UNIQUE (credential_id)
);
COMMENT ON TABLE accounts.passkeys IS 'class: person. Keys in devices, which sign their person in.';
COMMENT ON COLUMN accounts.passkeys.user_id IS '@pii(class: SUBJECT) The person.';
COMMENT ON COLUMN accounts.passkeys.id IS '@pii(class: NONE) UUIDv7.';
COMMENT ON COLUMN accounts.passkeys.credential_id IS '@pii(class: CREDENTIAL) What the authenticator calls it.';
COMMENT ON COLUMN accounts.passkeys.name IS '@pii(class: CONTENT) What the person calls it.';
COMMENT ON COLUMN accounts.passkeys.static_state IS '@pii(class: CREDENTIAL) Its public key, and what it was made with.';
COMMENT ON COLUMN accounts.passkeys.dynamic_state IS '@pii(class: NONE) Its counter, and whether it is kept elsewhere too.';
COMMENT ON COLUMN accounts.passkeys.created_at IS '@pii(class: NONE) When it was registered.';
COMMENT ON COLUMN accounts.passkeys.last_used_at IS '@pii(class: NONE) When it last signed in.';

ALTER TABLE accounts.passkeys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY person ON accounts.passkeys TO pulse_app
    USING (user_id = nullif(current_setting('pulse.user_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE (name, dynamic_state, last_used_at), DELETE ON accounts.passkeys TO pulse_app;

CREATE TABLE accounts.passkey_ceremonies (
    hash        bytea PRIMARY KEY CHECK (length(hash) = 32),
    expires_at  timestamptz NOT NULL
);
CREATE INDEX passkey_ceremonies_age ON accounts.passkey_ceremonies (expires_at);
COMMENT ON TABLE accounts.passkey_ceremonies IS 'class: platform. What browsers were asked for a passkey and have not answered; each is answered once.';
COMMENT ON COLUMN accounts.passkey_ceremonies.hash IS '@pii(class: NONE) SHA-256 of the ceremony, which the browser has.';
COMMENT ON COLUMN accounts.passkey_ceremonies.expires_at IS '@pii(class: NONE) Until when it may be answered.';
GRANT SELECT, INSERT, UPDATE, DELETE ON accounts.passkey_ceremonies TO pulse_app;

-- One more reason for which sessions end.
ALTER TABLE accounts.sessions DROP CONSTRAINT sessions_end_reason_check;
ALTER TABLE accounts.sessions ADD CONSTRAINT sessions_end_reason_check
    CHECK (end_reason IN ('signed_out', 'token_reused', 'password_changed', 'factor_changed', 'ended'));
COMMENT ON COLUMN accounts.sessions.end_reason IS '@pii(class: NONE) signed_out, token_reused when a refresh token came a second time, password_changed, factor_changed, or ended from another session.';

-- ── keys of access tokens ───────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE accounts.signing_keys (
    kid          text PRIMARY KEY COLLATE "C" CHECK (length(kid) = 43),
    public_key   text NOT NULL COLLATE "C" CHECK (length(public_key) = 43),
    seed         text NOT NULL COLLATE "C" CHECK (seed LIKE 'sealed.%'),
    created_at   timestamptz NOT NULL,
    active_from  timestamptz NOT NULL
);
COMMENT ON TABLE accounts.signing_keys IS 'class: platform. The keys that access tokens are signed with: the one that became active last signs, those before it verify until their tokens have ended.';
COMMENT ON COLUMN accounts.signing_keys.kid IS '@pii(class: NONE) Its name in tokens and key sets: the RFC 7638 thumbprint of the public key.';
COMMENT ON COLUMN accounts.signing_keys.public_key IS '@pii(class: NONE) What verifies: its 32 bytes in base64 for URLs.';
COMMENT ON COLUMN accounts.signing_keys.seed IS '@pii(class: NONE) The private key, sealed.';
COMMENT ON COLUMN accounts.signing_keys.created_at IS '@pii(class: NONE) When it was made, and published.';
COMMENT ON COLUMN accounts.signing_keys.active_from IS '@pii(class: NONE) From when on it signs.';
GRANT SELECT, INSERT, DELETE ON accounts.signing_keys TO pulse_app;
