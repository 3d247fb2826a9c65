ALTER TABLE platform.jobs_ended DROP COLUMN result;
