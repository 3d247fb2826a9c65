//! What a gateway apart asks the process of `accounts`.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio::time::timeout;

use super::Places;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long an answer may be: what as many may as can be asked about, with all the rights that there may be.
const LIMIT: usize = 8 * 1024 * 1024;

/// The process of `accounts`, wherever the newest settings say that it is.
#[derive(Clone)]
pub(in crate::platform) struct AccountsApart(watch::Receiver<Places>);

impl AccountsApart {
    pub(in crate::platform) const fn new(places: watch::Receiver<Places>) -> Self {
        Self(places)
    }

    /// What is at that path, or what is answered to JSON that is posted there. The error is for the log.
    pub(in crate::platform) async fn ask<A: DeserializeOwned>(
        &self,
        path: &str,
        posted: Option<Bytes>,
    ) -> Result<A, String> {
        let problem = |problem: &dyn std::fmt::Display| format!("accounts: {problem}");
        let places = Arc::clone(&self.0.borrow());
        let place = places.iter().find(|place| place.name() == "accounts");
        let place = place.ok_or_else(|| problem(&"it is nowhere"))?;
        let answer = async {
            let response = match posted {
                Some(body) => place.post(path, body).await,
                None => place.get(path).await,
            };
            let response = response.map_err(|error| problem(&error))?;
            if !response.status().is_success() {
                return Err(problem(&format!("it answered {}", response.status())));
            }
            let body = Limited::new(response.into_body(), LIMIT).collect().await;
            let body = body.map_err(|error| problem(&error))?.to_bytes();
            serde_json::from_slice(&body).map_err(|error| problem(&error))
        };
        timeout(PATIENCE, answer).await.map_err(|_| problem(&"it does not answer"))?
    }
}
