-- Whether all that the session's tenant has committed of these subjects, as far as the calling statement's snapshot sees it, is in the log
-- at or before `applied`; and whether the snapshot's log goes as far as `seen`, and back to what comes after `applied`. Then what was
-- made of the log up to `applied` is what the snapshot has. Looks at the next thousand events of the tenant and of the outbox, and says no where there are more.
CREATE FUNCTION platform.is_told(subjects text[], applied bigint, seen bigint) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT (SELECT seen <= h.position AND applied >= h.oldest - 1 FROM platform.log_head h)
       AND (SELECT count(*) < 1000 AND count(*) FILTER (WHERE behind.subject = ANY (subjects)) = 0
              FROM (SELECT l.subject FROM platform.log l
                     WHERE l.tenant = nullif(current_setting('pulse.org_id', true), '')::uuid AND l.position > applied
                     ORDER BY l.position LIMIT 1000) behind)
       AND (SELECT count(*) < 1000 AND count(*) FILTER (WHERE moving.subject = ANY (subjects)
                   AND moving.tenant = nullif(current_setting('pulse.org_id', true), '')::uuid) = 0
              FROM (SELECT o.tenant, o.subject FROM platform.outbox o ORDER BY o.id LIMIT 1000) moving)
$$;
REVOKE ALL ON FUNCTION platform.is_told(text[], bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION platform.is_told(text[], bigint, bigint) TO pulse_app;
GRANT SELECT (tenant, subject, position) ON platform.log TO pulse_lookup;
GRANT SELECT (id, tenant, subject) ON platform.outbox TO pulse_lookup;
GRANT SELECT (position, oldest) ON platform.log_head TO pulse_lookup;
ALTER FUNCTION platform.is_told(text[], bigint, bigint) OWNER TO pulse_lookup;
