-- Collections of vectors and their items. A shared vector index starves small tenants, so each collection has a
-- partition of its own: scanned exactly while it is small, indexed by HNSW when it has grown.

-- ── collections ─────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE vectors.collections (
    org_id           uuid NOT NULL,
    id               uuid NOT NULL,
    name             text COLLATE "C" NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    dimension        int NOT NULL CHECK (dimension BETWEEN 1 AND 2000),
    metric           text COLLATE "C" NOT NULL CHECK (metric IN ('COSINE', 'DOT', 'EUCLIDEAN')),
    m                int NOT NULL CHECK (m BETWEEN 2 AND 100),
    ef_construction  int NOT NULL CHECK (ef_construction BETWEEN 4 AND 1000),
    ef_search        int NOT NULL CHECK (ef_search BETWEEN 1 AND 1000),
    exact_below      int NOT NULL CHECK (exact_below BETWEEN 0 AND 100000),
    index_status     text COLLATE "C" NOT NULL CHECK (index_status IN ('EXACT', 'BUILDING', 'HNSW')),
    item_count       bigint NOT NULL CHECK (item_count >= 0),
    revision         bigint NOT NULL,
    version          bigint NOT NULL,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    deleted_at       timestamptz,
    PRIMARY KEY (org_id, id),
    CHECK (ef_construction >= 2 * m)
);
COMMENT ON TABLE vectors.collections IS 'class: tenant. A collection of vectors of one dimension, compared by one metric.';
COMMENT ON COLUMN vectors.collections.org_id IS '@pii(class: NONE) The tenant.';
COMMENT ON COLUMN vectors.collections.id IS '@pii(class: NONE) UUIDv7; the partition of its items is named by it.';
COMMENT ON COLUMN vectors.collections.name IS '@pii(class: CONTENT) What people call it; unique among those that are not deleted.';
COMMENT ON COLUMN vectors.collections.dimension IS '@pii(class: NONE) How many numbers each vector has; HNSW indexes at most 2,000.';
COMMENT ON COLUMN vectors.collections.metric IS '@pii(class: NONE) How nearness is measured: COSINE, DOT or EUCLIDEAN.';
COMMENT ON COLUMN vectors.collections.m IS '@pii(class: NONE) HNSW: connections of each element of the graph.';
COMMENT ON COLUMN vectors.collections.ef_construction IS '@pii(class: NONE) HNSW: candidates looked at while building.';
COMMENT ON COLUMN vectors.collections.ef_search IS '@pii(class: NONE) HNSW: candidates looked at while searching.';
COMMENT ON COLUMN vectors.collections.exact_below IS '@pii(class: NONE) Up to this many items a search compares all of them.';
COMMENT ON COLUMN vectors.collections.index_status IS '@pii(class: NONE) EXACT, BUILDING or HNSW.';
COMMENT ON COLUMN vectors.collections.item_count IS '@pii(class: NONE) How many items it has; kept by each write of items.';
COMMENT ON COLUMN vectors.collections.revision IS '@pii(class: NONE) How many writes have changed its items.';
COMMENT ON COLUMN vectors.collections.version IS '@pii(class: NONE) Of the collection itself, from 1; its items do not count.';
COMMENT ON COLUMN vectors.collections.created_at IS '@pii(class: NONE) When it was made.';
COMMENT ON COLUMN vectors.collections.updated_at IS '@pii(class: NONE) When the collection itself last changed.';
COMMENT ON COLUMN vectors.collections.deleted_at IS '@pii(class: NONE) When it was deleted: nobody sees it any more, and its partition is about to go.';
CREATE UNIQUE INDEX collections_name ON vectors.collections (org_id, name) WHERE deleted_at IS NULL;

-- ── items ───────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE vectors.items (
    org_id         uuid NOT NULL,
    collection_id  uuid NOT NULL,
    id             uuid NOT NULL,
    key            text COLLATE "C" NOT NULL CHECK (length(key) BETWEEN 1 AND 500),
    embedding      public.vector NOT NULL,
    metadata       jsonb NOT NULL CHECK (jsonb_typeof(metadata) = 'object'),
    entity_id      uuid,
    version        bigint NOT NULL,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    PRIMARY KEY (org_id, collection_id, id),
    CONSTRAINT items_key UNIQUE (org_id, collection_id, key)
) PARTITION BY LIST (collection_id);
COMMENT ON TABLE vectors.items IS 'class: tenant. A vector with its key and metadata; a partition per collection.';
COMMENT ON COLUMN vectors.items.org_id IS '@pii(class: NONE) The tenant.';
COMMENT ON COLUMN vectors.items.collection_id IS '@pii(class: NONE) Its collection.';
COMMENT ON COLUMN vectors.items.id IS '@pii(class: NONE) UUIDv7.';
COMMENT ON COLUMN vectors.items.key IS '@pii(class: CONTENT) What the tenant calls it; unique in its collection.';
COMMENT ON COLUMN vectors.items.embedding IS '@pii(class: CONTENT) The vector; its collection says how many numbers.';
COMMENT ON COLUMN vectors.items.metadata IS '@pii(class: CONTENT) What the tenant keeps beside the vector; an object.';
COMMENT ON COLUMN vectors.items.entity_id IS '@pii(class: NONE) The entity that it describes.';
COMMENT ON COLUMN vectors.items.version IS '@pii(class: NONE) From 1.';
COMMENT ON COLUMN vectors.items.created_at IS '@pii(class: NONE) When it was put in.';
COMMENT ON COLUMN vectors.items.updated_at IS '@pii(class: NONE) When it last changed.';
CREATE INDEX items_entity ON vectors.items (org_id, collection_id, entity_id, id) WHERE entity_id IS NOT NULL;

