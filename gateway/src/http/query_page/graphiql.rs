//! GraphiQL, as the build fetched it.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, IF_NONE_MATCH};
use http::{StatusCode, Uri};

use crate::http::nothing_here;

/// A file that the page loads.
struct Asset {
    name: &'static str,
    /// Changes when the file does.
    version: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
}

// `ASSETS`: the files, or why they are not there.
include!(concat!(env!("OUT_DIR"), "/graphiql.rs"));

/// The page's own script.
const START: Asset = Asset {
    name: "start.js",
    version: env!("CARGO_PKG_VERSION"),
    content_type: "text/javascript; charset=utf-8",
    bytes: include_bytes!("graphiql.js"),
};

/// The page, or why this program does not have it.
pub(super) fn page() -> Result<&'static str, &'static str> {
    ASSETS.map(|_| include_str!("graphiql.html"))
}

/// A file that the page loads. Browsers ask each time whether theirs is still the one.
pub(in crate::http) async fn asset(Path(name): Path<String>, uri: Uri, headers: HeaderMap) -> Response {
    let mut assets = ASSETS.unwrap_or_default().iter().chain([&START]);
    let Some(asset) = assets.find(|asset| asset.name == name) else {
        return nothing_here(uri).await;
    };
    let tag = format!("\"{}\"", asset.version);
    if headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return StatusCode::NOT_MODIFIED.into_response();
    }
    let headers = [(CONTENT_TYPE, asset.content_type), (CACHE_CONTROL, "no-cache"), (ETAG, &tag)];
    (headers, asset.bytes).into_response()
}
