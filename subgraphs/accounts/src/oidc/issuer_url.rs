//! Which issuers may be named, as far as their text tells. What a name stands for is looked at when it is called.

use std::net::IpAddr;

use pulse_outbound::is_reachable;
use url::{Host, Url};

use super::OidcConfig;

const MAX_LENGTH: usize = 500;

/// Text that names no issuer that may be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidIssuer {
    /// Too long.
    #[error("an issuer has at most {MAX_LENGTH} bytes, this one has {0}")]
    Length(usize),
    /// Not an address.
    #[error(
        "an issuer is an https:// address without query and fragment, such as https://accounts.google.com"
    )]
    Form,
    /// It stands for many issuers.
    #[error(
        "an issuer is the one of your own directory: name its id where this address says `common`, `organizations` or {{tenantid}}; one of the settings may list `tenants` instead"
    )]
    ManyTenants,
    /// Another port.
    #[error("the port {0} is not one that issuers may have here")]
    Port(u16),
    /// An address inside.
    #[error("{0} is an address in a private or reserved network")]
    Private(IpAddr),
}

/// An issuer that the operator has named: inside its network, too.
pub(super) fn of_operator(text: &str, config: &OidcConfig) -> Result<Url, InvalidIssuer> {
    let url = of_many(text, config)?;
    // Entra's issuer for several directories describes itself with a placeholder, and would let each of them speak of anybody.
    let mut segments = url.path_segments().into_iter().flatten();
    if url.host_str() == Some("login.microsoftonline.com")
        && segments.any(|part| ["common", "organizations", "consumers", "%7Btenantid%7D"].contains(&part))
    {
        return Err(InvalidIssuer::ManyTenants);
    }
    Ok(url)
}

/// The same, or one that speaks for many directories, of which the operator has listed some.
pub(super) fn of_many(text: &str, config: &OidcConfig) -> Result<Url, InvalidIssuer> {
    if text.len() > MAX_LENGTH {
        return Err(InvalidIssuer::Length(text.len()));
    }
    let url = Url::parse(text).map_err(|_| InvalidIssuer::Form)?;
    let is_tls = url.scheme() == "https" || (config.allow_http && url.scheme() == "http");
    let is_plain = url.username().is_empty() && url.password().is_none();
    if !is_tls || !is_plain || url.query().is_some() || url.fragment().is_some() || url.host().is_none() {
        return Err(InvalidIssuer::Form);
    }
    Ok(url)
}

/// An issuer that an organization has named.
pub(crate) fn of_organization(text: &str, config: &OidcConfig) -> Result<Url, InvalidIssuer> {
    let url = of_operator(text, config)?;
    let port = url.port_or_known_default().ok_or(InvalidIssuer::Form)?;
    if !config.allowed_ports.is_empty() && !config.allowed_ports.contains(&port) {
        return Err(InvalidIssuer::Port(port));
    }
    let address = match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address),
        Some(Host::Ipv6(address)) => IpAddr::V6(address),
        Some(Host::Domain(_)) | None => return Ok(url),
    };
    if is_reachable(address, &config.allowed_networks) {
        Ok(url)
    } else {
        Err(InvalidIssuer::Private(address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> InvalidIssuer {
        of_organization(text, &OidcConfig::default()).expect_err(text)
    }

    #[test]
    fn a_public_issuer_over_tls_is_taken() {
        for text in [
            "https://accounts.google.com",
            "https://acme.okta.com/oauth2/default",
            "https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0",
        ] {
            assert!(of_organization(text, &OidcConfig::default()).is_ok(), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "accounts.google.com",
            "http://issuer.example",
            "https://user@issuer.example",
            "https://issuer.example/?a=b",
            "https://issuer.example/#a",
        ] {
            assert_eq!(refusal(text), InvalidIssuer::Form, "{text}");
        }
        assert_eq!(refusal("https://issuer.example:22"), InvalidIssuer::Port(22));
        assert_eq!(refusal("https://login.microsoftonline.com/common/v2.0"), InvalidIssuer::ManyTenants);
        assert_eq!(refusal("https://login.microsoftonline.com/{tenantid}/v2.0"), InvalidIssuer::ManyTenants);
        for text in ["https://127.0.0.1", "https://2130706433", "https://[::1]", "https://169.254.169.254"] {
            assert!(matches!(refusal(text), InvalidIssuer::Private(_)), "{text}");
        }
    }

    #[test]
    fn the_operator_may_have_one_inside() {
        assert!(of_operator("https://10.0.0.7:9443/realms/main", &OidcConfig::default()).is_ok());
        assert_eq!(
            of_operator("http://10.0.0.7/realms/main", &OidcConfig::default()),
            Err(InvalidIssuer::Form)
        );
    }
}
