-- Attempts that failed, so that guessing gets slower the longer it goes on. Keys are digests with a key that the database does
-- not have: the table says about nobody that they exist, were attacked, or from where.
CREATE TABLE accounts.throttles (
    key             bytea PRIMARY KEY CHECK (length(key) = 32),
    failures        int NOT NULL CHECK (failures > 0),
    last_failed_at  timestamptz NOT NULL,
    blocked_until   timestamptz NOT NULL
);
CREATE INDEX throttles_age ON accounts.throttles (last_failed_at);
COMMENT ON TABLE accounts.throttles IS 'class: platform. How often something failed lately that may be an attack; forgotten after a day.';
COMMENT ON COLUMN accounts.throttles.key IS '@pii(class: NONE) HMAC-SHA256 of what is counted: an address to sign in with, a network address, or both.';
COMMENT ON COLUMN accounts.throttles.failures IS '@pii(class: NONE) How often, without a day between.';
COMMENT ON COLUMN accounts.throttles.last_failed_at IS '@pii(class: NONE) When it last failed.';
COMMENT ON COLUMN accounts.throttles.blocked_until IS '@pii(class: NONE) Nothing is tried before this time.';
GRANT SELECT, INSERT, UPDATE, DELETE ON accounts.throttles TO pulse_app;
GRANT SELECT (last_failed_at), DELETE ON accounts.throttles TO pulse_maintenance;

-- Whether somebody with this address to sign in with was signed in from that network address lately: whoever attacks a person
-- from elsewhere must not keep that person out.
CREATE FUNCTION accounts.was_signed_in_from(login text, network_address text, since timestamptz) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM accounts.users u
          JOIN accounts.sessions s ON s.user_id = u.user_id
         WHERE u.email = login COLLATE "C" AND s.address = network_address COLLATE "C" AND s.last_used_at > since
    )
$$;
GRANT SELECT ON accounts.sessions TO pulse_lookup;
REVOKE ALL ON FUNCTION accounts.was_signed_in_from(text, text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION accounts.was_signed_in_from(text, text, timestamptz) TO pulse_app;
ALTER FUNCTION accounts.was_signed_in_from(text, text, timestamptz) OWNER TO pulse_lookup;
