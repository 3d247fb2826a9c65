DROP TABLE accounts.grants;
DROP TABLE accounts.role_assignments;
DROP TABLE accounts.roles;
