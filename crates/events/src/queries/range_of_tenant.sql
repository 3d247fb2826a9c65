-- One topic's part of the log: $1 tenant, $2 subjects, after $3 up to $4, at most $5. Audit facts are on events of any subject.
SELECT position, tenant, kind, subject, key, version, changed, attributes, before, actor, request, at, facts
  FROM platform.log
 WHERE tenant = $1 AND (subject = ANY ($2) OR facts IS NOT NULL AND 'platform.audit' = ANY ($2)) AND position > $3 AND position <= $4
 ORDER BY position
 LIMIT $5
