-- How far an attempt is, told to those who follow the job; no row when the attempt has lost it.
-- $1 now, $2 id, $3 claims, $4 per cent.
WITH job AS (
    UPDATE platform.jobs SET progress = $4, version = version + 1
     WHERE id = $2 AND claims = $3 AND status = 'processing'
    RETURNING id, tenant, kind, version, progress, cancel, actor
), told AS (
    INSERT INTO platform.outbox (tenant, kind, subject, key, version, changed, attributes, at)
    SELECT tenant, 'updated', 'platform.job', id, version, '{progress}',
           jsonb_strip_nulls(jsonb_build_object('kind', kind, 'status', 'processing', 'progress', progress, 'owner', actor)), $1
      FROM job WHERE tenant IS NOT NULL
)
SELECT tenant IS NOT NULL, cancel FROM job
