INSERT INTO operations.streams (tenant, id, gateway, person, session, kind, transport, operation, hash, opened_at)
SELECT tenant, id, $1, person, session, kind, transport, operation, hash, opened_at
  FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::text[], $9::text[], $10::timestamptz[])
       AS opened (tenant, id, person, session, kind, transport, operation, hash, opened_at)
    ON CONFLICT (tenant, id) DO NOTHING
