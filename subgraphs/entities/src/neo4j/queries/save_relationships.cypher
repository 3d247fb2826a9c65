UNWIND $rows AS row
MERGE (source:TENANT {id: row.source})
MERGE (target:TENANT {id: row.target})
MERGE (source)-[r:R {id: row.id}]->(target)
WITH r, row
WHERE $generation >= 0 OR coalesce(r.version, 0) < row.version
SET r.type = row.type, r.confidence = row.confidence, r.version = row.version, r.generation = $generation
