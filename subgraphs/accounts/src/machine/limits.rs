//! What an API key is for, beside its scopes: checked, and in one form.

use std::net::IpAddr;

use ipnet::IpNet;
use pulse_types::{Caller, Permission, Permissions};
use serde::Serialize;

use super::{MAX_LIST, MachineError};

/// How long the name of an operation may be.
const NAME: usize = 200;

/// How long the name of a client application may be.
const CLIENT: usize = 60;

/// What the requests of an API key are held to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Limits {
    pub(crate) operations: Vec<String>,
    /// The client application whose published operations it is for.
    pub(crate) client: Option<String>,
    pub(crate) networks: Vec<String>,
    pub(crate) requests_per_minute: Option<i32>,
    pub(crate) cost_per_minute: Option<i32>,
}

/// Names or hashes of operations, each once. Hashes are brought to lower case.
pub(crate) fn operations(given: &[String]) -> Result<Vec<String>, MachineError> {
    let mut operations = given.iter().map(|text| operation(text)).collect::<Result<Vec<_>, _>>()?;
    operations.sort_unstable();
    operations.dedup();
    bounded(operations, "operations")
}

/// The name of a client application; none, if it is empty.
pub(crate) fn client(given: Option<String>) -> Result<Option<String>, MachineError> {
    let Some(name) = given.filter(|name| !name.is_empty()) else { return Ok(None) };
    let is_good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.len() <= CLIENT && !name.starts_with('-') && name.bytes().all(is_good) {
        Ok(Some(name))
    } else {
        Err(MachineError::Client(name.chars().take(CLIENT).collect()))
    }
}

fn operation(text: &str) -> Result<String, MachineError> {
    if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(text.to_ascii_lowercase());
    }
    let is_name = (1..=NAME).contains(&text.len())
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_name {
        Ok(text.to_owned())
    } else {
        Err(MachineError::Operation(text.chars().take(NAME).collect()))
    }
}

/// Networks as CIDR, each once; an address stands for itself alone.
pub(crate) fn networks(given: &[String]) -> Result<Vec<String>, MachineError> {
    let mut networks = given.iter().map(|text| network(text)).collect::<Result<Vec<_>, _>>()?;
    networks.sort_unstable();
    networks.dedup();
    bounded(networks, "networks")
}

fn network(text: &str) -> Result<String, MachineError> {
    let address = |text: &str| text.parse::<IpAddr>().ok().map(|address| IpNet::from(address.to_canonical()));
    let network = text.parse::<IpNet>().ok().or_else(|| address(text));
    let network = network.ok_or_else(|| MachineError::Network(text.chars().take(64).collect()))?;
    Ok(network.trunc().to_string())
}

fn bounded(list: Vec<String>, field: &'static str) -> Result<Vec<String>, MachineError> {
    if list.len() > MAX_LIST { Err(MachineError::TooLong(field)) } else { Ok(list) }
}

/// A rate or a budget: at least one.
pub(crate) fn at_least_one(limit: Option<i32>, field: &'static str) -> Result<Option<i32>, MachineError> {
    if limit.is_some_and(|limit| limit < 1) { Err(MachineError::Limit(field)) } else { Ok(limit) }
}

/// Scopes that are no wider than the rights of whoever gives them, each once.
pub(crate) fn scopes(caller: &Caller, given: &[String]) -> Result<Vec<String>, MachineError> {
    let scopes: Permissions = given.iter().map(|name| Permission::from(name.clone())).collect();
    let missing: Vec<_> = scopes
        .iter()
        .filter(|scope| !caller.permissions.contains(scope))
        .map(|scope| scope.as_str().chars().take(64).collect())
        .take(5)
        .collect();
    if !missing.is_empty() {
        return Err(MachineError::ScopesTooWide(missing));
    }
    let scopes: Vec<_> = scopes.iter().map(ToString::to_string).collect();
    if scopes.is_empty() { Err(MachineError::NoScope) } else { Ok(scopes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn networks_have_one_form() {
        let given = list(&["192.0.2.77/24", "192.0.2.0/24", "::ffff:203.0.113.9", "2001:DB8::1"]);
        assert_eq!(networks(&given), Ok(list(&["192.0.2.0/24", "2001:db8::1/128", "203.0.113.9/32"])));
        for wrong in ["", "192.0.2.0/33", "example.com", "10.0.0"] {
            assert_eq!(networks(&list(&[wrong])), Err(MachineError::Network(wrong.to_owned())));
        }
        let many: Vec<_> = (0..=MAX_LIST).map(|n| format!("10.0.0.{n}")).collect();
        assert_eq!(networks(&many), Err(MachineError::TooLong("networks")));
    }

    #[test]
    fn clients_are_called_as_clients_can_be() {
        assert_eq!(client(Some("acme-2".to_owned())), Ok(Some("acme-2".to_owned())));
        assert_eq!(client(Some(String::new())), Ok(None));
        for wrong in ["Acme", "a b", "-a", "a_b", &"x".repeat(61)] {
            assert!(client(Some(wrong.to_owned())).is_err(), "{wrong}");
        }
    }

    #[test]
    fn operations_are_names_or_hashes() {
        let hash = "AB".repeat(32);
        assert_eq!(operations(&list(&["Sync", "_a1", "Sync", &hash])).unwrap().len(), 3);
        assert!(operations(&list(&[&hash])).unwrap().contains(&hash.to_lowercase()));
        for wrong in ["", "1a", "a b", "{ me }", &"x".repeat(201)] {
            assert!(operations(&list(&[wrong])).is_err(), "{wrong}");
        }
    }
}
