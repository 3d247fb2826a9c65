-- What is sent to webhooks names by its id what it is about, which may be a person: erasing replaces the id there.
COMMENT ON COLUMN operations.deliveries.body IS '@pii(class: SUBJECT) What is sent: ids and routing attributes.';
