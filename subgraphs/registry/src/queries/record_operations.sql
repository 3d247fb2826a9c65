-- Operations that were not there yet, unless the environment has as many as it may.
INSERT INTO registry.operations (org_id, id, environment, signature, name, kind, first_seen_at)
SELECT $1, o.id, $2, o.signature, o.name, o.kind, $3
  FROM unnest($4::uuid[], $5::text[], $6::text[], $7::text[]) AS o (id, signature, name, kind)
 WHERE (SELECT count(*) FROM registry.operations WHERE environment = $2) < $8
 ORDER BY o.signature, o.name
ON CONFLICT DO NOTHING
