DROP TABLE registry.manifest_operations, registry.documents, registry.manifests, registry.clients;
COMMENT ON TABLE registry.history IS 'class: tenant. What an environment''s rules or an override were before they changed or went.';
COMMENT ON COLUMN registry.history.subject IS '@pii(class: NONE) registry.environment or registry.override.';
