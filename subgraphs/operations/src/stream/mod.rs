//! The streams that gateways have open: who listens to what, and their end.

mod entity;
mod error;
pub(crate) mod repo;
mod report;

use pulse_graphql::Error;
use pulse_store::{AuditFact, Event, EventKind, Reading, Session};
use pulse_types::{MachineId, Permission, SessionId, StreamId, UserId};
use serde_json::json;

pub(crate) use entity::{StreamRow, StreamType};
pub(crate) use error::StreamError;
pub(crate) use report::routes;
pub use report::{OpenedStream, STREAMS_PATH, StreamReport, report_streams};

/// What gateways hear when streams are to end: a change of this subject, whose attributes say which.
pub const STREAMS_ENDED: &str = "operations.stream";

/// That somebody saw who listens to what.
pub(crate) const READ: Reading =
    Reading { action: "stream:read", again: "stream:read_again", subject: STREAMS_ENDED };

/// How long a reason may be.
const REASON: usize = 200;

/// How long the name of an operation may be.
const NAME: usize = 200;

/// Which streams are meant: those of which all that is given is true.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Which {
    pub(crate) id: Option<StreamId>,
    pub(crate) user: Option<UserId>,
    pub(crate) machine: Option<MachineId>,
    pub(crate) session: Option<SessionId>,
    /// The name of an operation, or its hash.
    pub(crate) operation: Option<String>,
}

/// Ends the tenant's streams that are meant, in whichever processes they are; how many there were, as far as is known.
pub(crate) async fn end(session: &Session, which: Which, reason: &str) -> Result<i64, Error<StreamError>> {
    let org = session.caller().require(&Permission::STREAM_END)?;
    if which == Which::default() {
        return Err(StreamError::Nothing.into());
    }
    if reason.chars().count() > REASON {
        return Err(StreamError::ReasonLength { given: reason.chars().count(), max: REASON }.into());
    }
    if let Some(given) =
        which.operation.as_ref().map(|name| name.chars().count()).filter(|given| *given > NAME)
    {
        return Err(StreamError::NameLength { given, max: NAME }.into());
    }
    let mut write = session.write().await?;
    let count = repo::count_in_tx(&mut write, org, &which).await?;
    let key = which.id.unwrap_or_else(|| StreamId::new(write.now()));
    let Which { id, user, machine, session: of_session, operation } = which;
    write.event(Event {
        kind: EventKind::Deleted,
        subject: STREAMS_ENDED,
        key: key.uuid(),
        version: 1,
        changed: vec![],
        attributes: json!({
            "stream": id, "user": user, "machine": machine, "session": of_session, "operation": operation,
            "reason": reason,
        }),
        before: json!(null),
    });
    let items = i32::try_from(count).unwrap_or(i32::MAX);
    let fact = AuditFact {
        action: "stream:end",
        subject: STREAMS_ENDED,
        key: id.map(StreamId::uuid),
        version: None,
        items,
    };
    write.commit(fact).await?;
    Ok(count)
}
