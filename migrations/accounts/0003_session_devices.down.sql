ALTER TABLE accounts.sessions DROP CONSTRAINT sessions_end_reason_check;
-- The owner is behind the wall too, as long as it is forced.
ALTER TABLE accounts.sessions NO FORCE ROW LEVEL SECURITY;
UPDATE accounts.sessions SET end_reason = 'signed_out' WHERE end_reason = 'ended';
ALTER TABLE accounts.sessions FORCE ROW LEVEL SECURITY;
ALTER TABLE accounts.sessions ADD CONSTRAINT sessions_end_reason_check
    CHECK (end_reason IN ('signed_out', 'token_reused', 'password_changed'));
COMMENT ON COLUMN accounts.sessions.end_reason IS '@pii(class: NONE) signed_out, token_reused when a refresh token came a second time, or password_changed.';
DROP INDEX accounts.sessions_open;
ALTER TABLE accounts.sessions DROP COLUMN last_used_at, DROP COLUMN address, DROP COLUMN user_agent;
