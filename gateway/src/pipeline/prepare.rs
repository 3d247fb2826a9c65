//! Step 4: the document becomes a plan. Parsing, validation and planning are the engine's; what transports forbid is here.

use std::sync::Arc;

use super::operate::Client;
use super::read_request::GraphqlRequest;
use super::refusal::Refusal;
use crate::engine::{Engine, Operation, OperationKind, PlanVariant};

/// The operation, and whether it was planned already.
pub(super) async fn prepare(
    engine: &Engine,
    request: &GraphqlRequest,
    (document, variant): (&str, &PlanVariant),
    client: &Client,
) -> Result<(Arc<Operation>, bool), Refusal> {
    let prepared = engine.find_or_prepare(document, request.operation_name.as_deref(), variant).await;
    let (operation, was_planned) = prepared.map_err(Refusal::errors)?;
    match operation.kind() {
        OperationKind::Mutation if request.is_safe => Err(Refusal::mutation_by_get()),
        OperationKind::Subscription if !client.transport.streams() => Err(Refusal::needs_stream()),
        OperationKind::Query if operation.is_live() && !client.transport.streams() => {
            Err(Refusal::live_needs_stream())
        }
        OperationKind::Query | OperationKind::Mutation | OperationKind::Subscription => {
            Ok((operation, was_planned))
        }
    }
}
