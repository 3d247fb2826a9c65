-- Mail to people: tokens that are good once, and which addresses are known to be theirs.
ALTER TABLE accounts.users ADD COLUMN email_verified_at timestamptz;
COMMENT ON COLUMN accounts.users.email_verified_at IS '@pii(class: NONE) When the person was shown to get mail at this address; null while it was not.';
GRANT UPDATE (email, email_verified_at) ON accounts.users TO pulse_app;
-- Hashes are compared, and not read back.
GRANT SELECT (user_id, updated_at), UPDATE (password_hash, updated_at) ON accounts.credentials TO pulse_app;

CREATE TABLE accounts.one_time_tokens (
    user_id     uuid NOT NULL REFERENCES accounts.users,
    purpose     text NOT NULL COLLATE "C" CHECK (purpose IN ('verify_email', 'reset_password', 'change_email', 'sign_in')),
    hash        bytea NOT NULL CHECK (length(hash) = 32),
    address     text NOT NULL COLLATE "C" CHECK (address = lower(address) AND length(address) BETWEEN 3 AND 254),
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    PRIMARY KEY (user_id, purpose),
    CONSTRAINT one_time_tokens_hash UNIQUE (hash)
);
COMMENT ON TABLE accounts.one_time_tokens IS 'class: person. The newest token of each purpose that was sent to a person by mail and not yet used.';
COMMENT ON COLUMN accounts.one_time_tokens.user_id IS '@pii(class: SUBJECT) Whose it is.';
COMMENT ON COLUMN accounts.one_time_tokens.purpose IS '@pii(class: NONE) What it is good for: verify_email, reset_password, change_email or sign_in.';
COMMENT ON COLUMN accounts.one_time_tokens.hash IS '@pii(class: CREDENTIAL) SHA-256 of the token, which has 256 random bits and is kept nowhere.';
COMMENT ON COLUMN accounts.one_time_tokens.address IS '@pii(class: CONTACT) Where it was sent: what it proves.';
COMMENT ON COLUMN accounts.one_time_tokens.created_at IS '@pii(class: NONE) When it was made.';
COMMENT ON COLUMN accounts.one_time_tokens.expires_at IS '@pii(class: NONE) Until when it is good.';

ALTER TABLE accounts.one_time_tokens ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY person ON accounts.one_time_tokens TO pulse_app
    USING (user_id = nullif(current_setting('pulse.user_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE (hash, address, created_at, expires_at), DELETE ON accounts.one_time_tokens TO pulse_app;

-- More reasons for which sessions end.
ALTER TABLE accounts.sessions DROP CONSTRAINT sessions_end_reason_check;
ALTER TABLE accounts.sessions ADD CONSTRAINT sessions_end_reason_check
    CHECK (end_reason IN ('signed_out', 'token_reused', 'password_changed'));
COMMENT ON COLUMN accounts.sessions.end_reason IS '@pii(class: NONE) signed_out, token_reused when a refresh token came a second time, or password_changed.';

-- Signing in: when the password was set, so that a hash at another cost replaces that of no other password.
DROP FUNCTION accounts.credential_by_email(text);
CREATE FUNCTION accounts.credential_by_email(address text)
RETURNS TABLE (user_id uuid, password_hash text, updated_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT u.user_id, c.password_hash, c.updated_at
      FROM accounts.users u
      JOIN accounts.credentials c ON c.user_id = u.user_id
     WHERE u.email = address COLLATE "C"
$$;
REVOKE ALL ON FUNCTION accounts.credential_by_email(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION accounts.credential_by_email(text) TO pulse_app;
ALTER FUNCTION accounts.credential_by_email(text) OWNER TO pulse_lookup;

-- Using a token: it is all that is known.
GRANT SELECT ON accounts.one_time_tokens TO pulse_lookup;
CREATE FUNCTION accounts.one_time_token_user(token_hash bytea) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT t.user_id FROM accounts.one_time_tokens t WHERE t.hash = token_hash
$$;
REVOKE ALL ON FUNCTION accounts.one_time_token_user(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION accounts.one_time_token_user(bytea) TO pulse_app;
ALTER FUNCTION accounts.one_time_token_user(bytea) OWNER TO pulse_lookup;
