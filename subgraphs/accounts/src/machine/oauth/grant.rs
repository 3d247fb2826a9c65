//! The side that makes tokens.

use std::sync::Arc;

use async_trait::async_trait;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use pulse_sealing::Sealer;
use pulse_store::{AuditFact, StoreError};
use pulse_tokens::{AccessClaims, AccessTokens};
use pulse_types::{Caller, Permissions, RequestId, Secret, Subject};

use super::{TokenGrant, TokenGrants, TokenRefusal, TokenRequest};
use crate::machine::verify::{Machines, MachinesUnavailable, VerifiedMachine};
use crate::machine::{Kind, SUBJECT};
use crate::throttle::{Attempt, TooOften};

/// Makes tokens in this process, which has the key that signs them.
#[derive(Clone)]
pub(crate) struct LocalGrants {
    machines: Machines,
    tokens: AccessTokens,
    sealer: Sealer,
}

impl LocalGrants {
    pub(crate) const fn new(machines: Machines, tokens: AccessTokens, sealer: Sealer) -> Self {
        Self { machines, tokens, sealer }
    }

    /// Counts a secret that is not the client's, by where it comes from. What to answer.
    async fn refuse(&self, request: &TokenRequest) -> Result<TokenRefusal, StoreError> {
        let store = self.machines.store();
        let nobody = Caller::anonymous(RequestId::new(store.clock().now()));
        let attempt = Attempt::to_get_token(&self.sealer, request.address, &request.client.to_string());
        let mut write = store.session(Arc::new(nobody)).write().await?;
        if let Err(TooOften { seconds }) = attempt.count_in_tx(&mut write).await? {
            return Ok(TokenRefusal::TooOften(seconds));
        }
        let (action, subject) = ("service-account:refuse", SUBJECT);
        write.commit(AuditFact { action, subject, key: None, version: None, items: 1 }).await?;
        Ok(TokenRefusal::Client)
    }

    async fn sign(
        &self,
        machine: &VerifiedMachine,
        permissions: &Permissions,
    ) -> Result<TokenGrant, MachinesUnavailable> {
        let unavailable = |problem: &dyn std::fmt::Display| MachinesUnavailable(problem.to_string());
        let VerifiedMachine { id, org, maker, terms, rights_until, .. } = *machine;
        let store = self.machines.store();
        let now = store.clock().now();
        let claims = AccessClaims::of_service_account((id, maker, terms), (org, permissions), now);
        let claims = claims.with_rights(!machine.rights.is_none()).until(rights_until);
        let expires_in = claims.exp - claims.iat;
        let token = self.tokens.sign(&claims).ok_or_else(|| unavailable(&"there is no key to sign with"))?;
        let token = token.map_err(|error| unavailable(&error))?;
        let caller = Caller {
            subject: Subject::Machine { id, maker },
            org: Some(org),
            permissions: permissions.clone(),
            ..Caller::anonymous(RequestId::new(now))
        };
        let write = store.session(Arc::new(caller)).write().await.map_err(|error| unavailable(&error))?;
        let fact = AuditFact {
            action: "service-account:sign_in",
            subject: SUBJECT,
            key: Some(id.uuid()),
            version: None,
            items: 1,
        };
        write.commit(fact).await.map_err(|error| unavailable(&error))?;
        self.machines.note_use(id);
        Ok(TokenGrant { access_token: Secret::new(token), expires_in, scope: permissions.to_scope() })
    }
}

#[async_trait]
impl TokenGrants for LocalGrants {
    async fn grant(
        &self,
        request: &TokenRequest,
    ) -> Result<Result<TokenGrant, TokenRefusal>, MachinesUnavailable> {
        let found = self.machines.of_kind(Kind::ServiceAccount, request.hash).await;
        let found = found.map_err(|error| MachinesUnavailable(error.to_string()))?;
        let Some(machine) = found.ok().filter(|machine| machine.id == request.client) else {
            let refusal = self.refuse(request).await;
            return refusal.map(Err).map_err(|error| MachinesUnavailable(error.to_string()));
        };
        let permissions = match narrowed(&machine.permissions, request.scope.as_deref()) {
            Ok(permissions) => permissions,
            Err(refused) => return Ok(Err(TokenRefusal::Scope(refused))),
        };
        self.sign(&machine, &permissions).await.map(Ok)
    }
}

/// What was asked for, if it is no more than there is; the error is what is too much.
fn narrowed(all: &Permissions, scope: Option<&str>) -> Result<Permissions, String> {
    let asked = scope.map(Permissions::from_scope).filter(|asked| asked.iter().next().is_some());
    let asked = asked.unwrap_or_else(|| all.clone());
    let too_much: Vec<_> = asked.iter().filter(|scope| !all.contains(scope)).collect();
    if let Some(first) = too_much.first() {
        return Err(first.as_str().chars().take(64).collect());
    }
    if asked.iter().next().is_none() {
        return Err("none is left to it".to_owned());
    }
    Ok(asked)
}

/// The route for gateways in other processes, below `/internal`.
pub(crate) fn internal_routes(grants: LocalGrants) -> Router {
    Router::new().route("/oauth-token", post(take)).with_state(grants)
}

async fn take(
    State(grants): State<LocalGrants>,
    Json(request): Json<TokenRequest>,
) -> Result<Json<Result<TokenGrant, TokenRefusal>>, StatusCode> {
    grants.grant(&request).await.map(Json).map_err(|error| {
        tracing::warn!(%error, "a service account gets no token");
        StatusCode::SERVICE_UNAVAILABLE
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_narrows_and_never_widens() {
        let all = Permissions::from_scope("entity:read entity:write");
        assert_eq!(narrowed(&all, None), Ok(all.clone()));
        assert_eq!(narrowed(&all, Some("")), Ok(all.clone()));
        assert_eq!(narrowed(&all, Some("entity:read")), Ok(Permissions::from_scope("entity:read")));
        assert_eq!(narrowed(&all, Some("entity:read entity:delete")), Err("entity:delete".to_owned()));
        assert!(narrowed(&Permissions::none(), None).is_err());
    }
}
