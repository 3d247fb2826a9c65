//! Step 6: the answer, in the media type that was negotiated.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use pulse_types::RequestId;

use super::refusal::Refusal;
use crate::engine::ExecutionResult;
use crate::http::errors_body;
use crate::http::negotiate::MediaType;

pub(super) fn answer(media_type: MediaType, result: ExecutionResult) -> Response {
    let status = match media_type {
        MediaType::GraphqlResponse if result.request_error => StatusCode::BAD_REQUEST,
        MediaType::GraphqlResponse | MediaType::Json => StatusCode::OK,
    };
    let mut response = respond(status, media_type, Body::from(result.body));
    response.headers_mut().extend(result.headers);
    response
}

pub(crate) fn refuse(media_type: MediaType, mut refusal: Refusal, request: RequestId) -> Response {
    refusal.name_request(request);
    let Refusal { status, well_formed, errors, header } = refusal;
    let status = if well_formed && media_type == MediaType::Json { StatusCode::OK } else { status };
    let mut response = respond(status, media_type, Body::from(errors_body(&errors)));
    response.headers_mut().extend(header);
    response
}

/// Answers depend on who asks, so that nobody in between may keep them.
fn respond(status: StatusCode, media_type: MediaType, body: Body) -> Response {
    let headers = [
        (CONTENT_TYPE, media_type.content_type()),
        (CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
    ];
    (status, headers, body).into_response()
}
