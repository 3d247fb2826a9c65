//! What the tests share: a gateway on a port of its own, a client, certificates, and servers that misbehave.

pub(crate) mod authority;
pub(crate) mod client;
pub(crate) mod fake_server;
pub(crate) mod gateway;
pub(crate) mod issuer;
pub(crate) mod scripted_server;
pub(crate) mod two_subgraphs;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use pulse_types::{Caller, Clock, OrgId, Permission, Permissions, RequestId, SessionId, Subject, UserId};
use tokio::time::{Instant, interval_at};

/// The time in every test, unless it moves it.
pub(crate) fn noon() -> DateTime<Utc> {
    "2026-01-02T12:00:00Z".parse().unwrap()
}

pub(crate) fn clock() -> Clock {
    Clock::from_fn(noon)
}

/// The time between two looks at a condition, and how slow a fake is. What a test waits for has a signal of its own.
pub(crate) async fn pause(time: Duration) {
    interval_at(Instant::now() + time, time).tick().await;
}

/// Somebody who may read entities in an organization.
pub(crate) fn somebody() -> Arc<Caller> {
    Arc::new(Caller {
        subject: Subject::User(UserId::new(noon())),
        org: Some(OrgId::new(noon())),
        session: Some(SessionId::new(noon())),
        permissions: Permissions::from_iter([Permission::ENTITY_READ]),
        ..Caller::anonymous(RequestId::new(noon()))
    })
}
