//! The query page: an editor for browsers that asks the API beside it. It carries all that it needs and loads nothing
//! from elsewhere, so it works without a network.

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::{Method, header};

use super::negotiate::prefers_html;

/// The page may run its own script and call its own origin, and nothing else.
const POLICY: &str = "default-src 'none'; connect-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const PAGE: &[&str] = &[
    include_str!("head.html"),
    "<style>\n",
    include_str!("page.css"),
    "</style>\n",
    include_str!("body.html"),
    "<script>\n",
    include_str!("page.js"),
    "</script>\n</body>\n</html>\n",
];

/// Whether a browser navigates to the API's address.
pub(super) fn is_wanted(request: &Request) -> bool {
    request.method() == Method::GET && prefers_html(request.headers())
}

pub(super) fn page() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (headers, PAGE.concat()).into_response()
}
