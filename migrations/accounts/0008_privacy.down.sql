DROP FUNCTION accounts.erasure_obstacles(uuid);
DROP TABLE accounts.consents;
ALTER TABLE accounts.users DROP COLUMN erasing_at;
