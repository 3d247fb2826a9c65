//! `Passkey`: a key in somebody's device, which signs in by itself.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use pulse_graphql::{ContextExt, Error, JsonObject};
use pulse_types::{PasskeyId, Secret};

use super::second_factor::SecondFactorError;
use super::session::SessionFields;
use super::user::User;
use crate::authority::Authority;
use crate::passkey::{self, Asked, PasskeyError, PasskeyRow};

/// A key in one of your devices, or that your devices share.
#[derive(SimpleObject)]
pub(crate) struct Passkey {
    /// The passkey's id.
    id: PasskeyId,
    /// What you call it.
    name: String,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it last signed you in; null for never.
    last_used_at: Option<DateTime<Utc>>,
}

/// Who wants a passkey.
#[derive(InputObject)]
pub(crate) struct BeginPasskeyInput {
    /// Your password.
    password: String,
}

/// A passkey that was made.
#[derive(InputObject)]
pub(crate) struct FinishPasskeyInput {
    /// The ceremony of `beginPasskey`.
    ceremony: String,
    /// What `navigator.credentials.create` has answered, by `toJSON()`.
    credential: JsonObject,
    /// What you want to call it: 1 to 120 characters.
    name: String,
}

/// What to call a passkey.
#[derive(InputObject)]
pub(crate) struct RenamePasskeyInput {
    /// A passkey of yours.
    passkey_id: PasskeyId,
    /// What you want to call it: 1 to 120 characters.
    name: String,
}

/// Which passkey to remove.
#[derive(InputObject)]
pub(crate) struct RemovePasskeyInput {
    /// A passkey of yours.
    passkey_id: PasskeyId,
}

/// A passkey that signs in.
#[derive(InputObject)]
pub(crate) struct SignInWithPasskeyInput {
    /// The ceremony of `beginPasskeySignIn`.
    ceremony: String,
    /// What `navigator.credentials.get` has answered, by `toJSON()`.
    credential: JsonObject,
    /// The organization to act in; the one that you joined first if not given.
    organization_slug: Option<String>,
}

/// What to ask the browser for.
#[derive(SimpleObject)]
pub(crate) struct BeginPasskeyPayload {
    /// Send it on with the browser's answer, within five minutes.
    ceremony: String,
    /// For `PublicKeyCredential.parseCreationOptionsFromJSON` and `navigator.credentials.create`.
    options: JsonObject,
}

/// The passkey signs you in from now on.
#[derive(SimpleObject)]
pub(crate) struct FinishPasskeyPayload {
    /// The passkey.
    passkey: Passkey,
}

/// The passkey has another name.
#[derive(SimpleObject)]
pub(crate) struct RenamePasskeyPayload {
    /// The passkey.
    passkey: Passkey,
}

/// The passkey signs nobody in any more.
#[derive(SimpleObject)]
pub(crate) struct RemovePasskeyPayload {
    /// The passkey that was removed. Your session goes on, every other one of yours has ended.
    passkey_id: PasskeyId,
}

/// What to ask the browser for.
#[derive(SimpleObject)]
pub(crate) struct BeginPasskeySignInPayload {
    /// Send it on with the browser's answer, within five minutes. It is good once.
    ceremony: String,
    /// For `PublicKeyCredential.parseRequestOptionsFromJSON` and `navigator.credentials.get`.
    options: JsonObject,
}

/// A new session.
#[derive(SimpleObject)]
pub(crate) struct SignInWithPasskeyPayload {
    #[graphql(flatten)]
    session: SessionFields,
}

impl From<PasskeyRow> for Passkey {
    fn from(PasskeyRow { id, name, created_at, last_used_at }: PasskeyRow) -> Self {
        Self { id, name, created_at, last_used_at }
    }
}

/// The caller's own passkeys.
pub(super) async fn of(ctx: &Context<'_>, user: &User) -> Result<Vec<Passkey>, Error<SecondFactorError>> {
    if ctx.session().caller().user() != Some(user.row().id) {
        return Err(SecondFactorError::NotYou.into());
    }
    Ok(passkey::all(ctx.session()).await?.into_iter().map(Passkey::from).collect())
}

#[derive(Default)]
pub(super) struct PasskeyMutation;

#[Object]
impl PasskeyMutation {
    /// Asks your browser for a new passkey.
    async fn begin_passkey(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who wants a passkey.")] input: BeginPasskeyInput,
    ) -> Result<BeginPasskeyPayload, Error<PasskeyError>> {
        let (authority, password) = (ctx.part::<Authority>(), Secret::new(input.password));
        let Asked { ceremony, options } = passkey::begin(ctx.session(), authority, password).await?;
        Ok(BeginPasskeyPayload { ceremony: ceremony.expose().to_owned(), options: JsonObject(options) })
    }

    /// Has the passkey sign you in that your browser has made.
    async fn finish_passkey(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the browser has answered.")] input: FinishPasskeyInput,
    ) -> Result<FinishPasskeyPayload, Error<PasskeyError>> {
        let FinishPasskeyInput { ceremony, credential: JsonObject(answer), name } = input;
        let (authority, ceremony) = (ctx.part::<Authority>(), Secret::new(ceremony));
        let made = passkey::finish(ctx.session(), authority, (&ceremony, &answer), &name).await?;
        Ok(FinishPasskeyPayload { passkey: made.into() })
    }

    /// Calls a passkey of yours something else.
    async fn rename_passkey(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one, and what to call it.")] input: RenamePasskeyInput,
    ) -> Result<RenamePasskeyPayload, Error<PasskeyError>> {
        let RenamePasskeyInput { passkey_id, name } = input;
        let renamed = passkey::rename(ctx.session(), passkey_id, &name).await?;
        Ok(RenamePasskeyPayload { passkey: renamed.into() })
    }

    /// Removes a passkey of yours, and ends your other sessions.
    async fn remove_passkey(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: RemovePasskeyInput,
    ) -> Result<RemovePasskeyPayload, Error<PasskeyError>> {
        Ok(RemovePasskeyPayload { passkey_id: passkey::remove(ctx.session(), input.passkey_id).await? })
    }

    /// Asks your browser for a passkey, whoever you are.
    async fn begin_passkey_sign_in(
        &self,
        ctx: &Context<'_>,
    ) -> Result<BeginPasskeySignInPayload, Error<PasskeyError>> {
        let Asked { ceremony, options } =
            passkey::begin_sign_in(ctx.session(), ctx.part::<Authority>()).await?;
        let (ceremony, options) = (ceremony.expose().to_owned(), JsonObject(options));
        Ok(BeginPasskeySignInPayload { ceremony, options })
    }

    /// Begins a session with a passkey. It stands for both factors: the device has asked who you are.
    async fn sign_in_with_passkey(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the browser has answered.")] input: SignInWithPasskeyInput,
    ) -> Result<SignInWithPasskeyPayload, Error<PasskeyError>> {
        let SignInWithPasskeyInput { ceremony, credential: JsonObject(answer), organization_slug } = input;
        let (authority, ceremony) = (ctx.part::<Authority>(), Secret::new(ceremony));
        let shown = (&ceremony, &answer);
        let signed_in =
            passkey::sign_in(ctx.session(), authority, shown, organization_slug.as_deref()).await?;
        Ok(SignInWithPasskeyPayload { session: SessionFields::new(signed_in) })
    }
}
