//! Headers that no rule may move.

use http::header::{
    ACCEPT, ACCEPT_ENCODING, AGE, AUTHORIZATION, CACHE_CONTROL, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH,
    CONTENT_TYPE, COOKIE, DATE, EXPECT, HOST, HeaderMap, HeaderName, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION,
    SET_COOKIE, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, VARY, WWW_AUTHENTICATE,
};

use super::InvalidHeaderRule;
use crate::http::request_id::REQUEST_ID;
use crate::remote::CALLER_HEADER;

/// Belong to one connection (RFC 9110 §7.6.1).
const HOP_BY_HOP: [HeaderName; 11] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("http2-settings"),
    HeaderName::from_static("trailers"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Are the gateway's own in a request to a subgraph.
const OWN_IN_REQUESTS: [HeaderName; 9] = [
    HOST,
    CONTENT_LENGTH,
    CONTENT_TYPE,
    CONTENT_ENCODING,
    ACCEPT,
    ACCEPT_ENCODING,
    EXPECT,
    REQUEST_ID,
    CALLER_HEADER,
];

/// Are the gateway's own in a response to a client.
const OWN_IN_RESPONSES: [HeaderName; 9] = [
    CONTENT_LENGTH,
    CONTENT_TYPE,
    CONTENT_ENCODING,
    CACHE_CONTROL,
    VARY,
    AGE,
    DATE,
    REQUEST_ID,
    HeaderName::from_static("x-content-type-options"),
];

/// Says who somebody is, so that only its very name lets it through.
pub(super) fn is_credential(name: &HeaderName) -> bool {
    [AUTHORIZATION, COOKIE, HeaderName::from_static("x-api-key")].contains(name)
}

/// Whether a request's header may go to a subgraph, by whatever rule.
pub(super) fn may_be_sent(name: &HeaderName) -> bool {
    !HOP_BY_HOP.contains(name) && !OWN_IN_REQUESTS.contains(name)
}

/// Whether a response's header may come back, by whatever rule.
pub(super) fn may_come_back(name: &HeaderName) -> bool {
    !HOP_BY_HOP.contains(name) && !OWN_IN_RESPONSES.contains(name)
}

/// Whether a header of a response is for one client alone, so that only its very name lets it through.
pub(super) fn is_personal(name: &HeaderName) -> bool {
    [SET_COOKIE, WWW_AUTHENTICATE].contains(name)
}

/// Whether a message's `Connection` header says that this header is for one connection alone.
pub(super) fn is_of_connection(name: &HeaderName, headers: &HeaderMap) -> bool {
    let listed = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    listed.flat_map(|value| value.split(',')).any(|listed| listed.trim().eq_ignore_ascii_case(name.as_str()))
}

pub(super) fn check(
    name: HeaderName,
    may: impl Fn(&HeaderName) -> bool,
) -> Result<HeaderName, InvalidHeaderRule> {
    if may(&name) {
        Ok(name)
    } else {
        Err(InvalidHeaderRule(format!(
            "the header `{name}` is set by the gateway or belongs to one connection alone"
        )))
    }
}
