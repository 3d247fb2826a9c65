//! The part of an operation's answer that a route answers, and what the head says of it.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, LINK, LOCATION, VARY,
};
use http::{StatusCode, Uri};
use serde::Deserialize;

use crate::conditions;
use crate::route::Route;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// How a list of pages begins.
const PAGE_INFO: &[u8] = b"{\"pageInfo\":";

/// How many there are on a page of which nobody says how large it is to be.
const USUAL_PAGE: &str = "20";

/// What `data` has at the end of these keys. The gateway writes exactly what was selected, so nothing has to be read. `None`
/// where it is null, or something on the way is.
pub(crate) fn inner(data: &Bytes, keys: &[String]) -> Option<Bytes> {
    let (mut start, mut end) = (0, data.len());
    for key in keys {
        let rest =
            data.get(start..end)?.strip_prefix(b"{\"")?.strip_prefix(key.as_bytes())?.strip_prefix(b"\":")?;
        end = start + (data[start..end].len() - 1);
        start = end + 1 - rest.len();
    }
    let value = data.slice(start..end);
    (value != "null").then_some(value)
}

/// The version of a thing, which comes behind its id at its beginning.
pub(crate) fn version(value: &[u8]) -> Option<u64> {
    let rest = value.strip_prefix(b"{\"id\":\"")?;
    let id = rest.iter().position(|byte| *byte == b'"')?;
    let rest = rest[id..].strip_prefix(b"\",\"version\":")?;
    let digits = rest.iter().position(|byte| !byte.is_ascii_digit())?;
    std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()
}

/// The id of a thing, which is at its beginning.
pub(crate) fn id(value: &[u8]) -> Option<&str> {
    let rest = value.strip_prefix(b"{\"id\":\"")?;
    let end = rest.iter().position(|byte| *byte == b'"')?;
    std::str::from_utf8(&rest[..end]).ok()
}

/// What is known of an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown {
    /// Whether it is a thing that has a version.
    pub(crate) has_version: bool,
    /// Whether it is a page.
    pub(crate) pages: bool,
}

/// A response to a request that reads.
pub(crate) fn read(
    Shown { has_version, pages }: Shown,
    (uri, asked): (&Uri, &HeaderMap),
    value: Bytes,
    told: HeaderMap,
) -> Response {
    let etag = conditions::etag(version(&value).filter(|_| has_version), &value);
    let is_known = conditions::is_known(asked, &etag);
    let links = if pages { links(uri, &value) } else { None };
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        (StatusCode::OK, [(CONTENT_TYPE, JSON)], Body::from(value)).into_response()
    };
    let headers = response.headers_mut();
    // Who keeps it asks each time whether it is still good.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(VARY, HeaderValue::from_static("authorization, x-api-key"));
    headers.extend(told);
    headers.insert(ETAG, header(etag));
    headers.extend(links.map(|links| (LINK, links)));
    response
}

