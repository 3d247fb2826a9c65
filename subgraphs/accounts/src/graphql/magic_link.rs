//! Signing in by a link in a letter.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use pulse_graphql::{ContextExt, Error};
use pulse_types::Secret;

use super::session::EnteredFields;
use crate::authority::Authority;
use crate::session::{self, MagicLinkError};

/// Who wants to sign in.
#[derive(InputObject)]
pub(crate) struct RequestSignInLinkInput {
    /// The address that you have registered with.
    email: String,
}

/// Who signs in.
#[derive(InputObject)]
pub(crate) struct SignInWithLinkInput {
    /// What was sent to your address.
    token: String,
    /// The organization to act in; the one that you joined first if not given.
    organization_slug: Option<String>,
}

/// The same whether anybody has the address or not.
#[derive(SimpleObject)]
pub(crate) struct RequestSignInLinkPayload {
    /// True: if anybody has registered with the address, a letter is sent to it.
    accepted: bool,
}

/// A new session, or what is asked before there is one.
#[derive(SimpleObject)]
pub(crate) struct SignInWithLinkPayload {
    #[graphql(flatten)]
    entered: EnteredFields,
}

#[derive(Default)]
pub(super) struct MagicLinkMutation;

#[Object]
impl MagicLinkMutation {
    /// Sends a letter by which you can sign in without your password. The answer does not say whether anybody has the
    /// address.
    async fn request_sign_in_link(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who wants to sign in.")] input: RequestSignInLinkInput,
    ) -> Result<RequestSignInLinkPayload, Error<MagicLinkError>> {
        session::request_magic_link(ctx.session(), ctx.part::<Authority>(), &input.email).await?;
        Ok(RequestSignInLinkPayload { accepted: true })
    }

    /// Begins a session by what was sent to your address. It is good once. Whoever has a second factor gets a `challenge`
    /// instead, for `verifySecondFactor`.
    async fn sign_in_with_link(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who signs in.")] input: SignInWithLinkInput,
    ) -> Result<SignInWithLinkPayload, Error<MagicLinkError>> {
        let SignInWithLinkInput { token, organization_slug } = input;
        let (authority, token) = (ctx.part::<Authority>(), Secret::new(token));
        let entered =
            session::sign_in_with_link(ctx.session(), authority, &token, organization_slug.as_deref())
                .await?;
        Ok(SignInWithLinkPayload { entered: EnteredFields::new(entered) })
    }
}
