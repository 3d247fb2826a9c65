DROP TABLE entities.imports;
