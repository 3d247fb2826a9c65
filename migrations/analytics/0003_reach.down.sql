DROP POLICY reach ON analytics.events;
