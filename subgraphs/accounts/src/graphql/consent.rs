//! `Consent`: what a person has agreed to.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use pulse_graphql::{ClientError, Code, Connection, ContextExt, Cursor, Error, Page, PageError, Total};
use pulse_types::ConsentId;

use super::user::User;
use crate::consent::{self, ConsentError, ConsentRow};

/// What you have consented to, in one version of its text.
#[derive(SimpleObject)]
pub(crate) struct Consent {
    /// Its id.
    id: ConsentId,
    /// What for, such as `newsletter`.
    purpose: String,
    /// The version of the text that you have agreed to.
    version: String,
    /// When you gave it.
    given_at: DateTime<Utc>,
    /// When you withdrew it, or gave one to another version; null while it holds.
    withdrawn_at: Option<DateTime<Utc>>,
}

impl From<ConsentRow> for Consent {
    fn from(row: ConsentRow) -> Self {
        let ConsentRow { id, purpose, version, given_at, withdrawn_at } = row;
        Self { id, purpose, version, given_at, withdrawn_at }
    }
}

/// What to consent to.
#[derive(InputObject)]
pub(crate) struct GiveConsentInput {
    /// What for: 1 to 64 of a-z, 0-9, dot, dash and underscore.
    purpose: String,
    /// The version of the text that was shown: 1 to 64 characters.
    version: String,
}

/// The consent that holds.
#[derive(SimpleObject)]
pub(crate) struct GiveConsentPayload {
    /// It takes the place of one to another version.
    consent: Consent,
}

/// Which consent to withdraw.
#[derive(InputObject)]
pub(crate) struct WithdrawConsentInput {
    /// What it is for.
    purpose: String,
}

/// The withdrawn consent.
#[derive(SimpleObject)]
pub(crate) struct WithdrawConsentPayload {
    /// It stays in the list, as proof.
    consent: Consent,
}

/// Why consents cannot be listed.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum ConsentsError {
    /// Wrong arguments.
    #[error(transparent)]
    Page(#[from] PageError),
    /// Somebody else's.
    #[error("only the person may see what it has consented to")]
    NotYou,
}

impl ClientError for ConsentsError {
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

/// The caller's own consents.
pub(super) async fn consents_of(
    ctx: &Context<'_>,
    user: &User,
    page: Result<Page, PageError>,
) -> Result<Connection<Consent>, Error<ConsentsError>> {
    if ctx.session().caller().user() != Some(user.row().id) {
        return Err(ConsentsError::NotYou.into());
    }
    let page = page.map_err(ConsentsError::from)?;
    let rows = consent::page(ctx.session(), &page).await;
    let rows = rows.map_err(|error| error.map_client(ConsentsError::from))?;
    let total = Total::new(|session| async move { consent::count(&session).await });
    Ok(page.connection(rows, total, |row| (Cursor::new(&(row.id,)), Consent::from(row))))
}

#[derive(Default)]
pub(super) struct ConsentMutation;

#[Object]
impl ConsentMutation {
    /// Writes down that you consent to a version of a text. One to another version of it ends.
    async fn give_consent(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to consent to.")] input: GiveConsentInput,
    ) -> Result<GiveConsentPayload, Error<ConsentError>> {
        let row = consent::give(ctx.session(), &input.purpose, &input.version).await?;
        Ok(GiveConsentPayload { consent: row.into() })
    }

    /// Withdraws what you have consented to.
    async fn withdraw_consent(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which consent.")] input: WithdrawConsentInput,
    ) -> Result<WithdrawConsentPayload, Error<ConsentError>> {
        let row = consent::withdraw(ctx.session(), &input.purpose).await?;
        Ok(WithdrawConsentPayload { consent: row.into() })
    }
}
