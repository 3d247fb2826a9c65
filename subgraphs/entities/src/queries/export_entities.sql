-- $1 the last id of the page before; $2 how many.
SELECT e.id, e.key, e.type, e.name, e.description, e.confidence, e.properties
  FROM entities.entities AS e
 WHERE e.id > $1
 ORDER BY e.id
 LIMIT $2
