-- Streams of API keys and service accounts say whose they are.
ALTER TABLE operations.streams ADD COLUMN machine uuid;
COMMENT ON COLUMN operations.streams.machine IS '@pii(class: NONE) The API key or service account that listens; null when it is a person.';
