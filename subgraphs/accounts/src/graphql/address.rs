//! Showing that an address is yours, and having another one.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use pulse_graphql::{ContextExt, Error};
use pulse_types::Secret;

use super::user::User;
use crate::authority::Authority;
use crate::one_time_token::InvalidToken;
use crate::user::{self, AddressError};

/// The proof that an address is yours.
#[derive(InputObject)]
pub(crate) struct VerifyEmailInput {
    /// What was sent to the address.
    token: String,
}

/// The address that you want to have.
#[derive(InputObject)]
pub(crate) struct RequestEmailChangeInput {
    /// The new address.
    email: String,
    /// Your password: whoever finds an open session of yours should not be able to take your account with it.
    password: String,
}

/// The proof that the new address is yours.
#[derive(InputObject)]
pub(crate) struct ConfirmEmailChangeInput {
    /// What was sent to the new address.
    token: String,
}

/// The letter is on its way.
#[derive(SimpleObject)]
pub(crate) struct RequestEmailVerificationPayload {
    /// True: a letter is sent, unless the address is known to be yours already.
    accepted: bool,
}

/// You, with an address that is known to be yours.
#[derive(SimpleObject)]
pub(crate) struct VerifyEmailPayload {
    /// The address.
    email: String,
}

/// The letter is on its way.
#[derive(SimpleObject)]
pub(crate) struct RequestEmailChangePayload {
    /// True: a letter is sent to the new address. You have it once that is confirmed.
    accepted: bool,
}

/// You, with another address.
#[derive(SimpleObject)]
pub(crate) struct ConfirmEmailChangePayload {
    /// The address that you sign in with from now on.
    email: String,
}

#[derive(Default)]
pub(super) struct AddressMutation;

#[Object]
impl AddressMutation {
    /// Sends the letter again by which you show that your address is yours. The one before is good no more.
    async fn request_email_verification(
        &self,
        ctx: &Context<'_>,
    ) -> Result<RequestEmailVerificationPayload, Error> {
        user::request_verification(ctx.session()).await?;
        Ok(RequestEmailVerificationPayload { accepted: true })
    }

    /// Shows that an address is yours, by what was sent to it. Needs no session.
    async fn verify_email(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The proof.")] input: VerifyEmailInput,
    ) -> Result<VerifyEmailPayload, Error<InvalidToken>> {
        let row = user::verify(ctx.session(), &Secret::new(input.token)).await?;
        Ok(VerifyEmailPayload { email: row.email })
    }

    /// Sends a letter to the address that you want to have.
    async fn request_email_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The address, and your password.")] input: RequestEmailChangeInput,
    ) -> Result<RequestEmailChangePayload, Error<AddressError>> {
        let RequestEmailChangeInput { email, password } = input;
        let authority = ctx.part::<Authority>();
        user::request_change(ctx.session(), authority, &email, Secret::new(password)).await?;
        Ok(RequestEmailChangePayload { accepted: true })
    }

    /// Gives you the address that you wanted to have, by what was sent to it. The old one is told. Needs no session.
    async fn confirm_email_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The proof.")] input: ConfirmEmailChangeInput,
    ) -> Result<ConfirmEmailChangePayload, Error<AddressError>> {
        let sealer = &ctx.part::<Authority>().sealer;
        let row = user::confirm_change(ctx.session(), sealer, &Secret::new(input.token)).await?;
        Ok(ConfirmEmailChangePayload { email: row.email })
    }
}

impl User {
    /// Whether the address is known to be the person's own; `None` for anybody but the caller.
    pub(super) fn email_is_verified(&self, ctx: &Context<'_>) -> Option<bool> {
        let row = self.row();
        (ctx.session().caller().user() == Some(row.id)).then_some(row.email_verified_at.is_some())
    }
}
