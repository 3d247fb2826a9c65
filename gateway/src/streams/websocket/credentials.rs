//! Credentials in `connection_init`, for browsers, which cannot put headers on the request that opens a connection.

use http::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, HeaderValue};

use crate::value::{Object, Value};

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The head of the opening request, with what the payload adds to it. Where that request carried a credential, the
/// payload's are not looked at.
pub(super) fn with_payload(opened: HeaderMap, payload: &Object) -> HeaderMap {
    let authenticated = [AUTHORIZATION, COOKIE, API_KEY].iter().any(|name| opened.contains_key(name));
    let mut headers = opened;
    let inner = payload.get("headers").and_then(Value::as_object);
    for (name, value) in
        payload.iter().filter(|(name, _)| is_credential(name)).chain(inner.into_iter().flatten())
    {
        let (Ok(name), Some(value)) = (HeaderName::try_from(name.as_str()), value.as_str()) else { continue };
        let Ok(mut value) = HeaderValue::try_from(value) else { continue };
        let credential = is_credential(name.as_str());
        if is_the_connections(&name) || headers.contains_key(&name) || (credential && authenticated) {
            continue;
        }
        value.set_sensitive(credential);
        headers.insert(name, value);
    }
    headers
}

fn is_credential(name: &str) -> bool {
    name.eq_ignore_ascii_case("authorization") || name.eq_ignore_ascii_case("x-api-key")
}

/// Headers that speak of the connection, and cookies, which a browser sends by itself where they belong.
fn is_the_connections(name: &HeaderName) -> bool {
    let name = name.as_str();
    let own =
        ["host", "connection", "upgrade", "cookie", "origin", "content-length", "transfer-encoding", "te"];
    own.contains(&name) || name.starts_with("sec-") || name.starts_with("proxy-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(opened: &[(&'static str, &str)], payload: &str) -> Vec<String> {
        let opened: HeaderMap = opened
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
            .collect();
        let payload = Value::parse(payload.as_bytes()).unwrap();
        let headers = with_payload(opened, payload.as_object().unwrap());
        let mut lines: Vec<_> =
            headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
        lines.sort();
        lines
    }

    #[test]
    fn a_payload_brings_credentials_in_either_case_or_as_headers() {
        assert_eq!(headers(&[], r#"{"Authorization":"Bearer a"}"#), ["authorization: Bearer a"]);
        assert_eq!(headers(&[], r#"{"authorization":"Bearer a","other":1}"#), ["authorization: Bearer a"]);
        let nested = r#"{"headers":{"Authorization":"Bearer a","X-Tenant":"t","Host":"evil","Cookie":"c"}}"#;
        assert_eq!(headers(&[], nested), ["authorization: Bearer a", "x-tenant: t"]);
    }

    #[test]
    fn the_opening_requests_own_credential_stands() {
        let opened = [("x-api-key", "k")];
        assert_eq!(headers(&opened, r#"{"Authorization":"Bearer a"}"#), ["x-api-key: k"]);
    }
}
