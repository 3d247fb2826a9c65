DROP FUNCTION accounts.my_invitations(timestamptz);
DROP FUNCTION accounts.invitation_by_hash(bytea);
DROP TABLE accounts.invitation_units;
DROP TABLE accounts.invitations;
