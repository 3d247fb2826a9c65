DROP FUNCTION platform.is_told(text[], bigint, bigint);
REVOKE SELECT (tenant, subject, position) ON platform.log FROM pulse_lookup;
REVOKE SELECT (id, tenant, subject) ON platform.outbox FROM pulse_lookup;
REVOKE SELECT (position, oldest) ON platform.log_head FROM pulse_lookup;
