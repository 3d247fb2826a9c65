//! An issuer that answers what no honest one does.

use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use pulse_types::Clock;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::browser::{Callback, parameter};
use super::{Begun, CLIENT};

/// What it says next.
#[derive(Clone)]
pub(super) struct Says {
    /// The claims of the ID token; what is null is left out.
    pub(super) claims: Value,
    /// The key that it signs with: the number is the key's id and seed. It publishes the key 1.
    pub(super) key: u8,
    /// Whether it signs at all.
    pub(super) signs: bool,
    /// The status of its token endpoint.
    pub(super) status: StatusCode,
    /// What its description has in place of its own.
    pub(super) description: Value,
    /// What domains publish.
    pub(super) proof: String,
}

pub(super) struct FakeIssuer {
    pub(super) url: String,
    says: Arc<Mutex<Says>>,
    server: JoinHandle<()>,
}

#[derive(Clone)]
struct Parts {
    url: String,
    says: Arc<Mutex<Says>>,
}

impl FakeIssuer {
    pub(super) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let says = Says {
            claims: json!({}),
            key: 1,
            signs: true,
            status: StatusCode::OK,
            description: json!({}),
            proof: String::new(),
        };
        let says = Arc::new(Mutex::new(says));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(description))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .route("/proofs/{domain}", get(proof))
            .with_state(Parts { url: url.clone(), says: Arc::clone(&says) });
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, says, server }
    }

    /// Changes what it says.
    pub(super) fn say(&self, change: impl FnOnce(&mut Says)) {
        change(&mut self.says.lock().unwrap());
    }

    /// Nothing answers any more.
    pub(super) async fn stop(mut self) {
        self.server.abort();
        assert!((&mut self.server).await.is_err());
    }

    /// What it gives the page that began so, with the claims of an honest token for it, changed by `change`.
    pub(super) fn answer(&self, begun: &Begun, change: &Value) -> Callback {
        let now = Clock::system().now().timestamp();
        let mut claims = json!({
            "iss": self.url, "aud": CLIENT, "sub": "ada", "iat": now, "exp": now + 300,
            "nonce": parameter(&begun.url, "nonce"),
            "email": "ada@acme.example", "email_verified": true, "name": "Ada",
        });
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        self.say(|says| says.claims = claims);
        let state = parameter(&begun.url, "state").unwrap();
        Callback { code: "a code".to_owned(), state, issuer: None }
    }
}

impl Drop for FakeIssuer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn description(State(Parts { url, says }): State<Parts>) -> Json<Value> {
    let mut all = json!({
        "issuer": url,
        "authorization_endpoint": format!("{url}/auth"),
        "token_endpoint": format!("{url}/token"),
        "jwks_uri": format!("{url}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA"],
    });
    for (name, value) in says.lock().unwrap().description.as_object().unwrap() {
        all[name] = value.clone();
    }
    Json(all)
}

async fn keys() -> Json<Value> {
    let public = SigningKey::from_bytes(&[1; 32]).verifying_key();
    let x = URL_SAFE_NO_PAD.encode(public.as_bytes());
    Json(json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": "1", "x": x }] }))
}

async fn token(State(Parts { says, .. }): State<Parts>) -> (StatusCode, Json<Value>) {
    let Says { mut claims, key, signs, status, .. } = says.lock().unwrap().clone();
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    let id_token = if signs { signed(&claims, key) } else { unsigned(&claims) };
    let body =
        json!({ "access_token": "none", "token_type": "Bearer", "expires_in": 60, "id_token": id_token });
    (status, Json(body))
}

async fn proof(State(Parts { says, .. }): State<Parts>, Path(_): Path<String>) -> (StatusCode, String) {
    let proof = says.lock().unwrap().proof.clone();
    if proof.is_empty() { (StatusCode::NOT_FOUND, proof) } else { (StatusCode::OK, proof) }
}

fn signed(claims: &Value, key: u8) -> String {
    let der = SigningKey::from_bytes(&[key; 32]).to_pkcs8_der().unwrap();
    let header = Header { kid: Some("1".to_owned()), ..Header::new(Algorithm::EdDSA) };
    jsonwebtoken::encode(&header, claims, &EncodingKey::from_ed_der(der.as_bytes())).unwrap()
}

fn unsigned(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.", part(&json!({ "alg": "none" })), part(claims))
}
