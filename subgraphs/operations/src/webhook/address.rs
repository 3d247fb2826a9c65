//! Where a webhook may point to, as far as its text tells. What its name stands for is looked at when it is called.

use std::net::IpAddr;

use pulse_outbound::is_reachable;
use url::{Host, Url};

use super::WebhookError;
use crate::config::WebhookConfig;

const MAX_LENGTH: usize = 2000;

/// The address, if it may be called.
pub(crate) fn parse(text: &str, config: &WebhookConfig) -> Result<Url, WebhookError> {
    if text.len() > MAX_LENGTH {
        return Err(WebhookError::UrlLength { given: text.len(), max: MAX_LENGTH });
    }
    let url = Url::parse(text).map_err(|_| WebhookError::NoUrl)?;
    match url.scheme() {
        "https" => {}
        "http" if config.allow_http => {}
        other => return Err(WebhookError::Scheme(other.to_owned())),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(WebhookError::UserInfo);
    }
    let port = url.port_or_known_default().ok_or(WebhookError::NoUrl)?;
    let is_usual_http = config.allow_http && url.scheme() == "http" && port == 80;
    if !is_usual_http && !config.allowed_ports.contains(&port) {
        return Err(WebhookError::Port { given: port, allowed: config.allowed_ports.clone() });
    }
    let address = match url.host().ok_or(WebhookError::NoUrl)? {
        Host::Domain(_) => None,
        Host::Ipv4(address) => Some(IpAddr::V4(address)),
        Host::Ipv6(address) => Some(IpAddr::V6(address)),
    };
    match address.filter(|address| !is_reachable(*address, &config.allowed_networks)) {
        Some(address) => Err(WebhookError::PrivateAddress(address)),
        None => Ok(url),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        parse(text, &WebhookConfig::default()).expect_err(text).to_string()
    }

    #[test]
    fn a_public_address_over_tls_is_taken() {
        for text in [
            "https://example.org/hook?a=b",
            "https://example.org:8443/",
            "https://1.1.1.1/",
            "https://bücher.example/",
        ] {
            assert!(parse(text, &WebhookConfig::default()).is_ok(), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused_with_what_to_do() {
        assert!(refusal("example.org").contains("https://"));
        assert!(refusal("http://example.org/").contains("https"));
        assert!(refusal("ftp://example.org/").contains("https"));
        assert!(refusal("https://user:word@example.org/").contains("signature"));
        assert!(refusal("https://example.org:22/").contains("443, 8443"));
        for private in [
            "https://127.0.0.1/",
            // The same in other clothes.
            "https://2130706433/",
            "https://0x7f.1/",
            "https://0177.0.0.1/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://169.254.169.254/latest/meta-data",
            "https://[fd00::1]/",
        ] {
            assert!(refusal(private).contains("private"), "{private}");
        }
    }

    #[test]
    fn http_and_named_networks_are_allowed_by_settings() {
        let config = WebhookConfig {
            allow_http: true,
            allowed_networks: vec!["10.1.0.0/16".parse().unwrap()],
            ..WebhookConfig::default()
        };
        assert!(parse("http://10.1.2.3/", &config).is_ok());
        assert!(matches!(parse("http://10.2.2.3/", &config), Err(WebhookError::PrivateAddress(_))));
    }
}
