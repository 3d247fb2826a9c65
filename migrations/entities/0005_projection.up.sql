-- The next tenant after `behind` that has entities, for who copies the graphs of all of them; says nothing of the entities.
CREATE FUNCTION entities.next_tenant(behind uuid) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT e.org_id FROM entities.entities e WHERE e.org_id > behind ORDER BY e.org_id LIMIT 1
$$;
REVOKE ALL ON FUNCTION entities.next_tenant(uuid) FROM PUBLIC;
GRANT USAGE ON SCHEMA entities TO pulse_system;
GRANT EXECUTE ON FUNCTION entities.next_tenant(uuid) TO pulse_system;
GRANT SELECT (org_id) ON entities.entities TO pulse_lookup;
ALTER FUNCTION entities.next_tenant(uuid) OWNER TO pulse_lookup;
