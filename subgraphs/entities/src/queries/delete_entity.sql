-- $1 id; $2 the version that was read; $3 now; $4 actor.
WITH gone AS (
    DELETE FROM entities.entities WHERE id = $1 AND version = $2 RETURNING *
), unindexed AS (
    DELETE FROM entities.properties AS p
     USING gone CROSS JOIN LATERAL jsonb_object_keys(gone.properties) AS property (name)
     WHERE p.type = gone.type AND p.name = property.name AND p.entity_id = gone.id
)
INSERT INTO entities.history (org_id, subject, id, version, value, at, actor)
SELECT org_id, 'entities.entity', id, version, to_jsonb(gone) - 'org_id', $3, $4 FROM gone
    ON CONFLICT DO NOTHING
