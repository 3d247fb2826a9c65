DROP FUNCTION accounts.machine_by_secret(bytea);
CREATE FUNCTION accounts.machine_by_secret(secret_hash bytea)
RETURNS TABLE (org_id uuid, id uuid, kind text, maker uuid, role text, scopes text[], operations text[], networks text[],
               requests_per_minute int, cost_per_minute int, enabled boolean, expires_at timestamptz, good_until timestamptz,
               terms bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT m.org_id, m.id, m.kind, m.maker, p.role, m.scopes, m.operations, m.networks,
           m.requests_per_minute, m.cost_per_minute, m.enabled, m.expires_at, s.good_until, m.terms
      FROM accounts.machine_secrets s
      JOIN accounts.machines m ON m.org_id = s.org_id AND m.id = s.machine
      LEFT JOIN accounts.memberships p ON p.org_id = m.org_id AND p.user_id = m.maker
           AND NOT EXISTS (SELECT FROM accounts.users u WHERE u.user_id = m.maker AND u.erasing_at IS NOT NULL)
     WHERE s.hash = secret_hash AND m.revoked_at IS NULL
$$;
REVOKE ALL ON FUNCTION accounts.machine_by_secret(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION accounts.machine_by_secret(bytea) TO pulse_app;
ALTER FUNCTION accounts.machine_by_secret(bytea) OWNER TO pulse_lookup;
ALTER TABLE accounts.machines DROP COLUMN client;
