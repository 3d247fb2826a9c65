//! Step 2: who asks.

use std::net::IpAddr;
use std::time::Instant;

use http::HeaderMap;
use http::header::USER_AGENT;
use pulse_types::{Origin, RequestId};
use tokio::time::timeout_at;

use super::refusal::Refusal;
use super::terms::check_network;
use crate::auth::Known;
use crate::engine::ErrorCode;
use crate::gateway::State;
use crate::ports::AuthenticationError;

pub(crate) async fn authenticate(
    state: &State,
    (headers, address): (&HeaderMap, Option<IpAddr>),
    request: RequestId,
    deadline: Instant,
) -> Result<Known, Refusal> {
    match timeout_at(deadline.into(), state.callers.authenticate(headers, request)).await {
        Ok(Ok(known)) => {
            check_network(known.terms.as_deref(), address)?;
            let user_agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
            Ok(known.from(Origin::new(address, user_agent)))
        }
        Ok(Err(AuthenticationError::Invalid(message))) => Err(Refusal::unauthenticated(message)),
        Ok(Err(AuthenticationError::Missing(message))) => Err(Refusal::without_credential(message)),
        Ok(Err(AuthenticationError::Unavailable(cause))) => {
            tracing::error!(request_id = %request, %cause, "authentication is unavailable");
            Err(unavailable())
        }
        Err(_) => {
            tracing::error!(request_id = %request, "authentication took longer than a request may");
            Err(unavailable())
        }
    }
}

fn unavailable() -> Refusal {
    let refusal = Refusal::error(
        ErrorCode::Unavailable,
        "your credentials cannot be checked just now; try again in a moment",
    );
    // Nothing was said about the operation: no client may take this for its answer.
    Refusal { well_formed: false, ..refusal }
}
