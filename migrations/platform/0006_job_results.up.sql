-- What a job that was done had to say. Its worker bounds it, in the statement that ends the job.
ALTER TABLE platform.jobs_ended ADD COLUMN result jsonb;
COMMENT ON COLUMN platform.jobs_ended.result IS '@pii(class: SUBJECT) What the handler answered, 64 KiB at most: ids and numbers, never values of persons.';
