DROP TABLE accounts.unit_members;
DROP TABLE accounts.units;
