DROP FUNCTION entities.next_tenant(uuid);
REVOKE SELECT (org_id) ON entities.entities FROM pulse_lookup;
REVOKE USAGE ON SCHEMA entities FROM pulse_system;
