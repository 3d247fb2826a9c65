//! The whole platform, from outside.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

mod access;
mod api_keys;
mod audit_exports;
mod bad_requests;
mod bad_values;
mod catalog;
mod four_subgraphs;
mod health;
mod idle;
mod import;
mod invitations;
mod issuers;
mod kept;
mod live;
mod matrix;
mod privacy;
mod published;
mod reads;
mod registry;
mod rest;
mod row;
mod schema;
mod service_accounts;
mod sign_in;
mod tenancy;
mod walls;

use pulse_tests::{Answer, Fingerprint, Tenant, TestPlatform};
use serde_json::{Value, json};

/// A tenant that sends what is wrong.
pub(crate) struct Refusals {
    pub(crate) platform: TestPlatform,
    pub(crate) tenant: Tenant,
}

impl Refusals {
    pub(crate) async fn new() -> Self {
        let platform = TestPlatform::start().await;
        let tenant = Tenant::found(&platform, "alpha").await;
        Self { platform, tenant }
    }

    /// What the owner gets for a request: status and errors. It must change nothing.
    pub(crate) async fn of(&self, query: &str, variables: Value) -> String {
        self.of_body(json!({ "query": query, "variables": variables }).to_string()).await
    }

    /// The same for a body as it is.
    pub(crate) async fn of_body(&self, body: impl Into<Vec<u8>>) -> String {
        self.of_body_from(Some(&self.tenant.owner.token), body).await
    }

    /// The same for somebody with this token.
    pub(crate) async fn of_body_from(&self, token: Option<&str>, body: impl Into<Vec<u8>>) -> String {
        let before = Fingerprint::of_all(&self.platform).await;
        let answer = self.platform.post(token, body.into()).await;
        assert_eq!(Fingerprint::of_all(&self.platform).await, before, "a refused request changed something");
        errors(&answer)
    }
}

/// The status and an error a line.
fn errors(answer: &Answer) -> String {
    let errors = answer.json["errors"].as_array().unwrap_or_else(|| panic!("not refused: {answer:?}"));
    let lines = errors.iter().map(|error| format!("\n{error}"));
    std::iter::once(answer.status.to_string()).chain(lines).collect()
}

/// Hides what is new in each run from the snapshots of a test.
pub(crate) fn redact() -> insta::internals::SettingsBindDropGuard {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", "[id]");
    settings.add_filter("serving version [^\"]*", "serving version [version]");
    settings.bind_to_scope()
}
