-- Signing secrets are stored sealed, with a key that the database does not have. What is stored in plain by then is sealed
-- by the process that sends: no SQL has the key.
ALTER TABLE operations.dispatch ADD COLUMN key_id text COLLATE "C";
COMMENT ON COLUMN operations.dispatch.key_id IS '@pii(class: NONE) The key that the webhook''s secrets are sealed with; null while they are stored in plain.';
COMMENT ON COLUMN operations.webhooks.secret IS '@pii(class: CREDENTIAL) What bodies are signed with, sealed.';
COMMENT ON COLUMN operations.webhooks.previous_secret IS '@pii(class: CREDENTIAL) What they were signed with before, and are as well for a while; sealed.';
