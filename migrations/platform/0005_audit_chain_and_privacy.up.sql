-- Audit facts that can be proven to be all there and as they were, also after a person was erased from them; and what is asked
-- for about persons: exports and erasures. docs/adr says why.

-- ── audit: salted digests of what is personal ───────────────────────────────────────────────────────────────────
ALTER TABLE platform.audit
    ADD COLUMN address text COLLATE "C" CHECK (length(address) <= 64),
    ADD COLUMN salt bytea CHECK (length(salt) = 16),
    ADD COLUMN sealed bytea CHECK (length(sealed) = 32);
COMMENT ON COLUMN platform.audit.actor IS '@pii(class: SUBJECT, of: ROW) The person who did it; null for Pulse itself.';
COMMENT ON COLUMN platform.audit.key IS '@pii(class: SUBJECT, of: ROW) The id of what it was done to, which may be a person; null for a batch.';
COMMENT ON COLUMN platform.audit.address IS '@pii(class: ADDRESS) Where the request came from, as it was or as a digest; null where that is not kept.';
COMMENT ON COLUMN platform.audit.salt IS '@pii(class: CREDENTIAL) Random; erased together with what is personal, which then cannot be guessed from its digest.';
COMMENT ON COLUMN platform.audit.sealed IS '@pii(class: NONE) SHA-256 of the salt and what is personal: actor, key and address. Null for what is older than the chain.';

-- Pages of the audit by who and by what, the newest first.
CREATE INDEX audit_actor ON platform.audit (org_id, actor, id) WHERE actor IS NOT NULL;
CREATE INDEX audit_action ON platform.audit (org_id, action, id);
CREATE INDEX audit_key ON platform.audit (org_id, key, id) WHERE key IS NOT NULL;
CREATE INDEX audit_subject ON platform.audit (org_id, subject, id);

-- The digest of what is personal in a fact. Each part stands with its length, so that no two facts are the same bytes.
CREATE FUNCTION platform.audit_sealed(salt bytea, actor uuid, key uuid, address text) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT sha256(salt || convert_to(concat_ws('|', coalesce(actor::text, '-'), coalesce(key::text, '-'),
                                               length(coalesce(address, '')), coalesce(address, '-')), 'UTF8'))
$$;

-- The digest of a whole fact: what is not personal, and the digest of what is. It stays the same when a person is erased.
CREATE FUNCTION platform.audit_digest(fact platform.audit) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT sha256(fact.sealed || convert_to(concat_ws('|', fact.org_id::text, fact.id::text,
        (extract(epoch FROM fact.at) * 1000000)::bigint::text, length(fact.action), fact.action, length(fact.subject), fact.subject,
        coalesce(fact.version::text, '-'), fact.items::text, fact.request::text), 'UTF8'))
$$;
GRANT EXECUTE ON FUNCTION platform.audit_sealed(bytea, uuid, uuid, text), platform.audit_digest(platform.audit) TO pulse_app;

-- ── chain: each link is the digest of the one before it and of its fact ─────────────────────────────────────────
CREATE TABLE platform.audit_chain (
    tenant  uuid NOT NULL,
    nth     bigint NOT NULL CHECK (nth > 0),
    fact    uuid NOT NULL,
    link    bytea NOT NULL CHECK (length(link) = 32),
    PRIMARY KEY (tenant, nth)
);
COMMENT ON TABLE platform.audit_chain IS 'class: platform. The order of a tenant''s audit facts, each bound to all before it. Only added to.';
COMMENT ON COLUMN platform.audit_chain.tenant IS '@pii(class: NONE) The tenant; the nil UUID for facts of none.';
COMMENT ON COLUMN platform.audit_chain.nth IS '@pii(class: NONE) 1, 2, 3 … in the order of the log.';
COMMENT ON COLUMN platform.audit_chain.fact IS '@pii(class: NONE) The fact''s id in the audit.';
COMMENT ON COLUMN platform.audit_chain.link IS '@pii(class: NONE) SHA-256 of the link before (zeros for the first) and the fact''s digest.';
CREATE UNIQUE INDEX audit_chain_fact ON platform.audit_chain (tenant, fact);

