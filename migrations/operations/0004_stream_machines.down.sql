ALTER TABLE operations.streams DROP COLUMN machine;
