//! What `/mcp` is as a resource that is protected by OAuth (RFC 9728).

use axum::response::{IntoResponse, Response};
use http::header::{HOST, HeaderValue, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{StatusCode, Uri};
use serde_json::json;

/// Where the metadata is; a client may ask with the resource's own path behind it.
pub(crate) const METADATA: &str = "/.well-known/oauth-protected-resource";

/// The addresses under which a client knows this gateway.
pub(crate) struct Place(String);

impl Place {
    /// The one of the settings, or else the one that the request was sent to.
    pub(crate) fn of(parts: &Parts, url: Option<&str>) -> Self {
        let given = url.map(|url| url.trim_end_matches('/').to_owned());
        Self(given.unwrap_or_else(|| {
            let authority = parts.uri.authority().map(|authority| authority.as_str().to_owned());
            let host = || parts.headers.get(HOST)?.to_str().ok().map(ToOwned::to_owned);
            // A host that is none would be no part of an address.
            let host =
                authority.or_else(host).filter(|host| format!("http://{host}/").parse::<Uri>().is_ok());
            format!("http://{}", host.unwrap_or_default())
        }))
    }

    /// The metadata.
    pub(crate) fn metadata(&self) -> Response {
        let Self(place) = self;
        let metadata = json!({
            "resource": format!("{place}/mcp"),
            "authorization_servers": [place],
            "bearer_methods_supported": ["header"],
            "resource_name": "Pulse",
            "resource_documentation": format!("{place}/docs"),
        });
        axum::Json(metadata).into_response()
    }

    /// Says to who has no credential, or one that is no good, where to get one.
    pub(crate) fn challenge(&self, error: Option<&str>, description: &str) -> Response {
        let Self(place) = self;
        let description: String = description
            .chars()
            .filter(|letter| matches!(letter, ' '..='~') && !matches!(letter, '"' | '\\'))
            .collect();
        let error = error
            .map(|error| format!("error=\"{error}\", error_description=\"{description}\", "))
            .unwrap_or_default();
        let challenge = format!("Bearer {error}resource_metadata=\"{place}{METADATA}/mcp\"");
        let mut response =
            (StatusCode::UNAUTHORIZED, axum::Json(json!({ "error": description }))).into_response();
        if let Ok(challenge) = HeaderValue::try_from(challenge) {
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
