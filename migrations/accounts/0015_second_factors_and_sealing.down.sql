REVOKE UPDATE (seed) ON accounts.signing_keys FROM pulse_app;

ALTER TABLE accounts.sign_in_challenges
    DROP CONSTRAINT sign_in_challenges_vouched, DROP COLUMN identity_id, DROP COLUMN provider, DROP COLUMN confined_to;
REVOKE UPDATE (trusts_second_factor) ON accounts.identity_providers FROM pulse_app;
ALTER TABLE accounts.identity_providers DROP COLUMN trusts_second_factor;
