//! Who may see query plans.

use std::fmt;

use http::HeaderMap;
use pulse_types::{Caller, Permission, Secret};
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::{Serialize, Serializer};

/// The header in which a request shows the secret for plans.
const SECRET_HEADER: &str = "pulse-plan-secret";

/// Who may ask for the query plan and the timings of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum PlanExposure {
    /// Nobody: `off` or `false`.
    #[default]
    Off,
    /// Everybody: `all` or `true`.
    All,
    /// Callers with this permission or scope: `permission:NAME`.
    Permission(Permission),
    /// Requests with this text in the header `pulse-plan-secret`: `secret:TEXT`.
    Secret(Secret),
}

impl PlanExposure {
    /// Whether this request may see its plan.
    pub(crate) fn allows(&self, caller: &Caller, headers: &HeaderMap) -> bool {
        match self {
            Self::Off => false,
            Self::All => true,
            Self::Permission(permission) => caller.permissions.contains(permission),
            Self::Secret(secret) => {
                let shown = headers.get(SECRET_HEADER).map(http::HeaderValue::as_bytes);
                shown.is_some_and(|shown| is_same(shown, secret.expose().as_bytes()))
            }
        }
    }

    fn read(text: &str) -> Option<Self> {
        match text.split_once(':').map(|(kind, rest)| (kind.trim(), rest.trim())) {
            None if matches!(text, "off" | "" | "false") => Some(Self::Off),
            None if matches!(text, "all" | "true") => Some(Self::All),
            Some(("permission", name)) if !name.is_empty() => {
                Some(Self::Permission(Permission::from(name.to_owned())))
            }
            Some(("secret", text)) if !text.is_empty() => Some(Self::Secret(Secret::new(text))),
            _ => None,
        }
    }
}

/// Compares all of it, so that the time tells nothing of where texts differ.
fn is_same(shown: &[u8], secret: &[u8]) -> bool {
    let differences = shown.iter().zip(secret).fold(0, |sum, (a, b)| sum | (a ^ b));
    shown.len() == secret.len() && differences == 0
}

impl<'de> Deserialize<'de> for PlanExposure {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words;

        impl Visitor<'_> for Words {
            type Value = PlanExposure;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"off\", \"all\", \"permission:NAME\" or \"secret:TEXT\"")
            }

            fn visit_bool<E: Error>(self, is_on: bool) -> Result<PlanExposure, E> {
                Ok(if is_on { PlanExposure::All } else { PlanExposure::Off })
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<PlanExposure, E> {
                // The text may have a secret in it, so that it is not repeated.
                PlanExposure::read(text.trim()).ok_or_else(|| {
                    E::custom("write \"off\", \"all\", \"permission:NAME\" or \"secret:TEXT\"")
                })
            }
        }

        deserializer.deserialize_any(Words)
    }
}

impl Serialize for PlanExposure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Off => serializer.serialize_str("off"),
            Self::All => serializer.serialize_str("all"),
            Self::Permission(permission) => serializer.serialize_str(&format!("permission:{permission}")),
            Self::Secret(secret) => super::secret::fingerprint(secret, serializer),
        }
    }
}