/// A response to a request that changed something. Without a value there is nothing to say, or nothing that was wanted.
pub(crate) fn changed(
    (route, has_version): (&Route, bool),
    value: Option<Bytes>,
    is_least: bool,
    told: HeaderMap,
) -> Response {
    let etag = value.as_ref().and_then(|value| {
        // Only what a GET would show has a tag that a GET would have; of the rest the version is enough.
        has_version.then(|| version(value)).flatten().map(|version| header(format!("\"{version}\"")))
    });
    let location = value.as_ref().zip(route.location.as_ref()).and_then(|(value, base)| {
        HeaderValue::try_from(format!("{}{base}/{}", crate::ROOT, id(value)?)).ok()
    });
    let status =
        if is_least && route.success == StatusCode::OK { StatusCode::NO_CONTENT } else { route.success };
    let body = value.filter(|_| !is_least && status != StatusCode::NO_CONTENT);
    let mut response = match body {
        Some(value) => (status, [(CONTENT_TYPE, JSON)], Body::from(value)).into_response(),
        None if status == StatusCode::OK => StatusCode::NO_CONTENT.into_response(),
        None => status.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.extend(told);
    headers.extend(etag.map(|etag| (ETAG, etag)));
    headers.extend(location.map(|location| (LOCATION, location)));
    if is_least {
        let name = HeaderName::from_static("preference-applied");
        headers.insert(name, HeaderValue::from_static("return=minimal"));
    }
    response
}

/// A response to a published operation that changed something.
pub(crate) fn done(value: Bytes, told: HeaderMap) -> Response {
    let mut response = ([(CONTENT_TYPE, JSON)], Body::from(value)).into_response();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.extend(told);
    response
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    has_next_page: bool,
    has_previous_page: bool,
    start_cursor: Option<String>,
    end_cursor: Option<String>,
}

/// Where the pages around this one are (RFC 8288).
fn links(uri: &Uri, value: &[u8]) -> Option<HeaderValue> {
    let mut page =
        serde_json::Deserializer::from_slice(value.strip_prefix(PAGE_INFO)?).into_iter::<PageInfo>();
    let page = page.next()?.ok()?;
    let asked: Vec<(String, String)> =
        url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let of = |name: &str| asked.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str());
    let size = of("first").or_else(|| of("last")).unwrap_or(USUAL_PAGE);
    let paging = ["first", "after", "last", "before"];
    let link = |relation: &str, cursor: &[(&str, &str)]| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(asked.iter().filter(|(name, _)| !paging.contains(&name.as_str())));
        query.extend_pairs(cursor);
        format!("<{}?{}>; rel=\"{relation}\"", uri.path(), query.finish())
    };
    let mut links = vec![link("first", &[("first", size)])];
    if let Some(cursor) = page.end_cursor.filter(|_| page.has_next_page) {
        links.push(link("next", &[("first", size), ("after", &cursor)]));
    }
    if let Some(cursor) = page.start_cursor.filter(|_| page.has_previous_page) {
        links.push(link("prev", &[("last", size), ("before", &cursor)]));
    }
    HeaderValue::try_from(links.join(", ")).ok()
}

fn header(text: String) -> HeaderValue {
    HeaderValue::try_from(text).expect("digits and quotes are a header's value")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(keys: &[&str]) -> Vec<String> {
        keys.iter().map(|key| (*key).to_owned()).collect()
    }

    #[test]
    fn the_value_is_cut_out_of_the_answer() {
        let data = Bytes::from_static(br#"{"entity":{"relationships":{"nodes":[]}}}"#);
        assert_eq!(inner(&data, &keys(&["entity", "relationships"])).unwrap(), r#"{"nodes":[]}"#);
        assert_eq!(inner(&data, &keys(&["entity"])).unwrap(), r#"{"relationships":{"nodes":[]}}"#);
        let cursor = Bytes::from_static(br#"{"streamCursor":"1"}"#);
        assert_eq!(inner(&cursor, &keys(&["streamCursor"])).unwrap(), "\"1\"");
        for nothing in [r#"{"entity":null}"#, r#"{"entity":{"relationships":null}}"#, "null"] {
            assert_eq!(
                inner(&Bytes::from_static(nothing.as_bytes()), &keys(&["entity", "relationships"])),
                None
            );
        }
    }

    #[test]
    fn a_version_is_found_behind_the_id() {
        assert_eq!(version(br#"{"id":"a","version":7,"name":"n"}"#), Some(7));
        assert_eq!(version(br#"{"id":"a","version":7}"#), Some(7));
        assert_eq!(version(br#"{"id":"a","name":"n"}"#), None);
        assert_eq!(id(br#"{"id":"a","version":7}"#), Some("a"));
    }

    #[test]
    fn links_keep_what_was_asked() {
        let uri: Uri = "/api/v1/entities?type=a%20b&first=2&after=x".parse().unwrap();
        let value = br#"{"pageInfo":{"hasNextPage":true,"hasPreviousPage":true,"startCursor":"s","endCursor":"e"},"nodes":[]}"#;
        assert_eq!(
            links(&uri, value).unwrap(),
            "</api/v1/entities?type=a+b&first=2>; rel=\"first\", \
             </api/v1/entities?type=a+b&first=2&after=e>; rel=\"next\", \
             </api/v1/entities?type=a+b&last=2&before=s>; rel=\"prev\""
        );
    }
}