-- ── history ─────────────────────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE vectors.history (
    org_id   uuid NOT NULL,
    subject  text COLLATE "C" NOT NULL,
    id       uuid NOT NULL,
    version  bigint NOT NULL,
    value    jsonb NOT NULL,
    at       timestamptz NOT NULL,
    actor    uuid,
    PRIMARY KEY (org_id, subject, id, version)
);
COMMENT ON TABLE vectors.history IS 'class: tenant. What a collection or an item was before it changed or went.';
COMMENT ON COLUMN vectors.history.org_id IS '@pii(class: NONE) The tenant.';
COMMENT ON COLUMN vectors.history.subject IS '@pii(class: NONE) vectors.collection or vectors.item.';
COMMENT ON COLUMN vectors.history.id IS '@pii(class: NONE) The id of what changed.';
COMMENT ON COLUMN vectors.history.version IS '@pii(class: NONE) The version that this was.';
COMMENT ON COLUMN vectors.history.value IS '@pii(class: CONTENT) The row as it was.';
COMMENT ON COLUMN vectors.history.at IS '@pii(class: NONE) When it was replaced.';
COMMENT ON COLUMN vectors.history.actor IS '@pii(class: SUBJECT) Who replaced it; null for Pulse itself.';

-- ── walls ───────────────────────────────────────────────────────────────────────────────────────────────────────
-- pulse_owner is let through the same wall, because the functions below ask whose collection it is.
ALTER TABLE vectors.collections ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON vectors.collections TO pulse_app, pulse_owner
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE ON vectors.collections TO pulse_app;

ALTER TABLE vectors.items ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON vectors.items TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON vectors.items TO pulse_app;

ALTER TABLE vectors.history ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON vectors.history TO pulse_app
    USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);
GRANT SELECT, INSERT ON vectors.history TO pulse_app;

-- ── partitions ──────────────────────────────────────────────────────────────────────────────────────────────────
CREATE FUNCTION vectors.partition_name(collection uuid) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 'items_' || replace(collection::text, '-', '')
$$;

-- Makes the partition of a collection that the session's tenant has just created. It takes rows of that tenant and
-- dimension alone. Attaching a finished table, instead of creating it as a partition, lets others read and write.
CREATE FUNCTION vectors.create_partition(collection uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found vectors.collections;
    name text := vectors.partition_name(collection);
BEGIN
    SELECT * INTO found FROM vectors.collections AS c WHERE c.id = collection AND c.deleted_at IS NULL;
    IF found.id IS NULL THEN
        RAISE EXCEPTION 'the session''s tenant has no collection %', collection;
    END IF;
    EXECUTE format('CREATE TABLE vectors.%I (LIKE vectors.items INCLUDING ALL, CHECK (org_id = %L),'
                   ' CHECK (public.vector_dims(embedding) = %s))', name, found.org_id, found.dimension);
    EXECUTE format('ALTER TABLE vectors.items ATTACH PARTITION vectors.%I FOR VALUES IN (%L)', name, collection);
END $$;
REVOKE ALL ON FUNCTION vectors.create_partition(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vectors.create_partition(uuid) TO pulse_app;

-- Builds the HNSW index of a collection of the session's tenant. Until it is done, writes of that one collection
-- wait; reads go on. One process builds: parallel workers share /dev/shm, which containers keep small.
CREATE FUNCTION vectors.build_index(collection uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET maintenance_work_mem = '256MB' SET max_parallel_maintenance_workers = 0 AS $$
DECLARE
    found vectors.collections;
    name text := vectors.partition_name(collection);
BEGIN
    SELECT * INTO found FROM vectors.collections AS c WHERE c.id = collection AND c.deleted_at IS NULL;
    IF found.id IS NULL THEN
        RAISE EXCEPTION 'the session''s tenant has no collection %', collection;
    END IF;
    EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON vectors.%I'
                   ' USING hnsw ((embedding::public.vector(%s)) public.%I) WITH (m = %s, ef_construction = %s)',
                   name || '_hnsw', name, found.dimension,
                   CASE found.metric WHEN 'COSINE' THEN 'vector_cosine_ops' WHEN 'DOT' THEN 'vector_ip_ops'
                                     ELSE 'vector_l2_ops' END,
                   found.m, found.ef_construction);
END $$;
REVOKE ALL ON FUNCTION vectors.build_index(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vectors.build_index(uuid) TO pulse_maintenance;

-- Drops the partition of a collection that the session's tenant has deleted, and the collection's row. This stops all
-- reads of items for a moment, so it does not wait long for them: the job that calls it tries again.
CREATE FUNCTION vectors.drop_partition(collection uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
BEGIN
    DELETE FROM vectors.collections AS c WHERE c.id = collection AND c.deleted_at IS NOT NULL;
    IF FOUND THEN
        EXECUTE format('DROP TABLE IF EXISTS vectors.%I', vectors.partition_name(collection));
    END IF;
END $$;
REVOKE ALL ON FUNCTION vectors.drop_partition(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vectors.drop_partition(uuid) TO pulse_maintenance;
