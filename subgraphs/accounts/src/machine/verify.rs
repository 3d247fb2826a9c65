//! Whose a secret is, and what it is good for: asked by gateways in this process and, over HTTP, in others.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use chrono::{DateTime, Utc};
use pulse_events::Tail;
use pulse_store::{Store, StoreError};
use pulse_types::{Caller, MachineId, OrgId, Permission, Permissions, RequestId, ResourceRights, UserId};
use serde::{Deserialize, Serialize};

use super::entity::{FoundRow, Kind};
use super::repo;
use super::uses::Uses;
use crate::access::{Access, AccessSubject, Held};

/// Where gateways in other processes ask.
pub const MACHINES_PATH: &str = "/internal/machines";

/// The hash of a secret, as it travels: nobody learns a secret from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineQuestion {
    /// SHA-256 of the secret.
    pub hash: [u8; 32],
    /// The answer must know of what the event log says up to this position.
    #[serde(default)]
    pub at_least: i64,
}

/// An API key that is good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifiedMachine {
    /// Its id.
    pub id: MachineId,
    /// The tenant that it acts in.
    pub org: OrgId,
    /// The person who answers for it.
    pub maker: UserId,
    /// What it may do: its scopes, as far as that person still has them.
    pub permissions: Permissions,
    /// What is said of single things, as far as it holds for that person.
    #[serde(default, skip_serializing_if = "ResourceRights::is_none")]
    pub rights: ResourceRights,
    /// Until when it may that, when a part of it ends by itself.
    pub rights_until: Option<DateTime<Utc>>,
    /// The operations that it is for; any, when there are none.
    pub operations: Vec<String>,
    /// The client application whose published operations it is for, and no others; any, when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The networks that it may be used from, as CIDR; any, when there are none.
    pub networks: Vec<String>,
    /// How many requests it may send a minute.
    pub requests_per_minute: Option<u32>,
    /// What its operations may cost a minute.
    pub cost_per_minute: Option<u32>,
    /// When it ends, or this secret of it does.
    pub expires_at: Option<DateTime<Utc>>,
    /// Counts the changes of what it may do.
    pub terms: i64,
}

/// Why a secret is no good. The texts are for whoever sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MachineRefusal {
    /// Nobody has it, or nobody any more.
    #[error("this API key is not known, or was revoked or rotated")]
    Unknown,
    /// It was switched off.
    #[error("this API key is switched off")]
    Disabled,
    /// Its time is over.
    #[error("this API key has expired")]
    Expired,
    /// The person who answered for it is gone.
    #[error("the person who answers for this API key is no member of the organization any more")]
    Orphaned,
    /// It is something else.
    #[error("this is a service account's secret: exchange it for an access token at /oauth/token")]
    ServiceAccount,
}

/// Nobody could say. The text is for the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MachinesUnavailable(pub String);

/// Verifies secrets against the database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Machines {
    store: Store,
    uses: Uses,
    access: Access,
}

impl Machines {
    /// Over the database that accounts keeps its data in.
    pub fn new(store: Store) -> Self {
        Self { access: Access::new(store.clone()), store, uses: Uses::default() }
    }

    /// What each of these may in a tenant.
    pub async fn access(&self, org: OrgId, subjects: &[AccessSubject]) -> Result<Vec<Held>, StoreError> {
        self.access.held(org, subjects).await
    }

    /// The API key whose secret has this hash, if it is good now; that it was used is written down.
    pub async fn verify(
        &self,
        hash: [u8; 32],
    ) -> Result<Result<VerifiedMachine, MachineRefusal>, StoreError> {
        let verified = self.of_kind(Kind::ApiKey, hash).await?;
        if let Ok(verified) = &verified {
            self.uses.note(&self.store, verified.id);
        }
        Ok(verified)
    }

    pub(super) const fn store(&self) -> &Store {
        &self.store
    }

    pub(super) fn note_use(&self, id: MachineId) {
        self.uses.note(&self.store, id);
    }

    pub(super) async fn of_kind(
        &self,
        kind: Kind,
        hash: [u8; 32],
    ) -> Result<Result<VerifiedMachine, MachineRefusal>, StoreError> {
        let now = self.store.clock().now();
        let nobody = self.store.session(Caller::anonymous(RequestId::new(now)).into());
        let found = repo::by_secret(&nobody, hash).await?;
        match found.ok_or(MachineRefusal::Unknown).and_then(|found| judge(found, kind, now)) {
            Ok(found) => self.with_access(found).await,
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    /// What is left of its scopes to it: what the person who answers for it may, and is not withheld from it.
    async fn with_access(
        &self,
        found: FoundRow,
    ) -> Result<Result<VerifiedMachine, MachineRefusal>, StoreError> {
        let scopes: Permissions = found.scopes.into_iter().map(Permission::from).collect();
        let subject = AccessSubject { user: found.maker, machine: Some((found.id, scopes)) };
        let held = self.access.held(found.org_id, &[subject]).await?.pop().unwrap_or_default();
        if !held.is_member {
            return Ok(Err(MachineRefusal::Orphaned));
        }
        let limit = |limit: Option<i32>| limit.and_then(|limit| u32::try_from(limit).ok());
        Ok(Ok(VerifiedMachine {
            id: found.id,
            org: found.org_id,
            maker: found.maker,
            permissions: held.scopes,
            rights: held.rights,
            rights_until: held.until,
            operations: found.operations,
            client: found.client,
            networks: found.networks,
            requests_per_minute: limit(found.requests_per_minute),
            cost_per_minute: limit(found.cost_per_minute),
            expires_at: found.expires_at.into_iter().chain(found.good_until).min(),
            terms: found.terms,
        }))
    }
}

fn judge(found: FoundRow, kind: Kind, now: DateTime<Utc>) -> Result<FoundRow, MachineRefusal> {
    let is_over = |end: Option<DateTime<Utc>>| end.is_some_and(|end| end <= now);
    if found.kind != kind {
        let is_account = found.kind == Kind::ServiceAccount;
        return Err(if is_account { MachineRefusal::ServiceAccount } else { MachineRefusal::Unknown });
    }
    if is_over(found.good_until) {
        return Err(MachineRefusal::Unknown);
    }
    if is_over(found.expires_at) {
        return Err(MachineRefusal::Expired);
    }
    if !found.enabled {
        return Err(MachineRefusal::Disabled);
    }
    // Of somebody who is about to be erased it is none either, whatever the membership still says.
    if found.role.is_none() { Err(MachineRefusal::Orphaned) } else { Ok(found) }
}

/// The route for gateways in other processes, below `/internal`.
pub(crate) fn internal_routes(machines: Machines, tail: Tail) -> Router {
    Router::new().route("/machines", post(verify)).with_state((machines, tail))
}

async fn verify(
    State((machines, tail)): State<(Machines, Tail)>,
    Json(question): Json<MachineQuestion>,
) -> Result<Json<Result<VerifiedMachine, MachineRefusal>>, StatusCode> {
    // Whoever asks has heard more of the log than this process, for a moment.
    tail.reaches(question.at_least).await;
    machines.verify(question.hash).await.map(Json).map_err(|error| {
        tracing::warn!(%error, "an API key cannot be looked up");
        StatusCode::SERVICE_UNAVAILABLE
    })
}
