-- Rights on single entities. A session of somebody who does not see all of them is one of pulse_narrowed and says what they
-- see: pulse.entity_reach is `all`, `but` (all but pulse.entity_ids) or `only` (those of pulse.entity_ids). Where nothing is
-- said, nothing is seen. Nobody else's statements are planned with these policies.
--
-- The sub-selects run once for a statement, and the ids are looked for in a hash table.

CREATE POLICY reach ON entities.entities AS RESTRICTIVE FOR SELECT TO pulse_narrowed USING (
    CASE (SELECT current_setting('pulse.entity_reach', true))
        WHEN 'all' THEN true
        WHEN 'but' THEN id NOT IN (SELECT unnest(current_setting('pulse.entity_ids', true)::uuid[]))
        WHEN 'only' THEN id IN (SELECT unnest(current_setting('pulse.entity_ids', true)::uuid[]))
        ELSE false
    END
);

-- A relationship is seen by who sees both of its ends.
CREATE POLICY reach ON entities.relationships AS RESTRICTIVE FOR SELECT TO pulse_narrowed USING (
    CASE (SELECT current_setting('pulse.entity_reach', true))
        WHEN 'all' THEN true
        WHEN 'but' THEN source_id NOT IN (SELECT unnest(current_setting('pulse.entity_ids', true)::uuid[]))
                    AND target_id NOT IN (SELECT unnest(current_setting('pulse.entity_ids', true)::uuid[]))
        WHEN 'only' THEN source_id IN (SELECT unnest(current_setting('pulse.entity_ids', true)::uuid[]))
                     AND target_id IN (SELECT unnest(current_setting('pulse.entity_ids', true)::uuid[]))
        ELSE false
    END
);

-- What something was is seen by who would see it now.
CREATE POLICY reach ON entities.history AS RESTRICTIVE FOR SELECT TO pulse_narrowed USING (
    CASE (SELECT current_setting('pulse.entity_reach', true))
        WHEN 'all' THEN true
        WHEN 'but' THEN CASE subject
            WHEN 'entities.entity' THEN
                id NOT IN (SELECT unnest(current_setting('pulse.entity_ids', true)::uuid[]))
            WHEN 'entities.relationship' THEN
                (value ->> 'source_id')::uuid NOT IN (SELECT unnest(current_setting('pulse.entity_ids', true)::uuid[]))
                AND (value ->> 'target_id')::uuid NOT IN (SELECT unnest(current_setting('pulse.entity_ids', true)::uuid[]))
            ELSE true END
        WHEN 'only' THEN CASE subject
            WHEN 'entities.entity' THEN
                id IN (SELECT unnest(current_setting('pulse.entity_ids', true)::uuid[]))
            WHEN 'entities.relationship' THEN
                (value ->> 'source_id')::uuid IN (SELECT unnest(current_setting('pulse.entity_ids', true)::uuid[]))
                AND (value ->> 'target_id')::uuid IN (SELECT unnest(current_setting('pulse.entity_ids', true)::uuid[]))
            ELSE true END
        ELSE false
    END
);
