-- $1 the last id of the page before; $2 how many. The keys of the ends are looked up one by one, whatever the planner believes
-- of how many entities there are.
SELECT r.id, r.type, source.key AS source, target.key AS target, r.confidence, r.properties
  FROM (SELECT r.id, r.type, r.source_id, r.target_id, r.confidence, r.properties
          FROM entities.relationships AS r
         WHERE r.id > $1
         ORDER BY r.id
         LIMIT $2) AS r
 CROSS JOIN LATERAL (SELECT e.key FROM entities.entities AS e WHERE e.id = r.source_id LIMIT 1) AS source
 CROSS JOIN LATERAL (SELECT e.key FROM entities.entities AS e WHERE e.id = r.target_id LIMIT 1) AS target
 ORDER BY r.id
