//! What a credential is for, where that is less than all that its caller may do: from where, and for which operations.

use std::net::IpAddr;

use sha2::{Digest, Sha256};

use super::refusal::Refusal;
use crate::engine::{ErrorCode, RequestError};
use crate::hex::hex;
use crate::ports::Terms;

/// Refuses a credential that comes from a network that it is not for. From where, its owner is told; nobody else has it.
pub(super) fn check_network(terms: Option<&Terms>, address: Option<IpAddr>) -> Result<(), Refusal> {
    let networks = terms.map(|terms| terms.networks.as_slice()).unwrap_or_default();
    if networks.is_empty() {
        return Ok(());
    }
    let address = address.map(|address| address.to_canonical());
    if address.is_some_and(|address| networks.iter().any(|network| network.contains(&address))) {
        return Ok(());
    }
    let from = address.map_or_else(|| "an unknown address".to_owned(), |address| address.to_string());
    Err(Refusal::unauthenticated(format!(
        "this credential may not be used from {from}: it is for other networks"
    )))
}

/// Refuses an operation that the credential is not for. Its name is what the client calls it; its hash is of its text.
pub(super) fn check_operation(terms: Option<&Terms>, name: Option<&str>, text: &str) -> Result<(), Refusal> {
    let Some(terms) = terms.filter(|terms| !terms.operations.is_empty()) else { return Ok(()) };
    let is_named = name.is_some_and(|name| terms.operations.contains(name));
    if is_named || terms.operations.contains(&hex(&Sha256::digest(text))) {
        return Ok(());
    }
    let called = name.map_or_else(|| "an operation without a name".to_owned(), |name| format!("`{name}`"));
    let message = format!("this credential is for certain operations, and {called} is none of them");
    Err(Refusal::errors(vec![
        RequestError::new(ErrorCode::Forbidden, message).because("OPERATION_NOT_ALLOWED"),
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(networks: &[&str], operations: &[&str]) -> Terms {
        Terms {
            networks: networks.iter().map(|network| network.parse().unwrap()).collect(),
            operations: operations.iter().map(|name| (*name).to_owned()).collect(),
            ..Terms::default()
        }
    }

    #[test]
    fn a_credential_is_used_from_its_networks_alone() {
        let terms = terms(&["192.0.2.0/24", "2001:db8::/32"], &[]);
        for good in ["192.0.2.7", "::ffff:192.0.2.7", "2001:db8::1"] {
            assert!(check_network(Some(&terms), good.parse().ok()).is_ok(), "{good}");
        }
        for bad in [Some("192.0.3.7"), Some("2001:db9::1"), None] {
            let refused = check_network(Some(&terms), bad.and_then(|bad| bad.parse().ok())).unwrap_err();
            assert_eq!(refused.errors[0].code, ErrorCode::Unauthenticated, "{bad:?}");
        }
        assert!(check_network(Some(&Terms::default()), None).is_ok());
        assert!(check_network(None, None).is_ok());
    }

    #[test]
    fn a_credential_is_for_operations_by_name_or_by_the_hash_of_their_text() {
        let text = "query Other { me { id } }";
        let hash = hex(&Sha256::digest(text));
        let terms = terms(&[], &["Sync", &hash]);
        assert!(check_operation(Some(&terms), Some("Sync"), "query Sync { anything }").is_ok());
        assert!(check_operation(Some(&terms), Some("Other"), text).is_ok());
        for (name, text) in [(Some("Other"), "query Other { me { name } }"), (None, "{ me { id } }")] {
            let refused = check_operation(Some(&terms), name, text).unwrap_err();
            assert_eq!(refused.errors[0].code, ErrorCode::Forbidden);
        }
        assert!(check_operation(Some(&Terms::default()), None, "{ x }").is_ok());
    }
}
