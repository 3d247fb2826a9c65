DROP TABLE accounts.signing_keys;
UPDATE accounts.sessions SET end_reason = 'ended' WHERE end_reason = 'factor_changed';
ALTER TABLE accounts.sessions DROP CONSTRAINT sessions_end_reason_check;
ALTER TABLE accounts.sessions ADD CONSTRAINT sessions_end_reason_check
    CHECK (end_reason IN ('signed_out', 'token_reused', 'password_changed', 'ended'));
DROP FUNCTION accounts.sign_in_challenge_user(bytea);
DROP TABLE accounts.passkey_ceremonies;
DROP TABLE accounts.passkeys;
DROP TABLE accounts.sign_in_challenges;
DROP TABLE accounts.recovery_codes;
DROP TABLE accounts.totp_factors;
