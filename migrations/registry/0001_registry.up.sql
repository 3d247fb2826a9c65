-- The schema registry: what each tenant's subgraphs publish, the supergraphs composed of it, what a change would do to whom,
-- and which operations use what.

-- ── environments ──────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE registry.environments (
    org_id               uuid NOT NULL,
    id                   uuid NOT NULL,
    name                 text COLLATE "C" NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    window_days          int NOT NULL CHECK (window_days BETWEEN 1 AND 365),
    min_requests         bigint NOT NULL CHECK (min_requests >= 1),
    min_share            float8 NOT NULL CHECK (min_share BETWEEN 0 AND 100),
    excluded_clients     text[] NOT NULL,
    excluded_operations  text[] NOT NULL,
    lint                 jsonb NOT NULL CHECK (jsonb_typeof(lint) = 'object'),
    version              bigint NOT NULL,
    created_at           timestamptz NOT NULL,
    updated_at           timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, name)
);
COMMENT ON TABLE registry.environments IS 'class: tenant. How changes are judged in an environment. Without a row, as usual.';
COMMENT ON COLUMN registry.environments.org_id IS '@pii(class: NONE) The tenant.';
COMMENT ON COLUMN registry.environments.id IS '@pii(class: NONE) UUIDv7.';
COMMENT ON COLUMN registry.environments.name IS '@pii(class: NONE) The environment, such as production.';
COMMENT ON COLUMN registry.environments.window_days IS '@pii(class: NONE) Use within so many days counts.';
COMMENT ON COLUMN registry.environments.min_requests IS '@pii(class: NONE) An operation counts when it was sent so often within that time.';
COMMENT ON COLUMN registry.environments.min_share IS '@pii(class: NONE) And when it was so many per cent of all requests within that time.';
COMMENT ON COLUMN registry.environments.excluded_clients IS '@pii(class: NONE) Names of clients whose use does not count.';
COMMENT ON COLUMN registry.environments.excluded_operations IS '@pii(class: NONE) Names of operations whose use does not count.';
COMMENT ON COLUMN registry.environments.lint IS '@pii(class: NONE) Levels of lint rules and coordinates that are not looked at.';
COMMENT ON COLUMN registry.environments.version IS '@pii(class: NONE) From 1.';
COMMENT ON COLUMN registry.environments.created_at IS '@pii(class: NONE) When it was first set.';
COMMENT ON COLUMN registry.environments.updated_at IS '@pii(class: NONE) When it last changed.';

-- ── variants ──────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE registry.variants (
    org_id       uuid NOT NULL,
    id           uuid NOT NULL,
    environment  text COLLATE "C" NOT NULL,
    name         text COLLATE "C" NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    base         text COLLATE "C",
    current      uuid,
    number       bigint NOT NULL,
    revision     bigint NOT NULL,
    expires_at   timestamptz,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, environment, name)
);
COMMENT ON TABLE registry.variants IS 'class: tenant. The schemas of one graph in an environment: the usual ones, or those of a pull request.';
COMMENT ON COLUMN registry.variants.org_id IS '@pii(class: NONE) The tenant.';
COMMENT ON COLUMN registry.variants.id IS '@pii(class: NONE) UUIDv7.';
COMMENT ON COLUMN registry.variants.environment IS '@pii(class: NONE) The environment, such as production.';
COMMENT ON COLUMN registry.variants.name IS '@pii(class: NONE) The variant, such as current or pr-12.';
COMMENT ON COLUMN registry.variants.base IS '@pii(class: NONE) The variant whose other subgraphs this one has; null for one that stands by itself.';
COMMENT ON COLUMN registry.variants.current IS '@pii(class: NONE) The composition that gateways serve; null before the first good one.';
COMMENT ON COLUMN registry.variants.number IS '@pii(class: NONE) The number of the latest composition, good or not.';
COMMENT ON COLUMN registry.variants.revision IS '@pii(class: NONE) Counts the changes of what gateways serve.';
COMMENT ON COLUMN registry.variants.expires_at IS '@pii(class: NONE) When it goes by itself; null for never.';
COMMENT ON COLUMN registry.variants.created_at IS '@pii(class: NONE) When it was made.';
COMMENT ON COLUMN registry.variants.updated_at IS '@pii(class: NONE) When something was last published to it.';
CREATE INDEX variants_expiry ON registry.variants (expires_at) WHERE expires_at IS NOT NULL;

