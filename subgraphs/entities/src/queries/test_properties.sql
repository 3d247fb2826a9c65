-- What the entities of two of the tenants are found by: numbers, texts and days in an order of their own, a truth value that one
-- in a hundred has, and a group that a twentieth shares.
SET session_replication_role = replica;
UPDATE entities.entities AS e
   SET properties = jsonb_build_object(
           'rank', n.n * 7883 % 20000, 'label', 'label ' || lpad((n.n * 7907 % 20000)::text, 6, '0'),
           'day', (date '1970-01-01' + (n.n * 7901 % 20000)::int)::text, 'marked', n.n % 100 = 0, 'group', 'g' || n.n % 20
       )
  FROM (SELECT org_id, id, right(key, 6)::int AS n FROM entities.entities) AS n
 WHERE e.org_id = n.org_id AND e.id = n.id AND e.org_id IN (pg_temp.org(2), pg_temp.org(3));
INSERT INTO entities.properties (org_id, type, name, entity_id, place, text, number, time, flag)
SELECT e.org_id, e.type, p.name, e.id, p.place, p.text, p.number, p.time, p.flag
  FROM entities.entities AS e, entities.property_rows(e.properties) AS p;
-- Each has been something else once, and the first one very often.
INSERT INTO entities.history (org_id, subject, id, version, value, at)
SELECT e.org_id, 'entities.entity', e.id, v.number, to_jsonb(e) - 'org_id', now()
  FROM entities.entities AS e, generate_series(1, CASE WHEN e.id = pg_temp.id(3, 1) THEN 5000 ELSE 1 END) AS v (number)
 WHERE e.org_id = pg_temp.org(3);
RESET session_replication_role;
ANALYZE entities.entities, entities.properties, entities.history;
