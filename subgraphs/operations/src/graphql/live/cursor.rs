//! `Query.streamCursor`

use async_graphql::{Context, Object};
use chrono::{DateTime, TimeDelta, Utc};
use pulse_graphql::{ContextExt, Error};
use pulse_types::{Permission, RequestId};

/// Other fields of a request may have been read so long before this one, by clocks that are not quite the same.
const EARLIER: TimeDelta = TimeDelta::seconds(1);

/// Queries about the event log.
#[derive(Default)]
pub(crate) struct CursorQuery;

#[Object]
impl CursorQuery {
    /// A place in the event log that lies before everything that this request reads. Subscribe with it as `after` to miss
    /// nothing that the rest of the answer does not show yet; changes of the last second or so may be told of although it
    /// shows them, which their versions say.
    async fn stream_cursor(&self, ctx: &Context<'_>) -> Result<String, Error> {
        let session = ctx.session();
        session.caller().require(&Permission::ORGANIZATION_READ)?;
        let now = session.store().clock().now();
        let begun = begin(session.caller().request).map_or(now, |begun| begun.min(now));
        Ok(ctx.tail().cursor_at(begun - EARLIER).await.to_string())
    }
}

/// When a request came in, which its id says.
fn begin(request: RequestId) -> Option<DateTime<Utc>> {
    let (seconds, nanoseconds) = request.uuid().get_timestamp()?.to_unix();
    DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanoseconds)
}
