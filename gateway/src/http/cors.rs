//! Which foreign web pages may call the API.

use std::time::Duration;

use http::{HeaderName, Method};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use crate::config::GatewayConfig;

/// The layer that lets pages of the origins in that the settings name; `None` when there are none. Credentials are tokens
/// in a header, which a page must have to send it; cookies are let through on demand, and never for all origins.
pub(super) fn layer(config: &GatewayConfig) -> Option<CorsLayer> {
    let (origins, cors) = (&config.cors_origins, &config.cors);
    if origins.is_empty() {
        return None;
    }
    let for_all = origins.iter().any(|origin| origin == "*");
    let allowed = if for_all {
        AllowOrigin::any()
    } else {
        let origins = origins.clone();
        AllowOrigin::predicate(move |origin, _| {
            origin.to_str().is_ok_and(|origin| is_allowed(&origins, origin))
        })
    };
    if for_all && cors.credentials {
        tracing::error!(
            "gateway.cors.credentials has no effect for all origins: name those that may use cookies in gateway.cors_origins"
        );
    }
    let credentials = cors.credentials && !for_all;
    let headers = if cors.headers.iter().any(|name| name == "*") {
        AllowHeaders::mirror_request()
    } else {
        AllowHeaders::list(names(&cors.headers))
    };
    let methods = cors.methods.iter().filter_map(|method| Method::from_bytes(method.as_bytes()).ok());
    let layer = CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods(methods.collect::<Vec<_>>())
        .allow_headers(headers)
        .allow_credentials(credentials)
        .expose_headers(names(&cors.exposed_headers));
    Some(if cors.max_age > Duration::ZERO { layer.max_age(cors.max_age) } else { layer })
}

/// Whether one of the origins is this one: word by word, or with a star for one or more labels of its host.
pub(crate) fn is_allowed(origins: &[String], origin: &str) -> bool {
    origins.iter().map(|allowed| allowed.trim_end_matches('/')).any(|allowed| match allowed.split_once('*') {
        None => allowed.eq_ignore_ascii_case(origin),
        Some((before, after)) if !before.is_empty() => {
            let inner = origin.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
            let is_host = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
            inner.is_some_and(|inner| !inner.is_empty() && inner.bytes().all(is_host))
        }
        // A star alone lets nobody in by name.
        Some(_) => false,
    })
}

fn names(names: &[String]) -> Vec<HeaderName> {
    let name = |text: &String| {
        let name = text.parse().ok();
        if name.is_none() {
            tracing::warn!(header = text, "gateway.cors names a header that cannot be one");
        }
        name
    };
    names.iter().filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_labels_of_the_host_alone() {
        let origins = ["https://app.example.com/".to_owned(), "https://*.example.org".to_owned()];
        for origin in ["https://app.example.com", "https://a.example.org", "https://a.b.example.org"] {
            assert!(is_allowed(&origins, origin), "{origin}");
        }
        for origin in [
            "https://example.org",
            "http://a.example.org",
            "https://.example.orgx",
            "https://evil.com/.example.org",
            "https://evil.com:1.example.org",
            "https://user@a.example.org",
            "null",
        ] {
            assert!(!is_allowed(&origins, origin), "{origin}");
        }
        assert!(!is_allowed(&["*".to_owned()], "https://anybody.example"));
    }
}
