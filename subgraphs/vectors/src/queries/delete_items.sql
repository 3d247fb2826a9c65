-- Deletes items of a collection that this transaction has locked, and keeps what they were.
-- $1 tenant, $2 collection, $3 keys, $4 now, $5 actor.
WITH gone AS (
    DELETE FROM vectors.items WHERE org_id = $1 AND collection_id = $2 AND key = ANY ($3)
    RETURNING id, version, key, embedding, metadata, entity_id
), kept AS (
    INSERT INTO vectors.history (org_id, subject, id, version, value, at, actor)
    SELECT $1, 'vectors.item', id, version,
           jsonb_build_object('collection_id', $2::uuid, 'key', key, 'embedding', embedding::text,
                              'metadata', metadata, 'entity_id', entity_id), $4, $5
      FROM gone
)
SELECT count(*) FROM gone
