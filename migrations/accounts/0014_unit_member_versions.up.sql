-- Belonging to a unit has versions, as belonging to the tenant has: what ended goes on in the history.
ALTER TABLE accounts.unit_members ADD COLUMN version bigint NOT NULL DEFAULT 1;
COMMENT ON COLUMN accounts.unit_members.version IS '@pii(class: NONE) Odd, and greater than all that the person has had in units of the tenant before; the next one is that of leaving.';

COMMENT ON TABLE accounts.history IS 'class: tenant. What was before each change and removal.';
COMMENT ON COLUMN accounts.history.subject IS '@pii(class: NONE) Of what: accounts.organization, accounts.membership, accounts.machine, accounts.unit and others.';
COMMENT ON COLUMN accounts.history.id IS '@pii(class: SUBJECT) Of which one; of memberships of organizations and units, of whom.';
COMMENT ON COLUMN accounts.history.value IS '@pii(class: NONE) Its fields as they were.';
