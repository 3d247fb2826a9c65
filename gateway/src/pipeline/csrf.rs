//! Requests that a foreign web page could make a browser send without asking first (CORS preflight).

use http::{HeaderMap, StatusCode};

use super::refusal::Refusal;
use crate::engine::{ErrorCode, RequestError};

/// A form of any page can send multipart/form-data, but no header of its own: one of these must be there. None is needed
/// where none is named.
pub(super) fn check_form(headers: &HeaderMap, required: &[String]) -> Result<(), Refusal> {
    let has = |name: &String| headers.get(name).is_some_and(|value| !value.is_empty());
    if required.is_empty() || required.iter().any(has) {
        return Ok(());
    }
    let message = format!(
        "a request with files needs one of the headers `{}`, with any value, as a proof that no foreign web page sends it",
        required.join("`, `")
    );
    let error = RequestError::new(ErrorCode::Forbidden, message).because("CSRF_PREVENTION");
    Err(Refusal { status: StatusCode::FORBIDDEN, well_formed: false, ..Refusal::errors(vec![error]) })
}
