DROP TABLE operations.streams;
DROP TABLE operations.gateways;
