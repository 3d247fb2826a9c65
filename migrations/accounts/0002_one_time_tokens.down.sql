DROP FUNCTION accounts.one_time_token_user(bytea);
DROP FUNCTION accounts.credential_by_email(text);
CREATE FUNCTION accounts.credential_by_email(address text) RETURNS TABLE (user_id uuid, password_hash text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT u.user_id, c.password_hash
      FROM accounts.users u
      JOIN accounts.credentials c ON c.user_id = u.user_id
     WHERE u.email = address COLLATE "C"
$$;
REVOKE ALL ON FUNCTION accounts.credential_by_email(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION accounts.credential_by_email(text) TO pulse_app;
ALTER FUNCTION accounts.credential_by_email(text) OWNER TO pulse_lookup;
ALTER TABLE accounts.sessions DROP CONSTRAINT sessions_end_reason_check;
-- The owner is behind the wall too, as long as it is forced.
ALTER TABLE accounts.sessions NO FORCE ROW LEVEL SECURITY;
UPDATE accounts.sessions SET end_reason = 'signed_out' WHERE end_reason = 'password_changed';
ALTER TABLE accounts.sessions FORCE ROW LEVEL SECURITY;
ALTER TABLE accounts.sessions ADD CONSTRAINT sessions_end_reason_check CHECK (end_reason IN ('signed_out', 'token_reused'));
COMMENT ON COLUMN accounts.sessions.end_reason IS '@pii(class: NONE) signed_out, or token_reused when a refresh token came a second time.';
DROP TABLE accounts.one_time_tokens;
REVOKE SELECT (user_id, updated_at), UPDATE (password_hash, updated_at) ON accounts.credentials FROM pulse_app;
REVOKE UPDATE (email, email_verified_at) ON accounts.users FROM pulse_app;
ALTER TABLE accounts.users DROP COLUMN email_verified_at;
