//! API keys and service accounts, and what whoever asks may, of which the subgraph `accounts` knows: in this process, or in another
//! one.

use async_trait::async_trait;
use pulse_accounts::{
    ACCESS_PATH, AccessQuestion, Held, MACHINES_PATH, MachineQuestion, MachineRefusal, Machines,
    MachinesUnavailable, OAUTH_PATH, TokenGrant, TokenGrants, TokenRefusal, TokenRequest, VerifiedMachine,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::apart::ProcessApart;

/// Says what the secret of an API key is good for, and what somebody may.
#[async_trait]
pub trait VerifyMachines: Send + Sync + 'static {
    /// The API key whose secret has this hash, or why it is no good.
    /// The answer knows of what the event log says up to the position `at_least`.
    async fn verify(
        &self,
        hash: [u8; 32],
        at_least: i64,
    ) -> Result<Result<VerifiedMachine, MachineRefusal>, MachinesUnavailable>;

    /// What each of the subjects may, in their order.
    async fn access(&self, question: AccessQuestion) -> Result<Vec<Held>, MachinesUnavailable>;
}

#[async_trait]
impl VerifyMachines for Machines {
    async fn verify(
        &self,
        hash: [u8; 32],
        _at_least: i64,
    ) -> Result<Result<VerifiedMachine, MachineRefusal>, MachinesUnavailable> {
        // What is kept in this process hears of each change before anybody here does.
        Self::verify(self, hash).await.map_err(|error| MachinesUnavailable(error.to_string()))
    }

    async fn access(&self, question: AccessQuestion) -> Result<Vec<Held>, MachinesUnavailable> {
        let held = Self::access(self, question.org, &question.subjects).await;
        held.map_err(|error| MachinesUnavailable(error.to_string()))
    }
}

/// The subgraph in another process.
pub(super) struct MachinesApart(pub(super) ProcessApart);

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
        at_least: i64,
    ) -> Result<Result<VerifiedMachine, MachineRefusal>, MachinesUnavailable> {
        self.ask(MACHINES_PATH, &MachineQuestion { hash, at_least }).await
    }

    async fn access(&self, question: AccessQuestion) -> Result<Vec<Held>, MachinesUnavailable> {
        let expected = question.subjects.len();
        let held: Vec<_> = self.ask(ACCESS_PATH, &question).await?;
        if held.len() != expected {
            return Err(MachinesUnavailable("accounts: it did not answer about everybody".to_owned()));
        }
        Ok(held)
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
