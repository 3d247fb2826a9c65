//! `DataExport`, and erasing persons.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use pulse_graphql::{ContextExt, Error};
use pulse_types::{PrivacyRequestId, Secret, UserId};

use crate::authority::Authority;
use crate::privacy::{self, AnonymizationError, ErasureError, ExportError, RequestRow, RequestStatus};

/// A file with everything that is stored about a person.
pub(crate) struct DataExport(RequestRow);

/// A file with everything that is stored about a person, as JSON: for each part of Pulse its tables, and in each the rows.
#[Object]
impl DataExport {
    /// The export's id.
    async fn id(&self) -> PrivacyRequestId {
        self.0.id
    }

    /// Whom it is about; null once that person is erased.
    async fn user_id(&self) -> Option<UserId> {
        self.0.person
    }

    /// How far it is.
    async fn status(&self) -> RequestStatus {
        self.0.status
    }

    /// When it was asked for.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it was completed.
    async fn finished_at(&self) -> Option<DateTime<Utc>> {
        self.0.finished_at
    }

    /// When the file is deleted; null before it is there, and after.
    async fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.0.expires_at
    }

    /// The size of the file in bytes; null before it is there.
    async fn size(&self) -> Option<i64> {
        self.0.bytes
    }

    /// Where to get the file: a path on this server, signed for you alone and good for 15 minutes. Send your access token with
    /// the request, as with any other. Null before the file is there, and after it was deleted.
    async fn download_path(&self, ctx: &Context<'_>) -> Option<String> {
        privacy::link(ctx.session(), ctx.part::<Authority>(), &self.0)
    }
}

/// The export that was begun.
#[derive(SimpleObject)]
pub(crate) struct ExportMyDataPayload {
    /// Ask for `dataExport` until it is completed.
    export: DataExport,
}

/// Whose data to export.
#[derive(InputObject)]
pub(crate) struct ExportUserDataInput {
    /// A member of the organization.
    user_id: UserId,
}

/// The export that was begun.
#[derive(SimpleObject)]
pub(crate) struct ExportUserDataPayload {
    /// Ask for `dataExport` until it is completed.
    export: DataExport,
}

/// Whom to erase.
#[derive(InputObject)]
pub(crate) struct EraseUserInput {
    /// You, or a member of the organization who is a member of no other.
    user_id: UserId,
}

/// The person who will be erased.
#[derive(SimpleObject)]
pub(crate) struct EraseUserPayload {
    /// Who it is. Nobody is signed in as this person any more.
    user_id: UserId,
    /// When everything that is stored about the person is erased.
    erased_at: DateTime<Utc>,
    /// Takes it back until then, by `undoErasure`. Shown this once, and the only way.
    undo_token: String,
}

/// Whom to make anonymous.
#[derive(InputObject)]
pub(crate) struct AnonymizeUserInput {
    /// Somebody else who is a member of the organization, or has been.
    user_id: UserId,
}

/// The person of whom the organization will know nothing any more.
#[derive(SimpleObject)]
pub(crate) struct AnonymizeUserPayload {
    /// Who it is. The person is no member of the organization any more.
    user_id: UserId,
    /// When it was asked for. It is done from now on, in the background.
    requested_at: DateTime<Utc>,
}

/// Which erasure to take back.
#[derive(InputObject)]
pub(crate) struct UndoErasureInput {
    /// What `eraseUser` has answered.
    token: String,
}

/// The person who will not be erased.
#[derive(SimpleObject)]
pub(crate) struct UndoErasurePayload {
    /// Who it is. Sessions that were ended stay so: sign in again.
    user_id: UserId,
}

#[derive(Default)]
pub(super) struct PrivacyQuery;

#[Object]
impl PrivacyQuery {
    /// An export that you have asked for; null when there is none with this id.
    async fn data_export(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The export's id.")] id: PrivacyRequestId,
    ) -> Option<Result<DataExport, Error>> {
        privacy::find_export(ctx.session(), id).await.map(|row| row.map(DataExport)).transpose()
    }
}

#[derive(Default)]
pub(super) struct PrivacyMutation;

#[Object]
impl PrivacyMutation {
    /// Has everything exported that is stored about you, in all organizations.
    async fn export_my_data(&self, ctx: &Context<'_>) -> Result<ExportMyDataPayload, Error<ExportError>> {
        let user = ctx.session().caller().require_user()?;
        Ok(ExportMyDataPayload { export: DataExport(privacy::export(ctx.session(), user).await?) })
    }

    /// Has what this organization has of a member exported, for you to download. Needs `privacy:manage`.
    async fn export_user_data(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose data.")] input: ExportUserDataInput,
    ) -> Result<ExportUserDataPayload, Error<ExportError>> {
        Ok(ExportUserDataPayload { export: DataExport(privacy::export(ctx.session(), input.user_id).await?) })
    }

    /// Signs a person out everywhere at once, and erases everything that is stored about it after a time of grace. Yourself, or
    /// with `privacy:manage` a member who belongs to this organization alone.
    async fn erase_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom to erase.")] input: EraseUserInput,
    ) -> Result<EraseUserPayload, Error<ErasureError>> {
        let erasure = privacy::erase(ctx.session(), ctx.part::<Authority>(), input.user_id).await?;
        Ok(EraseUserPayload {
            user_id: input.user_id,
            erased_at: erasure.request.due_at,
            undo_token: erasure.undo.expose().to_owned(),
        })
    }

    /// Ends a person's membership, and has this organization forget who it was: what they have done stays, as done by nobody, and
    /// what is stored of them here is emptied or deleted, in data, history, log and audit. Their account stays, and what other
    /// organizations have of them. It cannot be taken back. Needs `privacy:manage`, and `organization:manage` for an owner.
    async fn anonymize_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom to make anonymous.")] input: AnonymizeUserInput,
    ) -> Result<AnonymizeUserPayload, Error<AnonymizationError>> {
        let request = privacy::anonymize(ctx.session(), input.user_id).await?;
        Ok(AnonymizeUserPayload { user_id: input.user_id, requested_at: request.created_at })
    }

    /// Takes `eraseUser` back before the time of grace is over. Needs no session.
    async fn undo_erasure(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which erasure.")] input: UndoErasureInput,
    ) -> Result<UndoErasurePayload, Error<ErasureError>> {
        let user_id =
            privacy::undo(ctx.session(), ctx.part::<Authority>(), &Secret::new(input.token)).await?;
        Ok(UndoErasurePayload { user_id })
    }
}
