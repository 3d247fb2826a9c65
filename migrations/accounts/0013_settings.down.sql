DROP FUNCTION accounts.logo_by_id(uuid);
DROP FUNCTION accounts.branding_by_slug(text);
DROP TABLE accounts.preferences;
DROP TABLE accounts.feature_flags;
DROP TABLE accounts.logos;
DROP TABLE accounts.settings;
