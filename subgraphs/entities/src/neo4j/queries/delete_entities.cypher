UNWIND $rows AS row
MATCH (e:TENANT {id: row.id})
DETACH DELETE e