-- ── schema_versions ───────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE registry.schema_versions (
    org_id       uuid NOT NULL,
    id           uuid NOT NULL,
    environment  text COLLATE "C" NOT NULL,
    variant      text COLLATE "C" NOT NULL,
    subgraph     text COLLATE "C" NOT NULL,
    number       bigint NOT NULL,
    state        text COLLATE "C" NOT NULL CHECK (state IN ('PUBLISHED', 'FAILED')),
    url          text COLLATE "C",
    sdl          text COLLATE "C" NOT NULL,
    sdl_hash     text COLLATE "C" NOT NULL,
    revision     text COLLATE "C",
    message      text COLLATE "C",
    actor        uuid,
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, environment, variant, number)
);
COMMENT ON TABLE registry.schema_versions IS 'class: tenant. A schema of a subgraph as it was published. Never changes.';
COMMENT ON COLUMN registry.schema_versions.org_id IS '@pii(class: NONE) The tenant.';
COMMENT ON COLUMN registry.schema_versions.id IS '@pii(class: NONE) UUIDv7.';
COMMENT ON COLUMN registry.schema_versions.environment IS '@pii(class: NONE) The environment, such as production.';
COMMENT ON COLUMN registry.schema_versions.variant IS '@pii(class: NONE) The variant, such as current.';
COMMENT ON COLUMN registry.schema_versions.subgraph IS '@pii(class: NONE) The subgraph.';
COMMENT ON COLUMN registry.schema_versions.number IS '@pii(class: NONE) The number of the composition that it was published for.';
COMMENT ON COLUMN registry.schema_versions.state IS '@pii(class: NONE) PUBLISHED, or FAILED for one that did not compose.';
COMMENT ON COLUMN registry.schema_versions.url IS '@pii(class: NONE) Where gateways reach the subgraph.';
COMMENT ON COLUMN registry.schema_versions.sdl IS '@pii(class: NONE) The schema.';
COMMENT ON COLUMN registry.schema_versions.sdl_hash IS '@pii(class: NONE) SHA-256 of the schema, in hexadecimal.';
COMMENT ON COLUMN registry.schema_versions.revision IS '@pii(class: NONE) What the publisher calls it, such as a commit.';
COMMENT ON COLUMN registry.schema_versions.message IS '@pii(class: CONTENT) What the publisher says of it.';
COMMENT ON COLUMN registry.schema_versions.actor IS '@pii(class: SUBJECT) Who published it; null for Pulse itself.';
COMMENT ON COLUMN registry.schema_versions.created_at IS '@pii(class: NONE) When it was published.';
CREATE INDEX schema_versions_subgraph ON registry.schema_versions (org_id, environment, variant, subgraph, number);

