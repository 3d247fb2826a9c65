COMMENT ON COLUMN operations.deliveries.body IS '@pii(class: NONE) What is sent: ids and routing attributes.';
