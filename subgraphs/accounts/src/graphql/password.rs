//! Setting another password.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use pulse_graphql::{ContextExt, Error};
use pulse_types::Secret;

use crate::authority::Authority;
use crate::user::{self, NewPasswordError};

/// Who cannot sign in.
#[derive(InputObject)]
pub(crate) struct RequestPasswordResetInput {
    /// The address that you have registered with.
    email: String,
}

/// A new password, with the proof that you get the mail of the account's address.
#[derive(InputObject)]
pub(crate) struct ResetPasswordInput {
    /// What was sent to the address.
    token: String,
    /// 12 to 128 characters, of any kind. The most common passwords are refused.
    new_password: String,
}

/// A new password in place of the old one.
#[derive(InputObject)]
pub(crate) struct ChangePasswordInput {
    /// The password that you have now.
    password: String,
    /// 12 to 128 characters, of any kind. The most common passwords are refused.
    new_password: String,
}

/// The same whether anybody has the address or not.
#[derive(SimpleObject)]
pub(crate) struct RequestPasswordResetPayload {
    /// True: if anybody has registered with the address, a letter is sent to it.
    accepted: bool,
}

/// The password is set.
#[derive(SimpleObject)]
pub(crate) struct ResetPasswordPayload {
    /// True: sign in with it. Every session that there was has ended.
    reset: bool,
}

/// The password is another one.
#[derive(SimpleObject)]
pub(crate) struct ChangePasswordPayload {
    /// True: your session goes on, every other one of yours has ended.
    changed: bool,
}

#[derive(Default)]
pub(super) struct PasswordMutation;

#[Object]
impl PasswordMutation {
    /// Sends a letter by which you can set a new password. The answer does not say whether anybody has the address.
    async fn request_password_reset(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who cannot sign in.")] input: RequestPasswordResetInput,
    ) -> Result<RequestPasswordResetPayload, Error<NewPasswordError>> {
        user::request_reset(ctx.session(), ctx.part::<Authority>(), &input.email).await?;
        Ok(RequestPasswordResetPayload { accepted: true })
    }

    /// Sets a new password by what was sent to your address, and ends every session of yours.
    async fn reset_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The proof, and the new password.")] input: ResetPasswordInput,
    ) -> Result<ResetPasswordPayload, Error<NewPasswordError>> {
        let (token, password) = (Secret::new(input.token), Secret::new(input.new_password));
        user::reset_password(ctx.session(), ctx.part::<Authority>(), &token, password).await?;
        Ok(ResetPasswordPayload { reset: true })
    }

    /// Sets another password, and ends your other sessions.
    async fn change_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The old password and the new one.")] input: ChangePasswordInput,
    ) -> Result<ChangePasswordPayload, Error<NewPasswordError>> {
        let passwords = (Secret::new(input.password), Secret::new(input.new_password));
        user::change_password(ctx.session(), ctx.part::<Authority>(), passwords).await?;
        Ok(ChangePasswordPayload { changed: true })
    }
}