CREATE TABLE platform.audit_heads (
    tenant   uuid PRIMARY KEY,
    nth      bigint NOT NULL,
    link     bytea NOT NULL CHECK (length(link) = 32),
    mac      bytea NOT NULL CHECK (length(mac) = 32)
);
COMMENT ON TABLE platform.audit_heads IS 'class: platform. Where each tenant''s chain ends, signed: what is cut off there is missed.';
COMMENT ON COLUMN platform.audit_heads.tenant IS '@pii(class: NONE) The tenant; the nil UUID for facts of none.';
COMMENT ON COLUMN platform.audit_heads.nth IS '@pii(class: NONE) How many links there are.';
COMMENT ON COLUMN platform.audit_heads.link IS '@pii(class: NONE) The last one.';
COMMENT ON COLUMN platform.audit_heads.mac IS '@pii(class: NONE) HMAC-SHA256 of tenant, number and link, with a key that the database does not have.';

ALTER TABLE platform.audit_chain ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_reads ON platform.audit_chain FOR SELECT TO pulse_app
    USING (tenant = nullif(current_setting('pulse.org_id', true), '')::uuid);
CREATE POLICY chain ON platform.audit_chain TO pulse_system USING (true);
GRANT SELECT ON platform.audit_chain TO pulse_app;
GRANT SELECT, INSERT ON platform.audit_chain TO pulse_system;

ALTER TABLE platform.audit_heads ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY chain ON platform.audit_heads TO pulse_system USING (true);
GRANT SELECT, INSERT, UPDATE ON platform.audit_heads TO pulse_system;

