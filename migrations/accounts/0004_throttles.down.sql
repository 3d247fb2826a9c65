DROP FUNCTION accounts.was_signed_in_from(text, text, timestamptz);
REVOKE SELECT ON accounts.sessions FROM pulse_lookup;
DROP TABLE accounts.throttles;
