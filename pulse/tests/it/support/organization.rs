//! Somebody who can sign in, and an organization to import into.

use pulse::platform::Database;
use pulse::settings::Settings;
use pulse_accounts::{Demo, PasswordHashConfig, ensure_demo};
use pulse_testkit::TestDatabase;
use pulse_types::Secret;
use serde_json::json;
use sqlx::postgres::PgConnectOptions;

use super::http::ask;

pub(crate) const SLUG: &str = "library";
pub(crate) const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "a password for these tests";

/// A migrated database with one organization and its owner.
pub(crate) async fn database() -> anyhow::Result<TestDatabase> {
    let database = TestDatabase::new().await?;
    people(database.options()).await?;
    Ok(database)
}

/// Makes the organization and its owner in a migrated database.
pub(crate) async fn people(database: PgConnectOptions) -> anyhow::Result<()> {
    let settings = Settings::from_env(None, std::iter::empty())?;
    let store = Database::existing(database).store(&settings);
    let owner = Demo {
        email: EMAIL.to_owned(),
        password: Secret::new(PASSWORD),
        name: "Ada".to_owned(),
        slug: SLUG.to_owned(),
        organization: "Library".to_owned(),
    };
    let cheap = PasswordHashConfig { memory: 8, iterations: 1, parallelism: 1 };
    ensure_demo(&store, &owner, cheap).await?;
    store.close().await;
    Ok(())
}

/// An access token of the owner.
pub(crate) async fn sign_in(url: &str) -> anyhow::Result<String> {
    let mutation = "mutation ($input: SignInInput!) { signIn(input: $input) { accessToken } }";
    let input = json!({ "email": EMAIL, "password": PASSWORD, "organizationSlug": SLUG });
    let data = ask(url, None, mutation, json!({ "input": input })).await?;
    Ok(data["signIn"]["accessToken"].as_str().unwrap_or_default().to_owned())
}
