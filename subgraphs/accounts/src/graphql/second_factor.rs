//! `SecondFactor`: what is asked of somebody beside the password.

use async_graphql::{Context, Enum, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use pulse_graphql::{ClientError, Code, ContextExt, Error, JsonObject};
use pulse_types::Secret;

use super::session::SessionFields;
use super::user::User;
use crate::authority::Authority;
use crate::factor::{self, Enrolment, FactorError, FactorRow, Proof};
use crate::session::{self, Challenge, SecondFactor as Shown, SecondStepError};

/// What is asked of you when you sign in, beside your password or a link.
#[derive(SimpleObject)]
pub(crate) struct SecondFactor {
    /// Since when codes of your app are asked.
    confirmed_at: DateTime<Utc>,
    /// How many of your recovery codes are left, of ten.
    recovery_codes_left: i32,
}

/// What can be shown as a second factor.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SecondFactorKind {
    /// The code that your app shows: `verifySecondFactor(input: { code: … })`.
    Totp,
    /// One of the codes that you have kept for when the app is lost: `verifySecondFactor(input: { recoveryCode: … })`.
    RecoveryCode,
    /// A passkey of yours: ask your browser as `beginPasskeySignIn` says, then `verifySecondFactor(input: { passkey: … })`.
    Passkey,
}

/// The first of two factors was right, and the second is asked. There is no session yet.
#[derive(SimpleObject)]
pub(crate) struct SignInChallenge {
    /// Send it on with the second factor, by `verifySecondFactor`. It is good for one session and few wrong codes. Keep it
    /// secret.
    token: String,
    /// Until when.
    expires_at: DateTime<Utc>,
    /// What can be shown.
    kinds: Vec<SecondFactorKind>,
}

/// A passkey that is shown as a second factor.
#[derive(InputObject)]
pub(crate) struct PasskeyFactorInput {
    /// The ceremony of `beginPasskeySignIn`.
    ceremony: String,
    /// What `navigator.credentials.get` has answered, by `toJSON()`.
    credential: JsonObject,
}

/// The second factor of a sign-in. Give a code, a recovery code or a passkey.
#[derive(InputObject)]
pub(crate) struct VerifySecondFactorInput {
    /// The token of the challenge.
    challenge: String,
    /// The six digits that your app shows.
    code: Option<String>,
    /// One of your recovery codes, which is worth nothing afterwards.
    recovery_code: Option<String>,
    /// A passkey of yours.
    passkey: Option<PasskeyFactorInput>,
}

/// Who wants codes to be asked.
#[derive(InputObject)]
pub(crate) struct BeginTotpInput {
    /// Your password.
    password: String,
}

/// What your app shows.
#[derive(InputObject)]
pub(crate) struct ConfirmTotpInput {
    /// The six digits.
    code: String,
}

/// Who wants no codes to be asked. Give your password or a code.
#[derive(InputObject)]
pub(crate) struct RemoveTotpInput {
    /// Your password.
    password: Option<String>,
    /// The six digits that your app shows.
    code: Option<String>,
}

/// Who wants other recovery codes. Give your password or a code.
#[derive(InputObject)]
pub(crate) struct ReplaceRecoveryCodesInput {
    /// Your password.
    password: Option<String>,
    /// The six digits that your app shows.
    code: Option<String>,
}

/// A new session.
#[derive(SimpleObject)]
pub(crate) struct VerifySecondFactorPayload {
    #[graphql(flatten)]
    session: SessionFields,
}

/// What to set your app up with. It is shown once.
#[derive(SimpleObject)]
pub(crate) struct BeginTotpPayload {
    /// The secret in base32, to be typed into the app: codes of six digits by SHA-1, one every 30 seconds.
    secret: String,
    /// The same as an `otpauth:` address: show it as a QR code.
    uri: String,
    /// Until when `confirmTotp` takes a code.
    expires_at: DateTime<Utc>,
}

/// Codes are asked from now on.
#[derive(SimpleObject)]
pub(crate) struct ConfirmTotpPayload {
    /// Ten codes for when the app is lost, each good once. They are shown once: keep them.
    recovery_codes: Vec<String>,
}

/// Codes are asked no more.
#[derive(SimpleObject)]
pub(crate) struct RemoveTotpPayload {
    /// True: your session goes on, every other one of yours has ended.
    removed: bool,
}

/// Recovery codes in place of those of before.
#[derive(SimpleObject)]
pub(crate) struct ReplaceRecoveryCodesPayload {
    /// Ten codes, each good once. They are shown once: keep them.
    recovery_codes: Vec<String>,
}

