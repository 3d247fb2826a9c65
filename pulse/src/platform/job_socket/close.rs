//! Why a socket is closed. 4000 to 4999 are the application's own numbers (RFC 6455 §7.4.2); they resemble HTTP's.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::Value;

/// A code and a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Close {
    pub(super) code: u16,
    pub(super) reason: Cow<'static, str>,
}

/// How long a close frame's reason may be (RFC 6455 §5.5).
const REASON_LIMIT: usize = 123;

impl Close {
    pub(super) fn new(code: u16, reason: impl Into<Cow<'static, str>>) -> Self {
        let mut reason = reason.into();
        if reason.len() > REASON_LIMIT {
            let end = reason.floor_char_boundary(REASON_LIMIT);
            reason = reason[..end].to_owned().into();
        }
        Self { code, reason }
    }

    /// The job has ended, and its end was told.
    pub(super) fn ended(status: &str) -> Self {
        Self::new(1000, format!("the job is {status}"))
    }

    pub(super) fn bad_request(what: &'static str) -> Self {
        Self::new(4400, what)
    }

    pub(super) fn unauthenticated() -> Self {
        Self::new(
            4401,
            "send an access token in the header `Authorization`, or as {\"token\": \"…\"} in the first message",
        )
    }

    /// None, or none that the client may see.
    pub(super) fn not_found() -> Self {
        Self::new(4404, "there is no such job: it may have ended too long ago to be kept")
    }

    pub(super) fn slow() -> Self {
        Self::new(1008, "messages come faster than you read them")
    }

    /// The client answers nothing any more.
    pub(super) fn silent(after: Duration) -> Self {
        Self::new(1001, format!("nothing was heard of you for {} s", after.as_secs()))
    }

    pub(super) fn fault() -> Self {
        Self::new(1011, "internal server error")
    }

    /// The first error of an answer.
    pub(super) fn of_error(error: &Value) -> Self {
        let extensions = &error["extensions"];
        let code = match (extensions["code"].as_str(), extensions["reason"].as_str()) {
            (_, Some("SHUTTING_DOWN")) => 1001,
            (_, Some("SLOW_CLIENT")) => 1008,
            (_, Some("RIGHTS_CHANGED")) | (Some("FORBIDDEN"), _) => 4403,
            (Some("UNAUTHENTICATED"), _) => 4401,
            (Some("NOT_FOUND"), _) => 4404,
            (Some("BAD_USER_INPUT"), _) => 4400,
            (Some("CURSOR_EXPIRED"), _) => 4410,
            (Some("RATE_LIMITED" | "COST_EXCEEDED"), _) => 4429,
            (Some("UNAVAILABLE" | "TIMEOUT"), _) => 1013,
            _ => return Self::fault(),
        };
        Self::new(code, error["message"].as_str().unwrap_or_default().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        let close = Close::new(4400, "ä".repeat(100));
        assert!(close.reason.len() <= REASON_LIMIT && close.reason.len() > REASON_LIMIT - 2);
    }

    #[test]
    fn what_the_gateway_says_has_a_number() {
        let error = |code: &str, reason: &str| json!({ "message": "m", "extensions": { "code": code, "reason": reason } });
        let code = |code: &str, reason: &str| Close::of_error(&error(code, reason)).code;
        assert_eq!(code("UNAUTHENTICATED", "CREDENTIAL_EXPIRED"), 4401);
        assert_eq!(code("UNAUTHENTICATED", "RIGHTS_CHANGED"), 4403);
        assert_eq!(code("UNAVAILABLE", "SHUTTING_DOWN"), 1001);
        assert_eq!(code("CURSOR_EXPIRED", ""), 4410);
        assert_eq!(Close::of_error(&error("INTERNAL", "")), Close::fault());
    }
}
