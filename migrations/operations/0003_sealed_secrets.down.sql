-- What is sealed stays so: webhooks sign again when their secrets are rotated.
COMMENT ON COLUMN operations.webhooks.previous_secret IS '@pii(class: CREDENTIAL) What they were signed with before, and are as well for a while.';
COMMENT ON COLUMN operations.webhooks.secret IS '@pii(class: CREDENTIAL) What bodies are signed with.';
ALTER TABLE operations.dispatch DROP COLUMN key_id;
