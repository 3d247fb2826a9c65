DROP FUNCTION accounts.note_machine_uses(uuid[], timestamptz);
DROP FUNCTION accounts.machine_by_secret(bytea);
DROP TABLE accounts.machine_secrets;
DROP TABLE accounts.machines;
-- The owner is behind the wall too, as long as it is forced.
ALTER TABLE accounts.history NO FORCE ROW LEVEL SECURITY;
DELETE FROM accounts.history WHERE subject = 'accounts.machine';
ALTER TABLE accounts.history FORCE ROW LEVEL SECURITY;
