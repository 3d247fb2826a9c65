//! Step 4: the document becomes a plan. Parsing, validation and planning are the engine's; what HTTP forbids is here.

use std::sync::Arc;

use super::read_request::GraphqlRequest;
use super::refusal::Refusal;
use crate::engine::{Engine, ErrorCode, Operation, OperationKind, RequestError};

pub(super) async fn prepare(
    engine: &Engine,
    request: &GraphqlRequest,
    document: &str,
) -> Result<Arc<Operation>, Refusal> {
    let operation =
        engine.prepare(document, request.operation_name.as_deref()).await.map_err(Refusal::errors)?;
    match operation.kind() {
        OperationKind::Mutation if request.is_safe => Err(Refusal::mutation_by_get()),
        OperationKind::Query | OperationKind::Mutation => Ok(operation),
        OperationKind::Subscription => {
            let message = "a subscription has no single answer; plain HTTP serves queries and mutations";
            Err(Refusal::errors(vec![
                RequestError::new(ErrorCode::BadUserInput, message).because("SUBSCRIPTION_TRANSPORT"),
            ]))
        }
    }
}
