//! `Session`: where somebody is signed in.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use pulse_graphql::{ClientError, Code, Connection, ContextExt, Cursor, Error, Page, PageError, Total};
use pulse_types::{OrgId, SessionId};

use super::user::User;
use crate::authority::Authority;
use crate::session::{self, SessionError, SessionRow};

/// A row of the caller's.
pub(crate) struct Session(SessionRow);

/// Which session to end.
#[derive(InputObject)]
pub(crate) struct EndSessionInput {
    /// A session of yours.
    session_id: SessionId,
}

/// The ended session.
#[derive(SimpleObject)]
pub(crate) struct EndSessionPayload {
    /// Its tokens are refused from now on, and what it followed ends.
    session_id: SessionId,
}

/// The ended sessions.
#[derive(SimpleObject)]
pub(crate) struct EndOtherSessionsPayload {
    /// Their tokens are refused from now on, and what they followed ends.
    session_ids: Vec<SessionId>,
}

/// Why sessions cannot be listed.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum SessionsError {
    /// Wrong arguments.
    #[error(transparent)]
    Page(#[from] PageError),
    /// Somebody else's.
    #[error("only the person may see where it is signed in")]
    NotYou,
}

impl ClientError for SessionsError {
    fn code(&self) -> Code {
        match self {
            Self::Page(error) => error.code(),
            Self::NotYou => Code::Forbidden,
        }
    }

    fn field(&self) -> Option<String> {
        match self {
            Self::Page(error) => error.field(),
            Self::NotYou => None,
        }
    }
}

/// Where you are signed in: one sign-in, and what it was refreshed to.
#[Object]
impl Session {
    /// The session's id.
    async fn id(&self) -> SessionId {
        self.0.id
    }

    /// Whether it is the one that asks.
    async fn is_current(&self, ctx: &Context<'_>) -> bool {
        ctx.session().caller().session == Some(self.0.id)
    }

    /// When you signed in.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it was last refreshed, or begun.
    async fn last_used_at(&self) -> DateTime<Utc> {
        self.0.last_used_at.unwrap_or(self.0.created_at)
    }

    /// What the client said that it is, when it signed in or last refreshed.
    async fn user_agent(&self) -> Option<&str> {
        self.0.user_agent.as_deref()
    }

    /// The network address that it came from then.
    async fn address(&self) -> Option<&str> {
        self.0.address.as_deref()
    }

    /// The organization that it acts in.
    async fn organization_id(&self) -> Option<OrgId> {
        self.0.organization
    }
}

/// The caller's own sessions.
pub(super) async fn sessions_of(
    ctx: &Context<'_>,
    user: &User,
    page: Result<Page, PageError>,
) -> Result<Connection<Session>, Error<SessionsError>> {
    if ctx.session().caller().user() != Some(user.row().id) {
        return Err(SessionsError::NotYou.into());
    }
    let page = page.map_err(SessionsError::from)?;
    let config = &ctx.part::<Authority>().config;
    let rows = session::page(ctx.session(), config, &page).await;
    let rows = rows.map_err(|error| error.map_client(SessionsError::from))?;
    let config = config.clone();
    let total = Total::new(move |session| {
        let config = config.clone();
        async move { session::count(&session, &config).await }
    });
    Ok(page.connection(rows, total, |row| (Cursor::new(&(row.id,)), Session(row))))
}

#[derive(Default)]
pub(super) struct DeviceMutation;

#[Object]
impl DeviceMutation {
    /// Ends a session of yours, within a second everywhere.
    async fn end_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: EndSessionInput,
    ) -> Result<EndSessionPayload, Error<SessionError>> {
        Ok(EndSessionPayload { session_id: session::end_one(ctx.session(), input.session_id).await? })
    }

    /// Ends every session of yours but the one that asks, within a second everywhere.
    async fn end_other_sessions(
        &self,
        ctx: &Context<'_>,
    ) -> Result<EndOtherSessionsPayload, Error<SessionError>> {
        Ok(EndOtherSessionsPayload { session_ids: session::end_others(ctx.session()).await? })
    }
}
