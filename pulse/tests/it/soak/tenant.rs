//! An organization, its owner and its types of entities.

use std::sync::{Arc, Mutex, PoisonError};

use pulse::platform::Database;
use pulse::settings::Settings;
use pulse_accounts::{Demo, PasswordHashConfig, ensure_demo};
use pulse_testkit::TestDatabase;
use pulse_types::Secret;
use serde_json::json;

use crate::support::http::ask;

const PASSWORD: &str = "a password for these tests";

/// The types of entities that there are.
pub(super) const TYPES: [&str; 8] =
    ["package", "person", "license", "team", "server", "service", "ticket", "document"];

/// One tenant. Cheap to clone.
#[derive(Clone)]
pub(super) struct Tenant {
    pub(super) slug: &'static str,
    token: Arc<Mutex<String>>,
}

impl Tenant {
    /// Makes it.
    pub(super) async fn found(database: &TestDatabase, slug: &'static str) -> anyhow::Result<Self> {
        let settings = Settings::from_env(None, std::iter::empty())?;
        let store = Database::existing(database.options()).store(&settings);
        let owner = Demo {
            email: email(slug),
            password: Secret::new(PASSWORD),
            name: slug.to_owned(),
            slug: slug.to_owned(),
            organization: slug.to_owned(),
        };
        let cheap = PasswordHashConfig { memory: 8, iterations: 1, parallelism: 1 };
        ensure_demo(&store, &owner, cheap).await?;
        store.close().await;
        Ok(Self { slug, token: Arc::default() })
    }

    /// Gets a new access token: one lives for a quarter of an hour.
    pub(super) async fn sign_in(&self, url: &str) -> anyhow::Result<()> {
        let mutation = "mutation ($input: SignInInput!) { signIn(input: $input) { accessToken } }";
        let input = json!({ "email": email(self.slug), "password": PASSWORD, "organizationSlug": self.slug });
        let data = ask(url, None, mutation, json!({ "input": input })).await?;
        let token = data["signIn"]["accessToken"].as_str().unwrap_or_default().to_owned();
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = token;
        Ok(())
    }

    /// The newest access token.
    pub(super) fn token(&self) -> String {
        self.token.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes its types of entities.
    pub(super) async fn make_types(&self, url: &str) -> anyhow::Result<()> {
        let create = "mutation ($name: String!) { createEntityType(input: { name: $name }) { __typename } }";
        for name in TYPES {
            ask(url, Some(&self.token()), create, json!({ "name": name })).await?;
        }
        Ok(())
    }
}

fn email(slug: &str) -> String {
    format!("owner@{slug}.example.org")
}
