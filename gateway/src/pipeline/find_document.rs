//! Step 3: the document, as text or by its id.

use http::StatusCode;
use pulse_types::Caller;

use super::read_request::GraphqlRequest;
use super::refusal::Refusal;
use crate::engine::{ErrorCode, RequestError};
use crate::ports::OperationStore;
use crate::value::Text;

pub(super) async fn find_document(
    operations: Option<&dyn OperationStore>,
    request: &GraphqlRequest,
    caller: &Caller,
) -> Result<Text, Refusal> {
    let missing = |message: &str| Refusal::malformed(StatusCode::BAD_REQUEST, "BAD_REQUEST", message);
    match (&request.query, &request.document_id, operations) {
        (Some(query), None, _) => Ok(query.clone()),
        (Some(_), Some(_), _) => Err(missing("send either `query` or `documentId`, not both")),
        (None, Some(id), Some(operations)) => match operations.find(id, caller).await {
            Some(document) => match std::str::from_utf8(&document) {
                Ok(text) => Ok(text.into()),
                Err(_) => Err(Refusal::error(ErrorCode::Internal, "internal server error")),
            },
            None => {
                let message = format!("there is no operation with the id {:?} that you may use", id.as_str());
                Err(Refusal::errors(vec![
                    RequestError::new(ErrorCode::NotFound, message).because("PERSISTED_DOCUMENT_NOT_FOUND"),
                ]))
            }
        },
        (None, Some(_), None) => {
            Err(missing("operations are not known by id here; send the text as `query`"))
        }
        (None, None, _) => Err(missing("the request has no `query`")),
    }
}
