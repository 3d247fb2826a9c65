MATCH (log:PulseLog {name: $log})
SET log.position = $upto
WITH log
MATCH (tenant:PulseTenant)
WHERE tenant.floor <= $upto AND tenant.log = $log
SET tenant.position = CASE WHEN tenant.position > tenant.floor THEN tenant.position ELSE tenant.floor END, tenant.floor = null
