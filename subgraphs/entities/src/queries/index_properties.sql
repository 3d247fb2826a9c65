-- $1 ids of entities, none of which has rows there.
INSERT INTO entities.properties (org_id, type, name, entity_id, place, text, number, time, flag)
SELECT e.org_id, e.type, p.name, e.id, p.place, p.text, p.number, p.time, p.flag
  FROM entities.entities AS e, entities.property_rows(e.properties) AS p
 WHERE e.id = ANY ($1)
