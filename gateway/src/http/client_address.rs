//! Where a request comes from: the other end of its connection, or whom a trusted proxy says that it speaks for.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::LazyLock;

use http::HeaderMap;
use sha2::{Digest, Sha256};

use crate::config::{ClientsConfig, LogIps};

/// The header in which each proxy appends whom it was asked by.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// A key that no other process has, for settings that name none.
static PROCESS_KEY: LazyLock<[u8; 16]> = LazyLock::new(|| {
    // Each state has keys of its own from the operating system.
    let number = || RandomState::new().hash_one(0_u64).to_le_bytes();
    let mut key = [0; 16];
    key[..8].copy_from_slice(&number());
    key[8..].copy_from_slice(&number());
    key
});

/// The address of the client behind the proxies that the settings trust. A header counts only as far as they wrote it.
pub(crate) fn client_address(config: &ClientsConfig, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let is_trusted = |address: IpAddr| config.trusted_proxies.iter().any(|proxies| proxies.contains(address));
    let mut client = peer.to_canonical();
    if !is_trusted(client) {
        return client;
    }
    let values: Vec<_> =
        headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok()).collect();
    for text in values.iter().rev().flat_map(|value| value.rsplit(',')) {
        let Ok(address) = text.trim().parse::<IpAddr>() else { break };
        client = address.to_canonical();
        if !is_trusted(client) {
            break;
        }
    }
    client
}

/// An address as the log may show it.
pub(crate) fn shown(config: &ClientsConfig, address: IpAddr) -> Option<String> {
    match config.log_ips {
        LogIps::Off => None,
        LogIps::Plain => Some(address.to_string()),
        LogIps::Hashed => {
            let salt = config.ip_salt.as_str();
            let key = if salt.is_empty() { PROCESS_KEY.as_slice() } else { salt.as_bytes() };
            let length = u64::try_from(key.len()).unwrap_or(u64::MAX);
            let hash = Sha256::new().chain_update(length.to_le_bytes()).chain_update(key);
            let hash = hash.chain_update(address.to_string()).finalize();
            let start = hash.first_chunk().expect("a hash has more than eight bytes");
            Some(format!("{:016x}", u64::from_be_bytes(*start)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(settings: &str) -> ClientsConfig {
        toml::from_str(settings).unwrap()
    }

    fn client(config: &ClientsConfig, peer: &str, forwarded: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED_FOR, value.parse().unwrap());
        }
        client_address(config, peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn a_header_counts_only_as_far_as_trusted_proxies_wrote_it() {
        let none = ClientsConfig::default();
        assert_eq!(client(&none, "10.0.0.1", &["203.0.113.9"]), "10.0.0.1");
        let trusting = config("trusted_proxies = ['10.0.0.0/8', '2001:db8::/32', '192.0.2.7']");
        assert_eq!(client(&trusting, "10.0.0.1", &["203.0.113.9"]), "203.0.113.9");
        assert_eq!(client(&trusting, "::ffff:10.0.0.1", &["203.0.113.9"]), "203.0.113.9");
        assert_eq!(client(&trusting, "203.0.113.1", &["198.51.100.1"]), "203.0.113.1");
        assert_eq!(client(&trusting, "10.0.0.1", &["1.2.3.4, 203.0.113.9, 192.0.2.7"]), "203.0.113.9");
        assert_eq!(client(&trusting, "10.0.0.1", &["1.2.3.4", "203.0.113.9"]), "203.0.113.9");
        assert_eq!(client(&trusting, "2001:db8::1", &["nonsense, 10.1.1.1"]), "10.1.1.1");
        assert_eq!(client(&trusting, "10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn the_log_shows_addresses_as_the_settings_say() {
        let address = "203.0.113.9".parse().unwrap();
        assert_eq!(shown(&config("log_ips = 'off'"), address), None);
        assert_eq!(shown(&config("log_ips = 'plain'"), address).as_deref(), Some("203.0.113.9"));
        let salted =
            |salt: &str| shown(&config(&format!("log_ips = 'hashed'\nip_salt = '{salt}'")), address).unwrap();
        assert_eq!(salted("a"), salted("a"));
        assert_ne!(salted("a"), salted("b"));
        // Without a salt: the same within the process.
        assert_eq!(salted(""), salted(""));
        assert!(!salted("").contains("203") || salted("").len() == 16);
    }

    #[test]
    fn networks_are_read_or_refused() {
        let error = toml::from_str::<ClientsConfig>("trusted_proxies = ['10.0.0.0/33']").unwrap_err();
        assert!(error.to_string().contains("is no network"), "{error}");
    }
}
