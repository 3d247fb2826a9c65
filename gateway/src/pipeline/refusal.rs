//! A request that is answered without being executed.

use http::header::{ALLOW, HeaderName, HeaderValue, WWW_AUTHENTICATE};
use http::{Method, StatusCode};
use pulse_types::RequestId;

use crate::engine::{ErrorCode, RequestError};
use crate::uploads::UploadError;

/// The methods by which the API is called.
pub(crate) const METHODS: &str = "GET, HEAD, OPTIONS, POST";

/// Why, and how HTTP says it.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    /// Whether the request was a GraphQL request at all: `application/json` answers those with 200.
    pub(crate) well_formed: bool,
    pub(crate) errors: Vec<RequestError>,
    pub(crate) header: Option<(HeaderName, HeaderValue)>,
}

impl Refusal {
    /// Something that is no GraphQL request.
    pub(crate) fn malformed(status: StatusCode, reason: &'static str, message: impl Into<String>) -> Self {
        let error = RequestError::new(ErrorCode::BadUserInput, message).because(reason);
        Self { status, well_formed: false, errors: vec![error], header: None }
    }

    /// A GraphQL request that cannot be executed.
    pub(crate) fn errors(errors: Vec<RequestError>) -> Self {
        let status = errors.first().map_or(StatusCode::BAD_REQUEST, |error| status_of(error.code));
        Self { status, well_formed: true, errors, header: None }
    }

    pub(crate) fn error(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::errors(vec![RequestError::new(code, message)])
    }

    pub(crate) fn not_acceptable() -> Self {
        let message = "the API answers with application/graphql-response+json or application/json; name one of them in \
                       `Accept`";
        Self::malformed(StatusCode::NOT_ACCEPTABLE, "NOT_ACCEPTABLE", message)
    }

    pub(crate) fn method(method: &Method) -> Self {
        let message = format!("the API is called by GET or POST, not by {method}");
        let refusal = Self::malformed(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", message);
        Self { header: Some((ALLOW, HeaderValue::from_static(METHODS))), ..refusal }
    }

    /// A GET may be sent by a link or an image of any page, so it must change nothing.
    pub(crate) fn mutation_by_get() -> Self {
        let message = "a mutation must be sent by POST";
        let refusal = Self::malformed(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", message);
        Self { header: Some((ALLOW, HeaderValue::from_static("POST"))), ..refusal }
    }

    /// A subscription over a transport that carries one answer.
    pub(crate) fn needs_stream() -> Self {
        let message = "a subscription has no single answer: send it over WebSocket (graphql-transport-ws), or with `Accept: \
                       text/event-stream` or `Accept: multipart/mixed;subscriptionSpec=1.0`";
        Self::errors(vec![
            RequestError::new(ErrorCode::BadUserInput, message).because("SUBSCRIPTION_TRANSPORT"),
        ])
    }

    /// A live query over a transport that carries one answer.
    pub(crate) fn live_needs_stream() -> Self {
        let message = "a live query has more than one answer: send it over WebSocket (graphql-transport-ws), or with `Accept: \
                       text/event-stream` or `Accept: multipart/mixed;subscriptionSpec=1.0`; or leave out `@live` for one \
                       answer";
        Self::errors(vec![
            RequestError::new(ErrorCode::BadUserInput, message).because("LIVE_QUERY_TRANSPORT"),
        ])
    }

    /// A file that cannot be taken, in a request that did nothing else.
    pub(crate) fn upload(error: &UploadError) -> Self {
        let refusal =
            Self::errors(vec![RequestError::new(error.code(), error.to_string()).because(error.reason())]);
        let status = if error.is_size() { StatusCode::PAYLOAD_TOO_LARGE } else { refusal.status };
        Self { status, well_formed: false, ..refusal }
    }

    /// Says in internal errors by which id their cause is found in the log.
    pub(crate) fn name_request(&mut self, request: RequestId) {
        for error in self.errors.iter_mut().filter(|error| error.code == ErrorCode::Internal) {
            error.extensions.extend([("requestId", request.to_string().into())]);
        }
    }

    /// No credential where one is needed.
    pub(crate) fn without_credential(message: String) -> Self {
        let refusal = Self::unauthenticated(message);
        Self { header: Some((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))), ..refusal }
    }

    /// A credential that is no good (RFC 6750 §3).
    pub(crate) fn unauthenticated(message: String) -> Self {
        let description: String =
            message.chars().filter(|c| matches!(c, ' '..='~') && !matches!(c, '"' | '\\')).collect();
        let challenge = format!("Bearer error=\"invalid_token\", error_description=\"{description}\"");
        let challenge = HeaderValue::try_from(challenge).expect("only printable ASCII is left");
        Self {
            status: StatusCode::UNAUTHORIZED,
            well_formed: false,
            errors: vec![RequestError::new(ErrorCode::Unauthenticated, message)],
            header: Some((WWW_AUTHENTICATE, challenge)),
        }
    }
}

/// The status that says the same as an error code.
const fn status_of(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::Unauthenticated => StatusCode::UNAUTHORIZED,
        ErrorCode::Forbidden => StatusCode::FORBIDDEN,
        ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::BadUserInput | ErrorCode::CostExceeded => StatusCode::BAD_REQUEST,
        ErrorCode::Conflict => StatusCode::CONFLICT,
        ErrorCode::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::Timeout => StatusCode::GATEWAY_TIMEOUT,
        ErrorCode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
