DROP FUNCTION entities.property_rows(jsonb);
DROP TABLE entities.properties;
