-- Client applications, and the operations that they publish before they send them.

-- ── clients ───────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE registry.clients (
    org_id       uuid NOT NULL,
    id           uuid NOT NULL,
    name         text COLLATE "C" NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9-]{0,59}$'),
    description  text COLLATE "C" NOT NULL CHECK (length(description) <= 1000),
    mode         text COLLATE "C" CHECK (mode IN ('LOG', 'PREFER', 'ONLY')),
    modes        jsonb NOT NULL CHECK (jsonb_typeof(modes) = 'object'),
    tools        jsonb NOT NULL CHECK (jsonb_typeof(tools) = 'object'),
    manifests    bigint NOT NULL,
    version      bigint NOT NULL,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, name)
);
COMMENT ON TABLE registry.clients IS 'class: tenant. Applications that send operations to the API.';
COMMENT ON COLUMN registry.clients.org_id IS '@pii(class: NONE) The tenant.';
COMMENT ON COLUMN registry.clients.id IS '@pii(class: NONE) UUIDv7.';
COMMENT ON COLUMN registry.clients.name IS '@pii(class: NONE) What it calls itself in its requests.';
COMMENT ON COLUMN registry.clients.description IS '@pii(class: CONTENT) What people should know of it.';
COMMENT ON COLUMN registry.clients.mode IS '@pii(class: NONE) How far it is held to what it published; null for as far as gateways hold everybody.';
COMMENT ON COLUMN registry.clients.modes IS '@pii(class: NONE) The same for single environments.';
COMMENT ON COLUMN registry.clients.tools IS '@pii(class: CONTENT) Names of operations that are tools, and what each is good for.';
COMMENT ON COLUMN registry.clients.manifests IS '@pii(class: NONE) How many manifests it published, with those that were retired.';
COMMENT ON COLUMN registry.clients.version IS '@pii(class: NONE) From 1.';
COMMENT ON COLUMN registry.clients.created_at IS '@pii(class: NONE) When it was made.';
COMMENT ON COLUMN registry.clients.updated_at IS '@pii(class: NONE) When it last changed, or published something.';

-- ── manifests ─────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE registry.manifests (
    org_id      uuid NOT NULL,
    id          uuid NOT NULL,
    client_id   uuid NOT NULL,
    number      bigint NOT NULL,
    label       text COLLATE "C" NOT NULL CHECK (length(label) BETWEEN 1 AND 100),
    environment text COLLATE "C",
    variant     text COLLATE "C",
    digest      bytea NOT NULL,
    operations  int NOT NULL,
    actor       uuid,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, client_id, label),
    UNIQUE (org_id, client_id, number),
    CHECK ((environment IS NULL) = (variant IS NULL)),
    FOREIGN KEY (org_id, client_id) REFERENCES registry.clients (org_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE registry.manifests IS 'class: tenant. What one version of a client published. Never changes; is there until it is retired.';
COMMENT ON COLUMN registry.manifests.org_id IS '@pii(class: NONE) The tenant.';
COMMENT ON COLUMN registry.manifests.id IS '@pii(class: NONE) UUIDv7.';
COMMENT ON COLUMN registry.manifests.client_id IS '@pii(class: NONE) The client.';
COMMENT ON COLUMN registry.manifests.number IS '@pii(class: NONE) From 1 for each client.';
COMMENT ON COLUMN registry.manifests.label IS '@pii(class: NONE) The version of the client.';
COMMENT ON COLUMN registry.manifests.environment IS '@pii(class: NONE) The environment of the tenant''s own graph that they are sent to; null for the API of Pulse.';
COMMENT ON COLUMN registry.manifests.variant IS '@pii(class: NONE) And its variant.';
COMMENT ON COLUMN registry.manifests.digest IS '@pii(class: NONE) SHA-256 over ids and hashes of its operations.';
COMMENT ON COLUMN registry.manifests.operations IS '@pii(class: NONE) How many it has.';
COMMENT ON COLUMN registry.manifests.actor IS '@pii(class: SUBJECT) Who published it; null for Pulse itself.';
COMMENT ON COLUMN registry.manifests.created_at IS '@pii(class: NONE) When it was published.';

-- ── documents ─────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE registry.documents (
    org_id     uuid NOT NULL,
    client_id  uuid NOT NULL,
    hash       bytea NOT NULL CHECK (length(hash) = 32),
    document   text COLLATE "C" NOT NULL,
    PRIMARY KEY (org_id, client_id, hash),
    FOREIGN KEY (org_id, client_id) REFERENCES registry.clients (org_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE registry.documents IS 'class: tenant. The texts of operations that a client published, each once.';
COMMENT ON COLUMN registry.documents.org_id IS '@pii(class: NONE) The tenant.';
COMMENT ON COLUMN registry.documents.client_id IS '@pii(class: NONE) The client.';
COMMENT ON COLUMN registry.documents.hash IS '@pii(class: NONE) SHA-256 of the text.';
COMMENT ON COLUMN registry.documents.document IS '@pii(class: NONE) The text.';

-- ── manifest_operations ───────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE registry.manifest_operations (
    org_id        uuid NOT NULL,
    manifest_id   uuid NOT NULL,
    name          text COLLATE "C" NOT NULL,
    operation_id  text COLLATE "C" NOT NULL CHECK (length(operation_id) BETWEEN 1 AND 200),
    kind          text COLLATE "C" NOT NULL CHECK (kind IN ('query', 'mutation', 'subscription')),
    hash          bytea NOT NULL,
    PRIMARY KEY (org_id, manifest_id, name),
    FOREIGN KEY (org_id, manifest_id) REFERENCES registry.manifests (org_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE registry.manifest_operations IS 'class: tenant. The operations of manifests.';
COMMENT ON COLUMN registry.manifest_operations.org_id IS '@pii(class: NONE) The tenant.';
COMMENT ON COLUMN registry.manifest_operations.manifest_id IS '@pii(class: NONE) The manifest.';
COMMENT ON COLUMN registry.manifest_operations.name IS '@pii(class: NONE) The operation''s name.';
COMMENT ON COLUMN registry.manifest_operations.operation_id IS '@pii(class: NONE) What the client sends instead of the text.';
COMMENT ON COLUMN registry.manifest_operations.kind IS '@pii(class: NONE) query, mutation or subscription.';
COMMENT ON COLUMN registry.manifest_operations.hash IS '@pii(class: NONE) SHA-256 of its text.';

-- ── walls ─────────────────────────────────────────────────────────────────────────────────────────────────────────
ALTER TABLE registry.clients ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON registry.clients TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
GRANT SELECT, INSERT, DELETE, UPDATE (description, mode, modes, tools, manifests, version, updated_at)
    ON registry.clients TO pulse_app;

ALTER TABLE registry.manifests ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON registry.manifests TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
GRANT SELECT, INSERT, DELETE ON registry.manifests TO pulse_app;

ALTER TABLE registry.documents ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON registry.documents TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
GRANT SELECT, INSERT, DELETE ON registry.documents TO pulse_app;

ALTER TABLE registry.manifest_operations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON registry.manifest_operations TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
GRANT SELECT, INSERT, DELETE ON registry.manifest_operations TO pulse_app;

COMMENT ON TABLE registry.history IS 'class: tenant. What an environment''s rules, an override or a client were before they changed or went.';
COMMENT ON COLUMN registry.history.subject IS '@pii(class: NONE) registry.environment, registry.override or registry.client.';
