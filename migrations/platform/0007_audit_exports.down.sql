DROP TABLE platform.audit_exports;
