//! Why a connection is closed, in the protocol's numbers.

use std::borrow::Cow;
use std::time::Duration;

use crate::streams::End;

/// A code and a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Close {
    pub(super) code: u16,
    pub(super) reason: Cow<'static, str>,
}

/// How long a close frame's reason may be (RFC 6455 §5.5).
const REASON_LIMIT: usize = 123;

impl Close {
    fn new(code: u16, reason: impl Into<Cow<'static, str>>) -> Self {
        let mut reason = reason.into();
        if reason.len() > REASON_LIMIT {
            let end = (0..=REASON_LIMIT).rev().find(|end| reason.is_char_boundary(*end)).unwrap_or(0);
            reason = reason[..end].to_owned().into();
        }
        Self { code, reason }
    }

    /// A message that the protocol does not know.
    pub(super) fn bad_message(what: impl Into<Cow<'static, str>>) -> Self {
        Self::new(4400, what)
    }

    /// An operation before the connection was acknowledged.
    pub(super) fn unauthorized() -> Self {
        Self::new(4401, "Unauthorized")
    }

    /// Credentials that are no good.
    pub(super) fn forbidden(why: &str) -> Self {
        Self::new(4403, format!("Forbidden: {why}"))
    }

    pub(super) fn subprotocol_not_acceptable() -> Self {
        Self::new(4406, "Subprotocol not acceptable: ask for graphql-transport-ws")
    }

    pub(super) fn initialisation_timeout() -> Self {
        Self::new(4408, "Connection initialisation timeout")
    }

    pub(super) fn subscriber_exists(id: &str) -> Self {
        Self::new(4409, format!("Subscriber for {id} already exists"))
    }

    pub(super) fn too_many_initialisations() -> Self {
        Self::new(4429, "Too many initialisation requests")
    }

    pub(super) fn message_too_big(limit: usize) -> Self {
        Self::new(1009, format!("a message may have {limit} bytes"))
    }

    pub(super) fn unavailable(why: &str) -> Self {
        Self::new(1013, why.to_owned())
    }

    /// The client answers nothing any more.
    pub(super) fn silent(after: Duration) -> Self {
        Self::new(1001, format!("nothing was heard of you for {} s", after.as_secs()))
    }
}

impl From<End> for Close {
    fn from(end: End) -> Self {
        // Clients take 4401 for a mistake of theirs that no new connection mends; 4403 lets them come back with a new
        // credential.
        let code = match end {
            End::Expired | End::Revoked | End::RightsChanged => 4403,
            End::Draining => 1001,
            End::Slow => 1008,
        };
        Self::new(code, end.message())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        let close = Close::subscriber_exists(&"ä".repeat(100));
        assert!(close.reason.len() <= REASON_LIMIT && close.reason.len() > REASON_LIMIT - 2);
    }
}
