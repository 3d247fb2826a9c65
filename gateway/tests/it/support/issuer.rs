//! An issuer of tokens: it signs, and it publishes its keys at an address of its own, which the test may take down.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::get;
use http::StatusCode;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::noon;

/// A private key.
#[derive(Clone)]
pub(crate) struct SigningKey {
    pub(crate) id: &'static str,
    pub(crate) algorithm: Algorithm,
    key: EncodingKey,
}

impl SigningKey {
    /// An Ed25519 key of its own for each seed.
    pub(crate) fn ed25519(id: &'static str, seed: u8) -> Self {
        // PKCS #8 around 32 bytes (RFC 8410 §7).
        let head = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
        let der = [head.as_slice(), &[seed; 32]].concat();
        Self { id, algorithm: Algorithm::EdDSA, key: EncodingKey::from_ed_der(&der) }
    }

    /// The RSA key of the tests, for one of its algorithms.
    pub(crate) fn rsa(id: &'static str, algorithm: Algorithm) -> Self {
        Self { id, algorithm, key: EncodingKey::from_rsa_der(include_bytes!("rsa.der")) }
    }

    pub(crate) fn public(&self) -> Value {
        let mut key = Jwk::from_encoding_key(&self.key, self.algorithm).unwrap();
        key.common.key_id = Some(self.id.to_owned());
        serde_json::to_value(key).unwrap()
    }

    /// A token with these claims and those that every token needs.
    #[expect(clippy::needless_pass_by_value, reason = "claims read better without borrows in between")]
    pub(crate) fn sign(&self, claims: Value) -> String {
        let mut all = json!({ "iss": "https://id.example.com", "aud": "api", "sub": "ann", "exp": noon().timestamp() + 600 });
        for (name, value) in claims.as_object().unwrap() {
            match value {
                Value::Null => drop(all.as_object_mut().unwrap().remove(name)),
                _ => all[name] = value.clone(),
            }
        }
        let header = Header { kid: Some(self.id.to_owned()), ..Header::new(self.algorithm) };
        jsonwebtoken::encode(&header, &all, &self.key).unwrap()
    }
}

#[derive(Default)]
struct Published {
    /// `None` while the issuer is down.
    keys: Option<Value>,
    fetches: usize,
}

/// Where keys are published.
pub(crate) struct Issuer {
    pub(crate) jwks_url: String,
    published: Arc<Mutex<Published>>,
}

impl Issuer {
    /// An issuer that publishes these keys; none, while it is down.
    pub(crate) async fn start(keys: &[&SigningKey]) -> Self {
        let published = Arc::<Mutex<Published>>::default();
        let shown = Arc::clone(&published);
        let answer = move || {
            let mut published = shown.lock().unwrap();
            published.fetches += 1;
            let answer = published.keys.as_ref().map(ToString::to_string);
            std::future::ready(answer.ok_or(StatusCode::SERVICE_UNAVAILABLE))
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let jwks_url = format!("http://{}/jwks", listener.local_addr().unwrap());
        let router = Router::new().route("/jwks", get(answer));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let issuer = Self { jwks_url, published };
        if !keys.is_empty() {
            issuer.publish(keys);
        }
        issuer
    }

    pub(crate) fn publish(&self, keys: &[&SigningKey]) {
        let keys: Vec<_> = keys.iter().map(|key| key.public()).collect();
        self.publish_set(json!({ "keys": keys }));
    }

    pub(crate) fn publish_set(&self, set: Value) {
        self.published.lock().unwrap().keys = Some(set);
    }

    pub(crate) fn take_down(&self) {
        self.published.lock().unwrap().keys = None;
    }

    /// How often the keys were fetched.
    pub(crate) fn fetches(&self) -> usize {
        self.published.lock().unwrap().fetches
    }
}
