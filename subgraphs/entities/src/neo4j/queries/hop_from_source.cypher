MATCH (from:TENANT {id: $ids[place]})-[r:R]->(to:TENANT)
WHERE size($types) = 0 OR r.type IN $types
RETURN 0 AS side, from.id AS source, r.type AS type, to.id AS target, to.id AS other,
       r.confidence >= $min AND (size($entity_types) = 0 OR to.id IN $ends OR coalesce(to.type IN $entity_types, false)) AS followed
