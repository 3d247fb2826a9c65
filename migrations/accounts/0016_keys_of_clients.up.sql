-- An API key may be for what one client application published, and nothing else.

ALTER TABLE accounts.machines ADD COLUMN client text COLLATE "C"
    CHECK (client IS NULL OR client ~ '^[a-z0-9][a-z0-9-]{0,59}$' AND kind = 'api_key');
COMMENT ON COLUMN accounts.machines.client IS '@pii(class: NONE) The client application whose published operations it is for, and no others; null for any.';
GRANT UPDATE (client) ON accounts.machines TO pulse_app;

DROP FUNCTION accounts.machine_by_secret(bytea);
CREATE FUNCTION accounts.machine_by_secret(secret_hash bytea)
RETURNS TABLE (org_id uuid, id uuid, kind text, maker uuid, role text, scopes text[], operations text[], client text,
               networks text[], requests_per_minute int, cost_per_minute int, enabled boolean, expires_at timestamptz,
               good_until timestamptz, terms bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT m.org_id, m.id, m.kind, m.maker, p.role, m.scopes, m.operations, m.client, m.networks,
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
