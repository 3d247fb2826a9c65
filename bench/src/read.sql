SELECT coalesce(json_agg(entity), '[]')::text FROM (
    SELECT e.id, e.key, e.name, e.type, (
        SELECT coalesce(json_agg(relationship), '[]') FROM (
            SELECT r.id, r.type, json_build_object('id', t.id, 'key', t.key, 'name', t.name) AS target
              FROM entities.relationships r
              JOIN entities.entities t ON t.org_id = r.org_id AND t.id = r.target_id
             WHERE r.org_id = e.org_id AND r.source_id = e.id
             ORDER BY r.type, r.target_id
             LIMIT 10
        ) relationship
    ) AS relationships
      FROM entities.entities e
     WHERE e.type = 'package'
     ORDER BY e.id
     LIMIT 20
) entity
