UNWIND $rows AS row
MERGE (e:TENANT {id: row.id})
WITH e, row
WHERE $generation >= 0 OR coalesce(e.version, 0) < row.version
SET e.type = row.type, e.version = row.version, e.generation = $generation
