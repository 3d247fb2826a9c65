UNWIND $rows AS row
MATCH (:TENANT {id: row.source})-[r:R {id: row.id}]->(:TENANT {id: row.target})
DELETE r
