//! The page for browsers that come to the API: GraphiQL, or, in a program that was built without it, a plain editor. All
//! that they need comes from this program, so they work without a network.

mod graphiql;

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::{Method, header};

use super::negotiate::prefers_html;

pub(super) use graphiql::asset;

/// The plain page may run its own script and call its own origin, and nothing else.
const PLAIN_POLICY: &str = "default-src 'none'; connect-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; \
                            base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// GraphiQL runs scripts from here alone. Its editors set styles of their own, and its style sheet has fonts and pictures
/// within.
const GRAPHIQL_POLICY: &str = "default-src 'none'; connect-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                               font-src 'self' data:; img-src 'self' data:; base-uri 'none'; form-action 'none'; \
                               frame-ancestors 'none'";

/// Whether a browser navigates to the API's address.
pub(super) fn is_wanted(request: &Request) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD) && prefers_html(request.headers())
}

pub(super) fn page() -> Response {
    match graphiql::page() {
        Ok(page) => html(GRAPHIQL_POLICY, page.to_owned()),
        Err(why) => html(PLAIN_POLICY, plain(why)),
    }
}

fn html(policy: &'static str, page: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::VARY, "accept"),
    ];
    (headers, page).into_response()
}

/// The plain page, which says why it is not GraphiQL.
fn plain(why: &str) -> String {
    let why = why.replace('&', "&amp;").replace('<', "&lt;");
    let notice = format!(
        "<p class=\"notice\">This program was built without GraphiQL: {why}. To have it here, build again with \
         <code>PULSE_GRAPHIQL=require</code> in the environment, where npm and its registry can be reached.</p>\n"
    );
    [
        include_str!("head.html"),
        "<style>\n",
        include_str!("page.css"),
        "</style>\n",
        include_str!("body.html"),
        &notice,
        "<script>\n",
        include_str!("page.js"),
        "</script>\n</body>\n</html>\n",
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_plain_page_says_why_it_is_not_graphiql_and_loads_nothing_from_elsewhere() {
        let page = super::plain("npm cannot be started: <no such file>");
        assert!(
            page.contains(
                "This program was built without GraphiQL: npm cannot be started: &lt;no such file>."
            )
        );
        assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
        for outside in ["src=", "href=", "http://", "https://", "@import", "url("] {
            assert!(!page.contains(outside), "the page has {outside}");
        }
    }
}
