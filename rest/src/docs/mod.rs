//! The page that shows the API: Swagger UI, out of this program, so that it needs no network.

use std::io::{Cursor, Read};
use std::sync::OnceLock;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, REFERRER_POLICY,
};
use http::request::Parts;
use http::{Method, StatusCode};
use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;
use zip::ZipArchive;

use crate::conditions;
use crate::problem::Problem;

/// Where it is.
const PLACE: &str = "/docs";

/// Its scripts and styles are from here alone, and it calls its own origin alone. Styles in elements, and pictures within the
/// style sheet, are Swagger UI's.
const POLICY: &str = "default-src 'none'; connect-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                      img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// What the page loads of Swagger UI, and of what type it is.
const ASSETS: [(&str, &str); 2] =
    [("swagger-ui.css", "text/css; charset=utf-8"), ("swagger-ui-bundle.js", SCRIPT)];

/// The files of Swagger UI, in the order of [`ASSETS`]; each unpacked when it is first asked for.
static UNPACKED: [OnceLock<Option<Bytes>>; ASSETS.len()] = [const { OnceLock::new() }; ASSETS.len()];

/// Whether a path is the page's, or of what it loads.
pub(crate) fn serves(path: &str) -> bool {
    path.strip_prefix(PLACE).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Answers a request for the page, or for what it loads.
pub(crate) fn serve(parts: &Parts) -> Result<Response, Problem> {
    if !matches!(parts.method, Method::GET | Method::HEAD) {
        return Err(Problem::method(&parts.method, &["GET", "HEAD"]));
    }
    let name = parts.uri.path().strip_prefix(PLACE).unwrap_or_default().trim_start_matches('/');
    let (content_type, bytes) = match name {
        "" => ("text/html; charset=utf-8", Some(Bytes::from_static(include_bytes!("page.html")))),
        "start.js" => (SCRIPT, Some(Bytes::from_static(include_bytes!("start.js")))),
        _ => {
            let at = ASSETS.iter().position(|(known, _)| *known == name);
            at.map_or(("", None), |at| (ASSETS[at].1, UNPACKED[at].get_or_init(|| unpacked(name)).clone()))
        }
    };
    let missing =
        || Problem::not_found(format!("there is nothing at {}; the page is at {PLACE}", parts.uri.path()));
    let bytes = bytes.ok_or_else(missing)?;
    let etag = conditions::etag(None, &bytes);
    let is_known = conditions::is_known(&parts.headers, &etag);
    let mut response =
        if is_known { StatusCode::NOT_MODIFIED.into_response() } else { Body::from(bytes).into_response() };
    let etag = HeaderValue::try_from(etag).expect("digits in quotes are a header's value");
    let head: [(HeaderName, HeaderValue); 5] = [
        (CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (ETAG, etag),
    ];
    response.headers_mut().extend(head);
    Ok(response)
}

/// A file of Swagger UI's distribution.
fn unpacked(name: &str) -> Option<Bytes> {
    let mut archive = ZipArchive::new(Cursor::new(SWAGGER_UI_VENDORED)).ok()?;
    let end = format!("/dist/{name}");
    let is_it = |path: &String| path.ends_with(&end) && path.matches('/').count() == 2;
    let path = archive.file_names().filter_map(|path| Some(path.ok()?.into_owned())).find(is_it)?;
    let mut bytes = Vec::new();
    archive.by_name(&path).ok()?.read_to_end(&mut bytes).ok()?;
    Some(bytes.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_loads_what_is_here_and_nothing_else() {
        let page = include_str!("page.html");
        for outside in ["http://", "https://", "@import", "url("] {
            assert!(!page.contains(outside), "the page has {outside}");
        }
        for (name, _) in ASSETS {
            assert!(page.contains(&format!("\"{PLACE}/{name}\"")), "the page does not load {name}");
            assert!(unpacked(name).is_some_and(|bytes| bytes.len() > 100_000), "{name} is not there");
        }
        assert_eq!(unpacked("index.js"), None);
    }

    #[test]
    fn other_paths_are_not_the_pages() {
        assert!(serves("/docs") && serves("/docs/") && serves("/docs/start.js"));
        assert!(!serves("/docsy") && !serves("/api/v1/docs"));
    }
}