-- ── compositions ──────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE registry.compositions (
    org_id           uuid NOT NULL,
    id               uuid NOT NULL,
    environment      text COLLATE "C" NOT NULL,
    variant          text COLLATE "C" NOT NULL,
    number           bigint NOT NULL,
    state            text COLLATE "C" NOT NULL CHECK (state IN ('COMPOSED', 'FAILED')),
    cause            text COLLATE "C" NOT NULL CHECK (cause IN ('PUBLISH', 'REMOVE', 'ROLLBACK')),
    subgraph         text COLLATE "C",
    restored         uuid,
    supergraph       text COLLATE "C",
    supergraph_hash  text COLLATE "C",
    diagnostics      jsonb NOT NULL CHECK (jsonb_typeof(diagnostics) = 'array'),
    changes          jsonb NOT NULL CHECK (jsonb_typeof(changes) = 'array'),
    breaking         int NOT NULL,
    dangerous        int NOT NULL,
    safe             int NOT NULL,
    actor            uuid,
    created_at       timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, environment, variant, number),
    CHECK ((state = 'COMPOSED') = (supergraph IS NOT NULL) AND (supergraph IS NULL) = (supergraph_hash IS NULL))
);
COMMENT ON TABLE registry.compositions IS 'class: tenant. A supergraph, or why there is none.';
COMMENT ON COLUMN registry.compositions.org_id IS '@pii(class: NONE) The tenant.';
COMMENT ON COLUMN registry.compositions.id IS '@pii(class: NONE) UUIDv7.';
COMMENT ON COLUMN registry.compositions.environment IS '@pii(class: NONE) The environment, such as production.';
COMMENT ON COLUMN registry.compositions.variant IS '@pii(class: NONE) The variant, such as current.';
COMMENT ON COLUMN registry.compositions.number IS '@pii(class: NONE) From 1 for each variant.';
COMMENT ON COLUMN registry.compositions.state IS '@pii(class: NONE) COMPOSED or FAILED.';
COMMENT ON COLUMN registry.compositions.cause IS '@pii(class: NONE) PUBLISH, REMOVE or ROLLBACK.';
COMMENT ON COLUMN registry.compositions.subgraph IS '@pii(class: NONE) The subgraph that was published or removed; null for a rollback.';
COMMENT ON COLUMN registry.compositions.restored IS '@pii(class: NONE) The composition that a rollback went back to.';
COMMENT ON COLUMN registry.compositions.supergraph IS '@pii(class: NONE) The supergraph; null for one that failed.';
COMMENT ON COLUMN registry.compositions.supergraph_hash IS '@pii(class: NONE) SHA-256 of the supergraph, in hexadecimal.';
COMMENT ON COLUMN registry.compositions.diagnostics IS '@pii(class: NONE) Errors and hints of the composition.';
COMMENT ON COLUMN registry.compositions.changes IS '@pii(class: NONE) What has changed for clients since the one before.';
COMMENT ON COLUMN registry.compositions.breaking IS '@pii(class: NONE) How many of these break somebody who uses what they concern.';
COMMENT ON COLUMN registry.compositions.dangerous IS '@pii(class: NONE) How many may surprise somebody who does.';
COMMENT ON COLUMN registry.compositions.safe IS '@pii(class: NONE) How many nobody notices.';
COMMENT ON COLUMN registry.compositions.actor IS '@pii(class: SUBJECT) Who caused it; null for Pulse itself.';
COMMENT ON COLUMN registry.compositions.created_at IS '@pii(class: NONE) When it was made.';

-- ── parts ─────────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE registry.parts (
    org_id          uuid NOT NULL,
    composition_id  uuid NOT NULL,
    subgraph        text COLLATE "C" NOT NULL,
    version_id      uuid NOT NULL,
    PRIMARY KEY (org_id, composition_id, subgraph),
    FOREIGN KEY (org_id, composition_id) REFERENCES registry.compositions ON DELETE CASCADE,
    FOREIGN KEY (org_id, version_id) REFERENCES registry.schema_versions ON DELETE CASCADE
);
COMMENT ON TABLE registry.parts IS 'class: tenant. Which schemas a composition was made of.';
COMMENT ON COLUMN registry.parts.org_id IS '@pii(class: NONE) The tenant.';
COMMENT ON COLUMN registry.parts.composition_id IS '@pii(class: NONE) The composition.';
COMMENT ON COLUMN registry.parts.subgraph IS '@pii(class: NONE) The subgraph.';
COMMENT ON COLUMN registry.parts.version_id IS '@pii(class: NONE) Its schema.';
CREATE INDEX parts_version ON registry.parts (org_id, version_id);

