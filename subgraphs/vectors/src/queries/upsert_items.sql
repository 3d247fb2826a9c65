-- Puts items into a collection that this transaction has locked: new keys are added, changed ones replaced (what they
-- were goes into the history), equal ones left alone. One row per item, in the order given.
-- $1 tenant, $2 collection, items $3–$7, $8 now, $9 actor.
WITH given AS MATERIALIZED (
    SELECT new_id, key, embedding::vector AS embedding, metadata, entity_id, nth
      FROM unnest($3::uuid[], $4::text[], $5::text[], $6::jsonb[], $7::uuid[])
           WITH ORDINALITY AS item (new_id, key, embedding, metadata, entity_id, nth)
), matched AS MATERIALIZED (
    SELECT given.*, item.id, item.version, item.embedding AS old_embedding, item.metadata AS old_metadata,
           item.entity_id AS old_entity_id, item.id IS NULL AS added,
           item.id IS NOT NULL AND (item.embedding, item.metadata, item.entity_id)
               IS DISTINCT FROM (given.embedding, given.metadata, given.entity_id) AS changed
      FROM given
      LEFT JOIN vectors.items AS item
             ON item.org_id = $1 AND item.collection_id = $2 AND item.key = given.key
), kept AS (
    INSERT INTO vectors.history (org_id, subject, id, version, value, at, actor)
    SELECT $1, 'vectors.item', id, version,
           jsonb_build_object('collection_id', $2::uuid, 'key', key, 'embedding', old_embedding::text,
                              'metadata', old_metadata, 'entity_id', old_entity_id), $8, $9
      FROM matched WHERE changed
), replaced AS (
    UPDATE vectors.items AS item
       SET embedding = matched.embedding, metadata = matched.metadata, entity_id = matched.entity_id,
           version = item.version + 1, updated_at = $8
      FROM matched
     WHERE matched.changed AND item.org_id = $1 AND item.collection_id = $2 AND item.id = matched.id
), inserted AS (
    INSERT INTO vectors.items (org_id, collection_id, id, key, embedding, metadata, entity_id, version, created_at,
                               updated_at)
    SELECT $1, $2, new_id, key, embedding, metadata, entity_id, 1, $8, $8
      FROM matched WHERE added
)
SELECT coalesce(id, new_id) AS id, added, changed FROM matched ORDER BY nth
