//! Between preparing and running: an operation is left with what its caller may have, or refused.

use std::sync::Arc;

use http::header::{HeaderValue, WWW_AUTHENTICATE};

use super::operate::Client;
use super::prepare;
use super::read_request::GraphqlRequest;
use super::refusal::Refusal;
use crate::config::{AuthorizationMode, IntrospectionConfig, IntrospectionFor};
use crate::engine::{DeniedField, Engine, ErrorCode, Operation, OperationKind, PlanVariant, RequestError};
use crate::gateway::State;

/// What an operation was prepared from.
pub(super) struct Asked<'a> {
    pub(super) request: &'a GraphqlRequest,
    pub(super) document: &'a str,
    pub(super) variant: PlanVariant,
}

/// The operation itself for a caller who may have all of it; otherwise the same without the rest, or a refusal.
pub(super) async fn authorize(
    state: &State,
    engine: &Engine,
    operation: Arc<Operation>,
    asked: Asked<'_>,
    client: &Client,
) -> Result<Arc<Operation>, Refusal> {
    let config = &state.config.authorization;
    if !config.enabled {
        return Ok(operation);
    }
    let Some(denied) = engine.denied(&operation, &client.caller, &config.policies) else {
        return Ok(operation);
    };
    let variant = PlanVariant { denied, ..asked.variant };
    let preparing = prepare::prepare(engine, asked.request, (asked.document, &variant), client);
    let (without, _) = Box::pin(preparing).await?;
    // A stream of which nothing is left has no source.
    let is_empty = without.kind() == OperationKind::Subscription && !without.is_planned();
    if config.mode == AuthorizationMode::Reject || is_empty {
        let fields = engine.denied_fields(&without, asked.request.variables.as_ref());
        if !fields.is_empty() {
            return Err(forbidden(&fields));
        }
    }
    Ok(without)
}

/// Refuses an operation that asks for the schema where its caller may not.
pub(super) fn check_introspection(
    config: &IntrospectionConfig,
    operation: &Operation,
    client: &Client,
) -> Result<(), Refusal> {
    if config.allow == IntrospectionFor::Everybody
        || !operation.is_introspection()
        || config.allows(&client.caller)
    {
        return Ok(());
    }
    let message = "the schema is not shown here: ask for neither `__schema` nor `__type`";
    let error = RequestError::new(ErrorCode::Forbidden, message).because("INTROSPECTION_DISABLED");
    Err(Refusal::errors(vec![error]))
}

fn forbidden(fields: &[DeniedField]) -> Refusal {
    let errors = fields.iter().map(|field| {
        let error = RequestError::new(field.code, field.message.clone()).because(DeniedField::REASON);
        RequestError { extensions: vec![("path", field.path.clone().into())], ..error }
    });
    let refusal = Refusal::errors(errors.collect());
    let is_anonymous = fields.iter().any(|field| field.code == ErrorCode::Unauthenticated);
    let challenge = is_anonymous.then(|| (WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
    Refusal { header: challenge, ..refusal }
}
