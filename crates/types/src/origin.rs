//! Where a request comes from.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// What the gateway knows of the client behind a request. It is no proof of who that is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Origin {
    /// The client's address: the other end of the connection, or whom a trusted proxy names.
    pub address: Option<IpAddr>,
    /// What the client says that it is, cut to [`Origin::USER_AGENT`] characters.
    pub user_agent: Option<String>,
}

impl Origin {
    /// How much of a user agent is kept.
    pub const USER_AGENT: usize = 300;

    /// An origin of what a request says; control characters of the user agent are left out.
    pub fn new(address: Option<IpAddr>, user_agent: Option<&str>) -> Self {
        let printable = |text: &str| {
            let kept: String = text.chars().filter(|c| !c.is_control()).take(Self::USER_AGENT).collect();
            Some(kept).filter(|kept| !kept.trim().is_empty())
        };
        Self {
            address: address.map(|address| address.to_canonical()),
            user_agent: user_agent.and_then(printable),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_agent_is_bounded_and_printable() {
        let origin = Origin::new(None, Some(&format!("a\u{1b}[31m{}", "x".repeat(400))));
        assert_eq!(origin.user_agent.map(|agent| agent.len()), Some(Origin::USER_AGENT));
        assert_eq!(Origin::new(None, Some(" \n")).user_agent, None);
    }

    #[test]
    fn an_address_has_one_form() {
        let mapped = "::ffff:192.0.2.1".parse().ok();
        assert_eq!(Origin::new(mapped, None).address, "192.0.2.1".parse().ok());
    }
}

/// The address that a request comes from, as whoever serves it has found it out. Beside a route that is not the API's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);
