-- Rights on single collections, and on the entities that items describe, as those on entities: see entities 0002. Settings say
-- what is seen; no other schema is read.

CREATE POLICY reach ON vectors.collections AS RESTRICTIVE FOR SELECT TO pulse_narrowed USING (
    CASE (SELECT current_setting('pulse.collection_reach', true))
        WHEN 'all' THEN true
        WHEN 'but' THEN id NOT IN (SELECT unnest(current_setting('pulse.collection_ids', true)::uuid[]))
        WHEN 'only' THEN id IN (SELECT unnest(current_setting('pulse.collection_ids', true)::uuid[]))
        ELSE false
    END
);

-- An item is seen by who sees its collection and the entity that it describes, if it describes one.
CREATE POLICY reach ON vectors.items AS RESTRICTIVE FOR SELECT TO pulse_narrowed USING (
    CASE (SELECT current_setting('pulse.collection_reach', true))
        WHEN 'all' THEN true
        WHEN 'but' THEN collection_id NOT IN (SELECT unnest(current_setting('pulse.collection_ids', true)::uuid[]))
        WHEN 'only' THEN collection_id IN (SELECT unnest(current_setting('pulse.collection_ids', true)::uuid[]))
        ELSE false
    END
    AND (entity_id IS NULL OR CASE (SELECT current_setting('pulse.entity_reach', true))
        WHEN 'all' THEN true
        WHEN 'but' THEN entity_id NOT IN (SELECT unnest(current_setting('pulse.entity_ids', true)::uuid[]))
        WHEN 'only' THEN entity_id IN (SELECT unnest(current_setting('pulse.entity_ids', true)::uuid[]))
        ELSE false
    END)
);

-- What was is written down and not read by the app: a narrowed session reads none of it.
CREATE POLICY reach ON vectors.history AS RESTRICTIVE FOR SELECT TO pulse_narrowed USING (false);
