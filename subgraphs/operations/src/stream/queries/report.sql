INSERT INTO operations.streams (tenant, id, gateway, person, machine, session, kind, transport, operation, hash, opened_at)
SELECT tenant, id, $1, person, machine, session, kind, transport, operation, hash, opened_at
  FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::text[], $9::text[], $10::text[],
              $11::timestamptz[])
       AS opened (tenant, id, person, machine, session, kind, transport, operation, hash, opened_at)
    ON CONFLICT (tenant, id) DO NOTHING
