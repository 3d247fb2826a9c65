-- What each uses, and on which day it last did. Most reports change nothing here.
INSERT INTO registry.coordinates AS c (org_id, environment, coordinate, operation_id, last_used_on)
SELECT $1, $2, r.coordinate, r.operation_id, max(r.day)
  FROM unnest($3::text[], $4::uuid[], $5::date[]) AS r (coordinate, operation_id, day)
 GROUP BY r.coordinate, r.operation_id
 ORDER BY r.coordinate, r.operation_id
ON CONFLICT (org_id, environment, coordinate, operation_id) DO UPDATE
   SET last_used_on = excluded.last_used_on
 WHERE c.last_used_on < excluded.last_used_on