-- The next tenant after `behind` that has audit facts: verifying begins with what there is, not with what the chain admits.
CREATE FUNCTION platform.next_audited(behind uuid) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT a.org_id FROM platform.audit a WHERE a.org_id > behind ORDER BY a.org_id LIMIT 1
$$;
REVOKE ALL ON FUNCTION platform.next_audited(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION platform.next_audited(uuid) TO pulse_system;
GRANT SELECT (org_id) ON platform.audit TO pulse_lookup;
ALTER FUNCTION platform.next_audited(uuid) OWNER TO pulse_lookup;

-- ── what is personal in platform tables besides who did something ───────────────────────────────────────────────
-- The id of a person stands as the key of events about the person, and among attributes; erasing replaces it there.
COMMENT ON COLUMN platform.outbox.key IS '@pii(class: SUBJECT) The id of what changed, which may be a person.';
COMMENT ON COLUMN platform.outbox.attributes IS '@pii(class: SUBJECT) Declared routing attributes: ids and words, never personal values.';
COMMENT ON COLUMN platform.outbox.before IS '@pii(class: SUBJECT) Routing attributes that were different before, as they were; null when none was.';
COMMENT ON COLUMN platform.outbox.facts IS '@pii(class: SUBJECT) The audit facts of the write, on the first of its events: ids, names and numbers.';
COMMENT ON COLUMN platform.log.key IS '@pii(class: SUBJECT) As in the outbox.';
COMMENT ON COLUMN platform.log.attributes IS '@pii(class: SUBJECT) As in the outbox.';
COMMENT ON COLUMN platform.log.before IS '@pii(class: SUBJECT) As in the outbox.';
COMMENT ON COLUMN platform.log.facts IS '@pii(class: SUBJECT) As in the outbox.';
COMMENT ON COLUMN platform.jobs.payload IS '@pii(class: SUBJECT) The handler''s arguments: ids, never values of persons.';
COMMENT ON COLUMN platform.jobs.unique_key IS '@pii(class: SUBJECT) While one with this key waits or runs, no other is enqueued.';
COMMENT ON COLUMN platform.jobs_ended.payload IS '@pii(class: SUBJECT) As in jobs.';
COMMENT ON COLUMN platform.jobs_ended.unique_key IS '@pii(class: SUBJECT) As in jobs.';
COMMENT ON COLUMN platform.idempotency.response IS '@pii(class: SUBJECT) Ids and versions of what was written; never its values.';

-- ── what was asked for about persons ────────────────────────────────────────────────────────────────────────────
CREATE TABLE platform.privacy_requests (
    id           uuid PRIMARY KEY,
    kind         text NOT NULL COLLATE "C" CHECK (kind IN ('export', 'erase')),
    person       uuid,
    requester    uuid,
    tenant       uuid,
    status       text NOT NULL COLLATE "C" CHECK (status IN ('waiting', 'running', 'completed', 'cancelled')),
    owners       text[] NOT NULL DEFAULT '{}',
    due_at       timestamptz NOT NULL,
    created_at   timestamptz NOT NULL,
    finished_at  timestamptz,
    expires_at   timestamptz,
    bytes        bigint
);
COMMENT ON TABLE platform.privacy_requests IS 'class: platform. Exports and erasures of what is stored about persons.';
COMMENT ON COLUMN platform.privacy_requests.id IS '@pii(class: NONE) UUIDv7.';
COMMENT ON COLUMN platform.privacy_requests.kind IS '@pii(class: NONE) export or erase.';
COMMENT ON COLUMN platform.privacy_requests.person IS '@pii(class: SUBJECT) Whom it is about; null once the person is erased.';
COMMENT ON COLUMN platform.privacy_requests.requester IS '@pii(class: SUBJECT) Who asked for it.';
COMMENT ON COLUMN platform.privacy_requests.tenant IS '@pii(class: NONE) For which tenant it was asked: an export has that tenant''s data alone. Null for what persons ask for themselves.';
COMMENT ON COLUMN platform.privacy_requests.status IS '@pii(class: NONE) waiting until it is due, running, completed or cancelled.';
COMMENT ON COLUMN platform.privacy_requests.owners IS '@pii(class: NONE) Who has to answer: schemas of the database.';
COMMENT ON COLUMN platform.privacy_requests.due_at IS '@pii(class: NONE) When it is begun; an erasure can be taken back until then.';
COMMENT ON COLUMN platform.privacy_requests.created_at IS '@pii(class: NONE) When it was asked for.';
COMMENT ON COLUMN platform.privacy_requests.finished_at IS '@pii(class: NONE) When all was done.';
COMMENT ON COLUMN platform.privacy_requests.expires_at IS '@pii(class: NONE) When the file of an export is deleted.';
COMMENT ON COLUMN platform.privacy_requests.bytes IS '@pii(class: NONE) The size of the file of an export.';
CREATE INDEX privacy_requests_due ON platform.privacy_requests (due_at) WHERE status = 'waiting';
CREATE INDEX privacy_requests_expire ON platform.privacy_requests (expires_at) WHERE expires_at IS NOT NULL;
CREATE UNIQUE INDEX privacy_requests_erase ON platform.privacy_requests (person) WHERE kind = 'erase' AND status IN ('waiting', 'running');

CREATE TABLE platform.privacy_receipts (
    request  uuid NOT NULL REFERENCES platform.privacy_requests,
    owner    text NOT NULL COLLATE "C",
    items    bigint NOT NULL,
    at       timestamptz NOT NULL,
    PRIMARY KEY (request, owner)
);
COMMENT ON TABLE platform.privacy_receipts IS 'class: platform. Which part of the platform has done its share of a request.';
COMMENT ON COLUMN platform.privacy_receipts.request IS '@pii(class: NONE) The request.';
COMMENT ON COLUMN platform.privacy_receipts.owner IS '@pii(class: NONE) Who has done it: a schema of the database.';
COMMENT ON COLUMN platform.privacy_receipts.items IS '@pii(class: NONE) How many rows were exported, or were deleted and changed.';
COMMENT ON COLUMN platform.privacy_receipts.at IS '@pii(class: NONE) When.';

ALTER TABLE platform.privacy_requests ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY requester ON platform.privacy_requests TO pulse_app
    USING (requester = nullif(current_setting('pulse.user_id', true), '')::uuid);
CREATE POLICY work ON platform.privacy_requests TO pulse_system USING (true);
GRANT SELECT, INSERT, UPDATE (status, finished_at) ON platform.privacy_requests TO pulse_app;
GRANT SELECT, UPDATE ON platform.privacy_requests TO pulse_system;
ALTER TABLE platform.privacy_receipts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY requester ON platform.privacy_receipts FOR SELECT TO pulse_app
    USING (EXISTS (SELECT FROM platform.privacy_requests r WHERE r.id = request));
CREATE POLICY work ON platform.privacy_receipts TO pulse_system USING (true);
GRANT SELECT ON platform.privacy_receipts TO pulse_app;
GRANT SELECT, INSERT ON platform.privacy_receipts TO pulse_system;

-- ── who erases and exports ──────────────────────────────────────────────────────────────────────────────────────
-- pulse_privacy gets its rights on tables that hold something of persons after every migration run (grants.sql), since the
-- tables of other owners are made later. Of audit facts it may take away what is personal and nothing else.
GRANT SELECT, UPDATE (actor, key, address, salt) ON platform.audit TO pulse_privacy;
GRANT SELECT, UPDATE ON platform.privacy_requests TO pulse_privacy;
GRANT SELECT, INSERT ON platform.privacy_receipts TO pulse_privacy;
GRANT INSERT ON platform.outbox TO pulse_privacy;
