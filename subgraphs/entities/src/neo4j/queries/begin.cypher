UNWIND $tenants AS row
MERGE (tenant:PulseTenant {key: row.key})
ON CREATE SET tenant.log = $log, tenant.org = row.org, tenant.position = 0, tenant.generation = 0
SET tenant.floor = CASE WHEN tenant.floor > $upto THEN tenant.floor ELSE $upto END
