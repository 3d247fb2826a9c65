//! API keys and service accounts, of which the subgraph `accounts` knows: in this process, or in another one.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http_body_util::{BodyExt, Limited};
use pulse_accounts::{
    MACHINES_PATH, MachineQuestion, MachineRefusal, Machines, MachinesUnavailable, OAUTH_PATH, TokenGrant,
    TokenGrants, TokenRefusal, TokenRequest, VerifiedMachine,
};
use pulse_gateway::remote::SubgraphProcess;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio::time::timeout;

use super::apart::Places;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long an answer may be: a key with all the operations and networks that there may be.
const LIMIT: usize = 256 * 1024;

/// Says what the secret of an API key is good for.
#[async_trait]
pub trait VerifyMachines: Send + Sync + 'static {
    /// The API key whose secret has this hash, or why it is no good.
    async fn verify(
        &self,
        hash: [u8; 32],
    ) -> Result<Result<VerifiedMachine, MachineRefusal>, MachinesUnavailable>;
}

#[async_trait]
impl VerifyMachines for Machines {
    async fn verify(
        &self,
        hash: [u8; 32],
    ) -> Result<Result<VerifiedMachine, MachineRefusal>, MachinesUnavailable> {
        Self::verify(self, hash).await.map_err(|error| MachinesUnavailable(error.to_string()))
    }
}

/// The subgraph in another process.
pub(super) struct MachinesApart(pub(super) watch::Receiver<Places>);

impl MachinesApart {
    async fn ask<A: DeserializeOwned>(
        &self,
        path: &str,
        question: &(impl Serialize + Sync),
    ) -> Result<A, MachinesUnavailable> {
        let problem = |problem: &dyn std::fmt::Display| MachinesUnavailable(format!("accounts: {problem}"));
        let places = Arc::clone(&self.0.borrow());
        let place = places.iter().find(|place| place.name() == "accounts");
        let place: &SubgraphProcess = place.ok_or_else(|| problem(&"it is nowhere"))?;
        let body = serde_json::to_vec(question).map_err(|error| problem(&error))?;
        let answer = async {
            let response = place.post(path, body.into()).await.map_err(|error| problem(&error))?;
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

#[async_trait]
impl VerifyMachines for MachinesApart {
    async fn verify(
        &self,
        hash: [u8; 32],
    ) -> Result<Result<VerifiedMachine, MachineRefusal>, MachinesUnavailable> {
        self.ask(MACHINES_PATH, &MachineQuestion { hash }).await
    }
}

#[async_trait]
impl TokenGrants for MachinesApart {
    async fn grant(
        &self,
        request: &TokenRequest,
    ) -> Result<Result<TokenGrant, TokenRefusal>, MachinesUnavailable> {
        self.ask(OAUTH_PATH, request).await
    }
}
