MATCH (log:PulseLog {name: $log})
MATCH (tenant:PulseTenant {key: $key})
WHERE tenant.floor IS NULL
RETURN log.position AS applied, tenant.position AS seen, tenant.generation AS generation
