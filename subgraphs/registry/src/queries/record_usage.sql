-- How often each was sent, added to what is there. In one order, so that reports do not wait for each other in a circle.
INSERT INTO registry.usage AS u (org_id, environment, day, operation_id, client_name, client_version, requests, errors)
SELECT $1, $2, r.day, r.operation_id, r.client_name, r.client_version, sum(r.requests), sum(r.errors)
  FROM unnest($3::date[], $4::uuid[], $5::text[], $6::text[], $7::bigint[], $8::bigint[])
       AS r (day, operation_id, client_name, client_version, requests, errors)
 GROUP BY r.day, r.operation_id, r.client_name, r.client_version
 ORDER BY r.day, r.operation_id, r.client_name, r.client_version
ON CONFLICT (org_id, environment, day, operation_id, client_name, client_version) DO UPDATE
   SET requests = u.requests + excluded.requests, errors = u.errors + excluded.errors