-- ── checks ────────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE registry.checks (
    org_id       uuid NOT NULL,
    id           uuid NOT NULL,
    environment  text COLLATE "C" NOT NULL,
    variant      text COLLATE "C" NOT NULL,
    subgraph     text COLLATE "C" NOT NULL,
    against      uuid,
    verdict      text COLLATE "C" NOT NULL CHECK (verdict IN ('SAFE', 'DANGEROUS', 'BREAKING', 'BROKEN', 'LINT')),
    sdl_hash     text COLLATE "C" NOT NULL,
    revision     text COLLATE "C",
    result       jsonb NOT NULL CHECK (jsonb_typeof(result) = 'object'),
    actor        uuid,
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (org_id, id)
);
COMMENT ON TABLE registry.checks IS 'class: tenant. A schema that was to be published, and what that would do to whom.';
COMMENT ON COLUMN registry.checks.org_id IS '@pii(class: NONE) The tenant.';
COMMENT ON COLUMN registry.checks.id IS '@pii(class: NONE) UUIDv7.';
COMMENT ON COLUMN registry.checks.environment IS '@pii(class: NONE) The environment, such as production.';
COMMENT ON COLUMN registry.checks.variant IS '@pii(class: NONE) The variant, such as current.';
COMMENT ON COLUMN registry.checks.subgraph IS '@pii(class: NONE) The subgraph.';
COMMENT ON COLUMN registry.checks.against IS '@pii(class: NONE) The composition that it was compared with; null for the first of a variant.';
COMMENT ON COLUMN registry.checks.verdict IS '@pii(class: NONE) SAFE, DANGEROUS, BREAKING, BROKEN for what does not compose, LINT for style alone.';
COMMENT ON COLUMN registry.checks.sdl_hash IS '@pii(class: NONE) SHA-256 of the schema, in hexadecimal.';
COMMENT ON COLUMN registry.checks.revision IS '@pii(class: NONE) What the asker calls it, such as a commit.';
COMMENT ON COLUMN registry.checks.result IS '@pii(class: NONE) Changes with those who notice them, diagnostics and findings of lint rules.';
COMMENT ON COLUMN registry.checks.actor IS '@pii(class: SUBJECT) Who asked; null for Pulse itself.';
COMMENT ON COLUMN registry.checks.created_at IS '@pii(class: NONE) When it was made.';
CREATE INDEX checks_environment ON registry.checks (org_id, environment, id);
CREATE INDEX checks_subgraph ON registry.checks (org_id, environment, subgraph, id);
CREATE INDEX checks_age ON registry.checks (created_at);

-- ── overrides ─────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE registry.overrides (
    org_id       uuid NOT NULL,
    id           uuid NOT NULL,
    environment  text COLLATE "C" NOT NULL,
    code         text COLLATE "C",
    coordinate   text COLLATE "C" NOT NULL,
    reason       text COLLATE "C" NOT NULL CHECK (length(reason) BETWEEN 1 AND 1000),
    expires_at   timestamptz NOT NULL,
    version      bigint NOT NULL,
    actor        uuid,
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (org_id, id)
);
COMMENT ON TABLE registry.overrides IS 'class: tenant. A change that is let through although it breaks somebody.';
COMMENT ON COLUMN registry.overrides.org_id IS '@pii(class: NONE) The tenant.';
COMMENT ON COLUMN registry.overrides.id IS '@pii(class: NONE) UUIDv7.';
COMMENT ON COLUMN registry.overrides.environment IS '@pii(class: NONE) The environment, such as production.';
COMMENT ON COLUMN registry.overrides.code IS '@pii(class: NONE) The kind of change, such as FIELD_REMOVED; null for any.';
COMMENT ON COLUMN registry.overrides.coordinate IS '@pii(class: NONE) What it concerns, such as User.name.';
COMMENT ON COLUMN registry.overrides.reason IS '@pii(class: CONTENT) Why it is let through.';
COMMENT ON COLUMN registry.overrides.expires_at IS '@pii(class: NONE) Until when.';
COMMENT ON COLUMN registry.overrides.version IS '@pii(class: NONE) From 1.';
COMMENT ON COLUMN registry.overrides.actor IS '@pii(class: SUBJECT) Who lets it through; null for Pulse itself.';
COMMENT ON COLUMN registry.overrides.created_at IS '@pii(class: NONE) When it was made.';
CREATE INDEX overrides_environment ON registry.overrides (org_id, environment, id);

-- ── operations ────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE registry.operations (
    org_id         uuid NOT NULL,
    id             uuid NOT NULL,
    environment    text COLLATE "C" NOT NULL,
    signature      text COLLATE "C" NOT NULL,
    name           text COLLATE "C" NOT NULL,
    kind           text COLLATE "C" NOT NULL CHECK (kind IN ('QUERY', 'MUTATION', 'SUBSCRIPTION')),
    first_seen_at  timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, environment, signature, name)
);
COMMENT ON TABLE registry.operations IS 'class: tenant. An operation that clients of an environment send.';
COMMENT ON COLUMN registry.operations.org_id IS '@pii(class: NONE) The tenant.';
COMMENT ON COLUMN registry.operations.id IS '@pii(class: NONE) UUIDv7.';
COMMENT ON COLUMN registry.operations.environment IS '@pii(class: NONE) The environment, such as production.';
COMMENT ON COLUMN registry.operations.signature IS '@pii(class: NONE) SHA-256 of the document without values, in hexadecimal.';
COMMENT ON COLUMN registry.operations.name IS '@pii(class: NONE) Its name; empty for one without.';
COMMENT ON COLUMN registry.operations.kind IS '@pii(class: NONE) QUERY, MUTATION or SUBSCRIPTION.';
COMMENT ON COLUMN registry.operations.first_seen_at IS '@pii(class: NONE) When it was first recorded.';

