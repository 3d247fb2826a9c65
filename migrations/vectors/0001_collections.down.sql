DROP FUNCTION vectors.drop_partition(uuid);
DROP FUNCTION vectors.build_index(uuid);
DROP FUNCTION vectors.create_partition(uuid);
DROP FUNCTION vectors.partition_name(uuid);
DROP TABLE vectors.history;
DROP TABLE vectors.items;
DROP TABLE vectors.collections;
