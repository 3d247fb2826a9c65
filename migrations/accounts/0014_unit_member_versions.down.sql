COMMENT ON TABLE accounts.history IS 'class: tenant. What organizations and memberships were before each change and removal.';
COMMENT ON COLUMN accounts.history.subject IS '@pii(class: NONE) accounts.organization or accounts.membership.';
COMMENT ON COLUMN accounts.history.id IS '@pii(class: SUBJECT) The organization, or the member.';
COMMENT ON COLUMN accounts.history.value IS '@pii(class: NONE) Slug and name, or role and time of joining, as they were.';
ALTER TABLE accounts.unit_members DROP COLUMN version;
ALTER TABLE accounts.history NO FORCE ROW LEVEL SECURITY;
DELETE FROM accounts.history WHERE subject IN ('accounts.unit', 'accounts.unit_member');
ALTER TABLE accounts.history FORCE ROW LEVEL SECURITY;