-- ── coordinates ───────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE registry.coordinates (
    org_id        uuid NOT NULL,
    environment   text COLLATE "C" NOT NULL,
    coordinate    text COLLATE "C" NOT NULL,
    operation_id  uuid NOT NULL,
    last_used_on  date NOT NULL,
    PRIMARY KEY (org_id, environment, coordinate, operation_id),
    FOREIGN KEY (org_id, operation_id) REFERENCES registry.operations ON DELETE CASCADE
);
COMMENT ON TABLE registry.coordinates IS 'class: tenant. What an operation uses: types, fields, arguments, input fields, enum values, directives.';
COMMENT ON COLUMN registry.coordinates.org_id IS '@pii(class: NONE) The tenant.';
COMMENT ON COLUMN registry.coordinates.environment IS '@pii(class: NONE) The environment, such as production.';
COMMENT ON COLUMN registry.coordinates.coordinate IS '@pii(class: NONE) Such as User.name, Query.users(first:), Status.OLD or @include.';
COMMENT ON COLUMN registry.coordinates.operation_id IS '@pii(class: NONE) The operation.';
COMMENT ON COLUMN registry.coordinates.last_used_on IS '@pii(class: NONE) The day on which it last did, as far as was recorded.';
CREATE INDEX coordinates_operation ON registry.coordinates (org_id, operation_id);

-- ── usage ─────────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE registry.usage (
    org_id          uuid NOT NULL,
    environment     text COLLATE "C" NOT NULL,
    day             date NOT NULL,
    operation_id    uuid NOT NULL,
    client_name     text COLLATE "C" NOT NULL,
    client_version  text COLLATE "C" NOT NULL,
    requests        bigint NOT NULL,
    errors          bigint NOT NULL,
    PRIMARY KEY (org_id, environment, day, operation_id, client_name, client_version),
    FOREIGN KEY (org_id, operation_id) REFERENCES registry.operations ON DELETE CASCADE
);
COMMENT ON TABLE registry.usage IS 'class: tenant. How often a client sent an operation on a day.';
COMMENT ON COLUMN registry.usage.org_id IS '@pii(class: NONE) The tenant.';
COMMENT ON COLUMN registry.usage.environment IS '@pii(class: NONE) The environment, such as production.';
COMMENT ON COLUMN registry.usage.day IS '@pii(class: NONE) The day in UTC.';
COMMENT ON COLUMN registry.usage.operation_id IS '@pii(class: NONE) The operation.';
COMMENT ON COLUMN registry.usage.client_name IS '@pii(class: NONE) What the client calls itself; empty for one that does not say.';
COMMENT ON COLUMN registry.usage.client_version IS '@pii(class: NONE) The version that it says it is; empty for one that does not say.';
COMMENT ON COLUMN registry.usage.requests IS '@pii(class: NONE) How often, counted up from the sample.';
COMMENT ON COLUMN registry.usage.errors IS '@pii(class: NONE) How many of these were answered with errors.';
CREATE INDEX usage_operation ON registry.usage (org_id, environment, operation_id, day);
CREATE INDEX usage_age ON registry.usage (day);

-- ── declared ──────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE registry.declared (
    org_id          uuid NOT NULL,
    environment     text COLLATE "C" NOT NULL,
    client_name     text COLLATE "C" NOT NULL,
    client_version  text COLLATE "C" NOT NULL,
    operation_id    uuid NOT NULL,
    declared_at     timestamptz NOT NULL,
    PRIMARY KEY (org_id, environment, client_name, client_version, operation_id),
    FOREIGN KEY (org_id, operation_id) REFERENCES registry.operations ON DELETE CASCADE
);
COMMENT ON TABLE registry.declared IS 'class: tenant. An operation that is in a manifest of a client: it counts as used, whether it is sent or not.';
COMMENT ON COLUMN registry.declared.org_id IS '@pii(class: NONE) The tenant.';
COMMENT ON COLUMN registry.declared.environment IS '@pii(class: NONE) The environment, such as production.';
COMMENT ON COLUMN registry.declared.client_name IS '@pii(class: NONE) What the client calls itself.';
COMMENT ON COLUMN registry.declared.client_version IS '@pii(class: NONE) The version whose manifest it is.';
COMMENT ON COLUMN registry.declared.operation_id IS '@pii(class: NONE) The operation.';
COMMENT ON COLUMN registry.declared.declared_at IS '@pii(class: NONE) When the manifest was published.';
CREATE INDEX declared_operation ON registry.declared (org_id, environment, operation_id);

