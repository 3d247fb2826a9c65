-- Which clients sent which of these operations since a day, and which have them in a manifest.
SELECT o.id AS operation_id, o.signature, o.name, s.client_name, s.client_version,
       sum(s.requests)::bigint AS requests, max(s.day) AS last_seen_on, bool_or(s.is_declared) AS is_declared
  FROM (
      SELECT u.operation_id, u.client_name, u.client_version, u.requests, u.day, false AS is_declared
        FROM registry.usage AS u
       WHERE u.environment = $1 AND u.operation_id = ANY ($2) AND u.day >= $3
       UNION ALL
      SELECT d.operation_id, d.client_name, d.client_version, 0, NULL, true
        FROM registry.declared AS d
       WHERE d.environment = $1 AND d.operation_id = ANY ($2)
  ) AS s
  JOIN registry.operations AS o ON o.id = s.operation_id
 WHERE s.client_name <> ALL ($4) AND o.name <> ALL ($5)
 GROUP BY o.id, o.signature, o.name, s.client_name, s.client_version
