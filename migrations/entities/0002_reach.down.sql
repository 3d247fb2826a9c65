DROP POLICY reach ON entities.history;
DROP POLICY reach ON entities.relationships;
DROP POLICY reach ON entities.entities;
