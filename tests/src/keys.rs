//! API keys of a tenant.

use serde_json::{Value, json};

use crate::TestPlatform;

/// A key that somebody has made.
pub struct ApiKey {
    /// Its id.
    pub id: String,
    /// What is sent.
    pub secret: String,
}

impl ApiKey {
    /// Makes one through the API, as whoever has the token.
    pub async fn create(platform: &TestPlatform, token: &str, input: Value) -> Self {
        let create =
            "mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret apiKey { id } } }";
        let data = platform.data(token, create, json!({ "input": input })).await;
        let made = &data["createApiKey"];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self { id: text(&made["apiKey"]["id"]), secret: text(&made["secret"]) }
    }

    /// Revokes it through the API.
    pub async fn revoke(&self, platform: &TestPlatform, token: &str) {
        let revoke = "mutation ($id: ID!) { revokeApiKey(input: { id: $id }) { apiKey { revokedAt } } }";
        platform.data(token, revoke, json!({ "id": self.id })).await;
    }
}
