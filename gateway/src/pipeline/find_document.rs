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
        (None, Some(id), Some(operations)) => known(operations, id, caller).await,
        (None, Some(_), None) => {
            Err(missing("operations are not known by id here; send the text as `query`"))
        }
        (None, None, _) => Err(missing("the request has no `query`")),
    }
}

async fn known(operations: &dyn OperationStore, id: &str, caller: &Caller) -> Result<Text, Refusal> {
    let Some(document) = operations.find(id, caller).await else {
        let message = format!("there is no operation with the id {id:?} that you may use");
        let error = RequestError::new(ErrorCode::NotFound, message).because("PERSISTED_DOCUMENT_NOT_FOUND");
        return Err(Refusal::errors(vec![error]));
    };
    let internal = |_| {
        tracing::error!(id, "the stored operation is not UTF-8");
        Refusal::error(ErrorCode::Internal, "internal server error")
    };
    std::str::from_utf8(&document).map(Text::from).map_err(internal)
}
