-- Who has a second factor is asked for it also after an issuer, unless that issuer is believed to have asked for one.

ALTER TABLE accounts.identity_providers ADD COLUMN trusts_second_factor boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN accounts.identity_providers.trusts_second_factor IS '@pii(class: NONE) Whether it is believed when it says that somebody has shown more than one factor.';
GRANT UPDATE (trusts_second_factor) ON accounts.identity_providers TO pulse_app;

-- Of a challenge that follows an issuer: what the session will stand on.
ALTER TABLE accounts.sign_in_challenges
    ADD COLUMN identity_id uuid,
    ADD COLUMN provider text COLLATE "C",
    ADD COLUMN confined_to uuid,
    ADD CONSTRAINT sign_in_challenges_vouched CHECK ((identity_id IS NULL) = (provider IS NULL) AND (identity_id IS NOT NULL OR confined_to IS NULL));
COMMENT ON COLUMN accounts.sign_in_challenges.identity_id IS '@pii(class: NONE) Who the person is at the issuer that was the first factor; null for a password or a link.';
COMMENT ON COLUMN accounts.sign_in_challenges.provider IS '@pii(class: NONE) What the API calls that issuer.';
COMMENT ON COLUMN accounts.sign_in_challenges.confined_to IS '@pii(class: NONE) The organization that the session will stay in; null if it need not.';

-- A key that signs tokens is sealed anew when the key that seals is replaced.
GRANT UPDATE (seed) ON accounts.signing_keys TO pulse_app;
