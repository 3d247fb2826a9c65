-- What has happened to an entity is seen by who sees the entity, as elsewhere: see entities 0002. Settings say which those are; no other
-- schema is read. Sums and counts leave out what is not seen, too.
CREATE POLICY reach ON analytics.events AS RESTRICTIVE FOR SELECT TO pulse_narrowed USING (
    entity_id IS NULL OR CASE (SELECT current_setting('pulse.entity_reach', true))
        WHEN 'all' THEN true
        WHEN 'but' THEN entity_id NOT IN (SELECT unnest(current_setting('pulse.entity_ids', true)::uuid[]))
        WHEN 'only' THEN entity_id IN (SELECT unnest(current_setting('pulse.entity_ids', true)::uuid[]))
        ELSE false
    END
);
