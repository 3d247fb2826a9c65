-- Sessions say where they are used, so that people find the ones that are not theirs.
ALTER TABLE accounts.sessions
    ADD COLUMN user_agent text CHECK (length(user_agent) <= 300),
    ADD COLUMN address text COLLATE "C" CHECK (length(address) <= 45),
    ADD COLUMN last_used_at timestamptz;
COMMENT ON COLUMN accounts.sessions.user_agent IS '@pii(class: CONTENT) What the client said that it is, when it signed in or last refreshed.';
COMMENT ON COLUMN accounts.sessions.address IS '@pii(class: ADDRESS) The network address that it came from then.';
COMMENT ON COLUMN accounts.sessions.last_used_at IS '@pii(class: NONE) When the session was begun or last refreshed; null before this was written down.';
GRANT UPDATE (user_agent, address, last_used_at) ON accounts.sessions TO pulse_app;
CREATE INDEX sessions_open ON accounts.sessions (user_id, id) WHERE ended_at IS NULL;

ALTER TABLE accounts.sessions DROP CONSTRAINT sessions_end_reason_check;
ALTER TABLE accounts.sessions ADD CONSTRAINT sessions_end_reason_check
    CHECK (end_reason IN ('signed_out', 'token_reused', 'password_changed', 'ended'));
COMMENT ON COLUMN accounts.sessions.end_reason IS '@pii(class: NONE) signed_out, token_reused when a refresh token came a second time, password_changed, or ended from another session.';
