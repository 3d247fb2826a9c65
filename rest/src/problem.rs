//! What went wrong, as `application/problem+json` (RFC 9457).

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use pulse_gateway::Refused;
use pulse_types::RequestId;
use serde_json::{Value, json};

/// The media type.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// A problem, before it is written.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    code: String,
    detail: String,
    /// The parameter or field that it concerns.
    field: Option<String>,
    /// The errors behind it, where there are several.
    errors: Vec<Value>,
    /// Apart, so that what fails seldom costs little where nothing does.
    headers: Box<HeaderMap>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code: code.to_owned(),
            detail: detail.into(),
            field: None,
            errors: Vec::new(),
            headers: Box::default(),
        }
    }

    /// A request that is wrong.
    pub(crate) fn bad(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BAD_USER_INPUT", detail)
    }

    /// There is nothing, or nothing that the caller may see.
    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", detail)
    }

    /// A method that a resource does not have.
    pub(crate) fn method(method: &http::Method, allowed: &[&str]) -> Self {
        let allowed = allowed.join(", ");
        let detail = format!("this resource takes {allowed}, not {method}");
        let problem = Self::new(StatusCode::METHOD_NOT_ALLOWED, "BAD_USER_INPUT", detail);
        let value = HeaderValue::try_from(allowed).expect("names of methods are a header's value");
        problem.with_header(ALLOW, value)
    }

    /// The same about a parameter or a field.
    pub(crate) fn at(mut self, field: &str) -> Self {
        self.field = Some(field.to_owned());
        self
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// What an operation that failed says; the first error decides.
    pub(crate) fn of_errors(errors: &[Value], request_error: bool) -> Self {
        let first = errors.first().cloned().unwrap_or_default();
        let extensions = &first["extensions"];
        let code = extensions["code"].as_str().unwrap_or("INTERNAL").to_owned();
        let status = if request_error { StatusCode::BAD_REQUEST } else { status_of(&code) };
        let detail = first["message"].as_str().unwrap_or("internal server error").to_owned();
        let field = extensions["field"].as_str().map(own_name);
        let errors = errors.iter().map(entry).collect();
        Self { status, code, detail, field, errors, headers: Box::default() }.challenged()
    }

    /// Whether what is stored contradicts it.
    pub(crate) fn is_conflict(&self) -> bool {
        self.code == "CONFLICT"
    }

    /// The same as a condition of the request that does not hold.
    pub(crate) fn into_failed_precondition(mut self) -> Self {
        self.status = StatusCode::PRECONDITION_FAILED;
        self
    }

    /// Who has not signed in is told how to.
    fn challenged(self) -> Self {
        if self.status == StatusCode::UNAUTHORIZED && !self.headers.contains_key(WWW_AUTHENTICATE) {
            return self.with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        self
    }

    /// The body, with the request's id.
    fn json(&self, request: RequestId) -> Value {
        let mut body = self.body();
        body["requestId"] = request.to_string().into();
        body
    }

    /// The body.
    pub(crate) fn body(&self) -> Value {
        let Self { status, code, detail, field, errors, headers: _ } = self;
        let mut body = json!({
            "type": "about:blank",
            "title": status.canonical_reason().unwrap_or("Error"),
            "status": status.as_u16(),
            "detail": detail,
            "code": code,
        });
        if let Some(field) = field {
            body["field"] = field.as_str().into();
        }
        if !errors.is_empty() {
            body["errors"] = errors.clone().into();
        }
        body
    }

    /// The response.
    pub(crate) fn respond(self, request: RequestId) -> Response {
        let body = self.json(request).to_string();
        let head = [
            (CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE)),
            (CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
        ];
        let mut response = (self.status, head, Body::from(body)).into_response();
        response.headers_mut().extend(*self.headers);
        response
    }
}

impl From<Refused> for Problem {
    fn from(Refused { status, errors, header }: Refused) -> Self {
        let errors: Vec<Value> =
            errors.iter().map(|error| serde_json::to_value(error).unwrap_or_default()).collect();
        let mut problem = Self { status, ..Self::of_errors(&errors, false) };
        problem.headers.extend(header);
        problem.challenged()
    }
}

/// An error of GraphQL as an entry of a problem: what it says, and what `extensions` say beside.
fn entry(error: &Value) -> Value {
    let mut entry = json!({ "detail": error["message"] });
    for (name, value) in error["extensions"].as_object().into_iter().flatten() {
        entry[name] = match (name.as_str(), value) {
            ("field", Value::String(field)) => own_name(field).into(),
            _ => value.clone(),
        };
    }
    entry
}

/// The name of an input's field as the body of the request has it.
fn own_name(field: &str) -> String {
    field.strip_prefix("input.").unwrap_or(field).to_owned()
}

/// The status of an error's code.
fn status_of(code: &str) -> StatusCode {
    match code {
        "UNAUTHENTICATED" => StatusCode::UNAUTHORIZED,
        "FORBIDDEN" => StatusCode::FORBIDDEN,
        "NOT_FOUND" => StatusCode::NOT_FOUND,
        "BAD_USER_INPUT" | "COST_EXCEEDED" => StatusCode::BAD_REQUEST,
        "CONFLICT" => StatusCode::CONFLICT,
        "CURSOR_EXPIRED" => StatusCode::GONE,
        "RATE_LIMITED" => StatusCode::TOO_MANY_REQUESTS,
        "TIMEOUT" => StatusCode::GATEWAY_TIMEOUT,
        "UNAVAILABLE" => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