/// Why a second factor is not shown.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum SecondFactorError {
    /// Somebody else's.
    #[error("only the person may see what is asked of it")]
    NotYou,
}

impl ClientError for SecondFactorError {
    fn code(&self) -> Code {
        Code::Forbidden
    }
}

impl SignInChallenge {
    pub(super) fn new(Challenge { token, expires_at, passkey }: Challenge) -> Self {
        let passkey = passkey.then_some(SecondFactorKind::Passkey);
        let kinds =
            [SecondFactorKind::Totp, SecondFactorKind::RecoveryCode].into_iter().chain(passkey).collect();
        Self { token: token.expose().to_owned(), expires_at, kinds }
    }
}

/// The caller's own second factor.
pub(super) async fn of(
    ctx: &Context<'_>,
    user: &User,
) -> Result<Option<SecondFactor>, Error<SecondFactorError>> {
    if ctx.session().caller().user() != Some(user.row().id) {
        return Err(SecondFactorError::NotYou.into());
    }
    let row = factor::find(ctx.session()).await?;
    Ok(row.map(|FactorRow { confirmed_at, recovery_codes }| SecondFactor {
        confirmed_at,
        recovery_codes_left: i32::try_from(recovery_codes).unwrap_or(i32::MAX),
    }))
}

#[derive(Default)]
pub(super) struct SecondFactorMutation;

#[Object]
impl SecondFactorMutation {
    /// Begins the session for which a sign-in has brought a challenge.
    async fn verify_second_factor(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The challenge, and the second factor.")] input: VerifySecondFactorInput,
    ) -> Result<VerifySecondFactorPayload, Error<SecondStepError>> {
        let VerifySecondFactorInput { challenge, code, recovery_code, passkey } = input;
        let passkey =
            passkey.map(|PasskeyFactorInput { ceremony, credential: JsonObject(answer) }| (ceremony, answer));
        let (authority, challenge) = (ctx.part::<Authority>(), Secret::new(challenge));
        let shown = Shown::try_new(code, recovery_code, passkey)?;
        let signed_in = session::complete(ctx.session(), authority, &challenge, shown).await?;
        Ok(VerifySecondFactorPayload { session: SessionFields::new(signed_in) })
    }

    /// Makes a secret for an app that shows codes. None is asked until `confirmTotp`.
    async fn begin_totp(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who wants codes to be asked.")] input: BeginTotpInput,
    ) -> Result<BeginTotpPayload, Error<FactorError>> {
        let (authority, password) = (ctx.part::<Authority>(), Secret::new(input.password));
        let Enrolment { secret, uri, expires_at } = factor::begin(ctx.session(), authority, password).await?;
        let (secret, uri) = (secret.expose().to_owned(), uri.expose().to_owned());
        Ok(BeginTotpPayload { secret, uri, expires_at })
    }

    /// Has codes of your app asked from now on when you sign in, and ends your other sessions.
    async fn confirm_totp(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What your app shows.")] input: ConfirmTotpInput,
    ) -> Result<ConfirmTotpPayload, Error<FactorError>> {
        let code = Secret::new(input.code);
        let codes = factor::confirm(ctx.session(), ctx.part::<Authority>(), &code).await?;
        Ok(ConfirmTotpPayload { recovery_codes: exposed(&codes) })
    }

    /// Has no codes asked any more, and ends your other sessions.
    async fn remove_totp(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The proof that it is you.")] input: RemoveTotpInput,
    ) -> Result<RemoveTotpPayload, Error<FactorError>> {
        let proof = Proof::try_new(input.password, input.code)?;
        factor::remove(ctx.session(), ctx.part::<Authority>(), proof).await?;
        Ok(RemoveTotpPayload { removed: true })
    }

    /// Makes other recovery codes, and ends your other sessions.
    async fn replace_recovery_codes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The proof that it is you.")] input: ReplaceRecoveryCodesInput,
    ) -> Result<ReplaceRecoveryCodesPayload, Error<FactorError>> {
        let proof = Proof::try_new(input.password, input.code)?;
        let codes = factor::replace_codes(ctx.session(), ctx.part::<Authority>(), proof).await?;
        Ok(ReplaceRecoveryCodesPayload { recovery_codes: exposed(&codes) })
    }
}

fn exposed(codes: &[Secret]) -> Vec<String> {
    codes.iter().map(|code| code.expose().to_owned()).collect()
}
