-- A tenant can have a person forgotten in what it has, while the person goes on elsewhere.
ALTER TABLE platform.privacy_requests DROP CONSTRAINT privacy_requests_kind_check;
ALTER TABLE platform.privacy_requests
    ADD CONSTRAINT privacy_requests_kind_check CHECK (kind IN ('export', 'erase', 'anonymize')),
    ADD CONSTRAINT privacy_requests_anonymize_tenant CHECK (kind <> 'anonymize' OR tenant IS NOT NULL);
COMMENT ON COLUMN platform.privacy_requests.kind IS '@pii(class: NONE) export, erase or anonymize.';
COMMENT ON COLUMN platform.privacy_requests.tenant IS
    '@pii(class: NONE) For which tenant it was asked: an export has that tenant''s data alone, and what is anonymized is that tenant''s alone. Null for what persons ask for themselves.';
CREATE UNIQUE INDEX privacy_requests_anonymize ON platform.privacy_requests (person, tenant)
    WHERE kind = 'anonymize' AND status IN ('waiting', 'running');
