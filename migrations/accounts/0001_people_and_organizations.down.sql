DROP FUNCTION accounts.credential_by_email(text), accounts.user_by_email(text), accounts.refresh_token_user(bytea),
    accounts.my_organizations(), accounts.users_of_tenant(uuid[]), accounts.organization_by_slug(text);
DROP TABLE accounts.history, accounts.memberships, accounts.organizations, accounts.creations,
    accounts.refresh_tokens, accounts.sessions, accounts.credentials, accounts.user_history, accounts.users;
