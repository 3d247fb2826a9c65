//! `LiveStream`.

#![expect(clippy::too_many_arguments, reason = "each argument of a field is one of its function")]

use async_graphql::{Context, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use pulse_graphql::{Connection, ContextExt, Cursor, Error, Page, PageLimits, Total};
use pulse_types::{MachineId, Permission, SessionId, StreamId, UserId};

use crate::stream::{self, StreamError, StreamRow, StreamType, Which, repo};

/// A stream that a gateway has open for somebody in the organization.
#[derive(SimpleObject)]
pub(crate) struct LiveStream {
    /// Its id.
    id: StreamId,
    /// The person who listens; null for one whom another issuer of tokens knows.
    user_id: Option<UserId>,
    /// The API key or service account that listens; null for a person.
    machine_id: Option<MachineId>,
    /// The session that it stands on.
    session: Option<SessionId>,
    /// What it is of.
    kind: StreamType,
    /// How it reaches the client: `websocket`, `sse` or `multipart`.
    transport: String,
    /// The operation's name, when it has one.
    operation_name: Option<String>,
    /// The SHA-256 of the operation's text, as persisted queries are known by.
    operation_hash: String,
    /// When it was opened.
    opened_at: DateTime<Utc>,
}

impl From<StreamRow> for LiveStream {
    fn from(row: StreamRow) -> Self {
        let StreamRow { id, person, machine, session, kind, transport, operation, hash, opened_at } = row;
        Self {
            id,
            user_id: person,
            machine_id: machine,
            session,
            kind,
            transport,
            operation_name: operation,
            operation_hash: hash,
            opened_at,
        }
    }
}

/// Which streams: those of which all that is given is true.
#[derive(InputObject, Default)]
pub(crate) struct LiveStreamFilter {
    /// Those of this person.
    user_id: Option<UserId>,
    /// Those of this API key or service account.
    machine_id: Option<MachineId>,
    /// Those that stand on this session.
    session: Option<SessionId>,
    /// Those of operations with this name, or with this hash.
    operation_name: Option<String>,
    /// Those of this kind.
    kind: Option<StreamType>,
}

/// Which streams to end: those of which all that is given is true. One of `streamId`, `userId`, `machineId`,
/// `session` and `operationName` has to be given.
#[derive(InputObject)]
pub(crate) struct EndLiveStreamsInput {
    /// The one with this id.
    stream_id: Option<StreamId>,
    /// Those of this person.
    user_id: Option<UserId>,
    /// Those of this API key or service account.
    machine_id: Option<MachineId>,
    /// Those that stand on this session.
    session: Option<SessionId>,
    /// Those of operations with this name, or with this hash.
    operation_name: Option<String>,
    /// What their clients are told, at most 200 characters.
    #[graphql(default_with = r#""ended on request".to_owned()"#)]
    reason: String,
}

/// What becomes of them.
#[derive(SimpleObject)]
pub(crate) struct EndLiveStreamsPayload {
    /// How many were open as far as their gateways had told by then; those are ending, and so are others that began a moment
    /// before.
    ended: i64,
}

/// Queries about streams.
#[derive(Default)]
pub(crate) struct StreamQuery;

#[Object]
impl StreamQuery {
    /// The streams that are open for people of the organization, in the order in which they were opened. Gateways tell of them
    /// about once a second. Needs `stream:read`, and is audited.
    async fn live_streams(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only these.")] filter: Option<LiveStreamFilter>,
        #[graphql(desc = "At most so many from the start, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Begin after this cursor.")] after: Option<String>,
        #[graphql(desc = "At most so many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "End before this cursor.")] before: Option<String>,
    ) -> Result<Connection<LiveStream>, Error<StreamError>> {
        let session = ctx.session();
        session.caller().require(&Permission::STREAM_READ)?;
        let page = Page::try_new((first, after), (last, before), PageLimits::USUAL);
        let page = page.map_err(StreamError::from)?;
        let LiveStreamFilter { user_id, machine_id, session: of_session, operation_name, kind } =
            filter.unwrap_or_default();
        let which = Which {
            id: None,
            user: user_id,
            machine: machine_id,
            session: of_session,
            operation: operation_name,
        };
        let filter = repo::StreamFilter { which, kind };
        let rows = repo::page(session, &filter, &page).await?;
        session.look(stream::READ.of_list(rows.len()));
        let total = Total::new(move |session| {
            let filter = filter.clone();
            async move { repo::count(&session, &filter).await }
        });
        Ok(page.connection(rows, total, |row| (Cursor::new(&(row.id,)), LiveStream::from(row))))
    }
}

/// Mutations of streams.
#[derive(Default)]
pub(crate) struct StreamMutation;

#[Object]
impl StreamMutation {
    /// Ends streams of the organization, whichever gateway has them. Their clients are told why, with the code `FORBIDDEN`
    /// and the reason `STREAM_ENDED`; nothing keeps them from subscribing again: end the session, or the membership, for
    /// that.
    async fn end_live_streams(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones.")] input: EndLiveStreamsInput,
    ) -> Result<EndLiveStreamsPayload, Error<StreamError>> {
        let EndLiveStreamsInput { stream_id, user_id, machine_id, session, operation_name, reason } = input;
        let which =
            Which { id: stream_id, user: user_id, machine: machine_id, session, operation: operation_name };
        Ok(EndLiveStreamsPayload { ended: stream::end(ctx.session(), which, &reason).await? })
    }
}
