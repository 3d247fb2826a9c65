DROP POLICY reach ON vectors.history;
DROP POLICY reach ON vectors.items;
DROP POLICY reach ON vectors.collections;
