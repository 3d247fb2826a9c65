//! What callers can get wrong about deliveries.

use pulse_graphql::{ClientError, Code, PageError};
use pulse_store::InvalidIdempotencyKey;
use pulse_types::{DeliveryId, WebhookId};

/// What is wrong with a request about a delivery.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DeliveryError {
    /// There is none, or none that the caller may see, or it was forgotten.
    #[error("there is no delivery {0}: it may have been too old to be kept")]
    NotFound(DeliveryId),
    /// There is no webhook, or none that the caller may see.
    #[error("there is no webhook {0}")]
    NoWebhook(WebhookId),
    /// Nothing is sent to a paused webhook.
    #[error("the webhook {0} is paused: resume it first")]
    Paused(WebhookId),
    /// The idempotency key.
    #[error(transparent)]
    IdempotencyKey(#[from] InvalidIdempotencyKey),
    /// The page.
    #[error(transparent)]
    Page(#[from] PageError),
}

impl ClientError for DeliveryError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound(_) | Self::NoWebhook(_) => Code::NotFound,
            Self::Paused(_) => Code::Conflict,
            Self::IdempotencyKey(_) => Code::BadUserInput,
            Self::Page(error) => error.code(),
        }
    }

    fn field(&self) -> Option<String> {
        match self {
            Self::NotFound(_) => Some("input.id".to_owned()),
            Self::NoWebhook(_) => Some("input.webhookId".to_owned()),
            Self::Paused(_) => None,
            Self::IdempotencyKey(_) => Some("input.idempotencyKey".to_owned()),
            Self::Page(error) => error.field(),
        }
    }
}
