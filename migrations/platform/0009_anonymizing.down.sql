DROP INDEX platform.privacy_requests_anonymize;
DELETE FROM platform.privacy_receipts WHERE request IN (SELECT id FROM platform.privacy_requests WHERE kind = 'anonymize');
DELETE FROM platform.privacy_requests WHERE kind = 'anonymize';
ALTER TABLE platform.privacy_requests
    DROP CONSTRAINT privacy_requests_anonymize_tenant, DROP CONSTRAINT privacy_requests_kind_check;
ALTER TABLE platform.privacy_requests ADD CONSTRAINT privacy_requests_kind_check CHECK (kind IN ('export', 'erase'));
COMMENT ON COLUMN platform.privacy_requests.kind IS '@pii(class: NONE) export or erase.';
COMMENT ON COLUMN platform.privacy_requests.tenant IS
    '@pii(class: NONE) For which tenant it was asked: an export has that tenant''s data alone. Null for what persons ask for themselves.';
