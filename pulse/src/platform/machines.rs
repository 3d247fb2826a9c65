//! API keys and service accounts, of which the subgraph `accounts` knows: in this process, or in another one.

use async_trait::async_trait;
use pulse_accounts::{
    MACHINES_PATH, MachineQuestion, MachineRefusal, Machines, MachinesUnavailable, OAUTH_PATH, TokenGrant,
    TokenGrants, TokenRefusal, TokenRequest, VerifiedMachine,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::apart::AccountsApart;

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
pub(super) struct MachinesApart(pub(super) AccountsApart);

impl MachinesApart {
    async fn ask<A: DeserializeOwned>(
        &self,
        path: &str,
        question: &(impl Serialize + Sync),
    ) -> Result<A, MachinesUnavailable> {
        let question =
            serde_json::to_vec(question).map_err(|error| MachinesUnavailable(error.to_string()))?;
        self.0.ask(path, Some(question.into())).await.map_err(MachinesUnavailable)
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