-- ── history ───────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE registry.history (
    org_id   uuid NOT NULL,
    subject  text COLLATE "C" NOT NULL,
    id       uuid NOT NULL,
    version  bigint NOT NULL,
    value    jsonb NOT NULL,
    at       timestamptz NOT NULL,
    actor    uuid,
    PRIMARY KEY (org_id, subject, id, version)
);
COMMENT ON TABLE registry.history IS 'class: tenant. What an environment''s rules or an override were before they changed or went.';
COMMENT ON COLUMN registry.history.org_id IS '@pii(class: NONE) The tenant.';
COMMENT ON COLUMN registry.history.subject IS '@pii(class: NONE) registry.environment or registry.override.';
COMMENT ON COLUMN registry.history.id IS '@pii(class: NONE) The id of what changed.';
COMMENT ON COLUMN registry.history.version IS '@pii(class: NONE) The version that this was.';
COMMENT ON COLUMN registry.history.value IS '@pii(class: CONTENT) The row as it was.';
COMMENT ON COLUMN registry.history.at IS '@pii(class: NONE) When it was replaced.';
COMMENT ON COLUMN registry.history.actor IS '@pii(class: SUBJECT) Who replaced it; null for Pulse itself.';

-- ── walls ─────────────────────────────────────────────────────────────────────────────────────────────────────────
ALTER TABLE registry.environments ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON registry.environments TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON registry.environments TO pulse_app;

ALTER TABLE registry.variants ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON registry.variants TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
CREATE POLICY upkeep ON registry.variants TO pulse_maintenance USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON registry.variants TO pulse_app;
GRANT SELECT (org_id, id, environment, name, expires_at), DELETE ON registry.variants TO pulse_maintenance;

ALTER TABLE registry.schema_versions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON registry.schema_versions TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
CREATE POLICY upkeep ON registry.schema_versions TO pulse_maintenance USING (true);
GRANT SELECT, INSERT, DELETE ON registry.schema_versions TO pulse_app;
GRANT SELECT (org_id, environment, variant), DELETE ON registry.schema_versions TO pulse_maintenance;

ALTER TABLE registry.compositions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON registry.compositions TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
CREATE POLICY upkeep ON registry.compositions TO pulse_maintenance USING (true);
GRANT SELECT, INSERT, DELETE ON registry.compositions TO pulse_app;
GRANT SELECT (org_id, environment, variant), DELETE ON registry.compositions TO pulse_maintenance;

ALTER TABLE registry.parts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON registry.parts TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
GRANT SELECT, INSERT, DELETE ON registry.parts TO pulse_app;

ALTER TABLE registry.checks ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON registry.checks TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
CREATE POLICY upkeep ON registry.checks TO pulse_maintenance USING (true);
GRANT SELECT, INSERT, DELETE ON registry.checks TO pulse_app;
GRANT SELECT (org_id, id, created_at), DELETE ON registry.checks TO pulse_maintenance;

ALTER TABLE registry.overrides ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON registry.overrides TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON registry.overrides TO pulse_app;

ALTER TABLE registry.operations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON registry.operations TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON registry.operations TO pulse_app;

ALTER TABLE registry.coordinates ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON registry.coordinates TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON registry.coordinates TO pulse_app;

ALTER TABLE registry.usage ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON registry.usage TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
CREATE POLICY upkeep ON registry.usage TO pulse_maintenance USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON registry.usage TO pulse_app;
GRANT SELECT (org_id, environment, day, operation_id, client_name, client_version), DELETE ON registry.usage TO pulse_maintenance;

ALTER TABLE registry.declared ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON registry.declared TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON registry.declared TO pulse_app;

ALTER TABLE registry.history ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON registry.history TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
GRANT SELECT, INSERT ON registry.history TO pulse_app;
