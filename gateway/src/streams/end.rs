//! Why a stream ends that neither its source nor its client ended.

use std::time::Duration;

use chrono::{DateTime, Utc};
use pulse_types::Clock;

use crate::auth::Watch;
use crate::engine::{ErrorCode, RequestError};
use crate::http::drain::Drain;
use crate::ports::Revocation;

/// Why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The credential's time is over.
    Expired,
    /// The session or the person was revoked.
    Revoked,
    /// The person's rights in the tenant were revoked, or some of them.
    RightsChanged,
    /// The process stops.
    Draining,
    /// The client does not read what it is sent.
    Slow,
}

impl End {
    /// The name of the reason, for clients and in metrics.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::Expired => "CREDENTIAL_EXPIRED",
            Self::Revoked => "CREDENTIAL_REVOKED",
            Self::RightsChanged => "RIGHTS_CHANGED",
            Self::Draining => "SHUTTING_DOWN",
            Self::Slow => "SLOW_CLIENT",
        }
    }

    /// For people.
    pub(crate) const fn message(self) -> &'static str {
        match self {
            Self::Expired => "your token has expired, or your key has to be shown anew; connect again",
            Self::Revoked => "your credential was revoked; sign in again",
            Self::RightsChanged => {
                "your rights in this organization have changed; connect again with a new credential"
            }
            Self::Draining => "the server is shutting down; connect again",
            Self::Slow => "events come faster than you read them; read faster or ask for less",
        }
    }

    /// The last that a client hears over a transport without close codes.
    pub(crate) fn error(self) -> RequestError {
        let code = match self {
            Self::Expired | Self::Revoked | Self::RightsChanged => ErrorCode::Unauthenticated,
            Self::Draining => ErrorCode::Unavailable,
            Self::Slow => ErrorCode::RateLimited,
        };
        RequestError::new(code, self.message()).because(self.reason())
    }
}

/// What may end a stream, or a connection with all of its streams.
#[derive(Debug)]
pub(crate) struct Ending {
    expires: Option<tokio::time::Instant>,
    watch: Option<Watch>,
    drain: Drain,
}

impl Ending {
    /// Of somebody who is not known yet.
    pub(crate) const fn of_server(drain: Drain) -> Self {
        Self { expires: None, watch: None, drain }
    }

    /// Of a credential that ends at a time or by revocation.
    pub(crate) fn of_credential(
        expires_at: Option<DateTime<Utc>>,
        watch: Watch,
        drain: Drain,
        clock: &Clock,
    ) -> Self {
        let left = |end: DateTime<Utc>| (end - clock.now()).to_std().unwrap_or(Duration::ZERO);
        let expires = expires_at.map(|end| tokio::time::Instant::now() + left(end));
        Self { expires, watch: Some(watch), drain }
    }

    /// Returns when it is over.
    pub(crate) async fn come(&self) -> End {
        let expired = async {
            match self.expires {
                Some(end) => tokio::time::sleep_until(end).await,
                None => std::future::pending().await,
            }
        };
        let revoked = async {
            match &self.watch {
                Some(watch) => watch.revoked().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            revocation = revoked => match revocation {
                Revocation::Session(_) | Revocation::User(_) | Revocation::Machine(_) => End::Revoked,
                Revocation::Membership { .. } | Revocation::Rights { .. } | Revocation::MachineRights(_) => {
                    End::RightsChanged
                }
            },
            () = expired => End::Expired,
            () = self.drain.begun() => End::Draining,
        }
    }

    pub(crate) const fn drain(&self) -> &Drain {
        &self.drain
    }
}
