DROP FUNCTION accounts.identity_user(uuid, text, text);
DROP FUNCTION accounts.identity_provider_of_domain(text);
DROP FUNCTION accounts.identity_provider_organization(uuid);
DROP TABLE accounts.oidc_attempts;
DROP TABLE accounts.session_origins;
DROP TABLE accounts.identities;
DROP TABLE accounts.email_domains;
DROP TABLE accounts.identity_providers;
