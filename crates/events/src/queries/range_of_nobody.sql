-- The same of what belongs to no tenant: $1 is null.
SELECT position, tenant, kind, subject, key, version, changed, attributes, before, actor, request, at, facts
  FROM platform.log
 WHERE $1::uuid IS NULL AND tenant IS NULL AND subject = ANY ($2) AND position > $3 AND position <= $4
 ORDER BY position
 LIMIT $5
