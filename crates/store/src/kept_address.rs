//! How the audit keeps the address that a request came from.

use std::fmt;
use std::net::IpAddr;

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// How the audit keeps addresses.
#[derive(Clone, Default)]
pub enum KeptAddress {
    /// As they are.
    #[default]
    Plain,
    /// As digests with this key: equal ones can be told to be equal, and nobody without the key finds out what they are.
    Hashed([u8; 32]),
    /// Not at all.
    Omitted,
}

impl KeptAddress {
    pub(crate) fn of(&self, address: IpAddr) -> Option<String> {
        match self {
            Self::Plain => Some(address.to_string()),
            Self::Hashed(key) => {
                let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
                mac.update(address.to_string().as_bytes());
                // 128 bits tell addresses apart, and are shown beside them.
                Some(format!("{:x}", mac.finalize().into_bytes())[..32].to_owned())
            }
            Self::Omitted => None,
        }
    }
}

impl fmt::Debug for KeptAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "Plain",
            Self::Hashed(_) => "Hashed",
            Self::Omitted => "Omitted",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hashed_address_is_the_same_each_time_and_another_with_another_key() {
        let address = IpAddr::from([192, 0, 2, 1]);
        let hashed = KeptAddress::Hashed([1; 32]).of(address);
        assert_eq!(hashed, KeptAddress::Hashed([1; 32]).of(address));
        assert_ne!(hashed, KeptAddress::Hashed([2; 32]).of(address));
        assert!(hashed.is_some_and(|hashed| hashed.len() == 32 && !hashed.contains("192")));
        assert_eq!(KeptAddress::Plain.of(address).as_deref(), Some("192.0.2.1"));
        assert_eq!(KeptAddress::Omitted.of(address), None);
    }
}
