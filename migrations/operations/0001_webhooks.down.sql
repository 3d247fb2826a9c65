DROP TABLE operations.history;
DROP TABLE operations.dispatch;
DROP TABLE operations.deliveries;
DROP TABLE operations.webhooks;
REVOKE USAGE ON SCHEMA operations FROM pulse_system;
