//! Signing in by a link in a letter.

use pulse_graphql::Error;
use pulse_store::{EventKind, Session};
use pulse_types::Secret;

use super::{Entered, MagicLinkError, of_nobody, own_row, second_step};
use crate::authority::Authority;
use crate::mail::{Letter, SealedAddress};
use crate::one_time_token::{self, InvalidToken, Purpose};
use crate::organization::{self, Seen};
use crate::throttle::{self, Attempt};
use crate::user::{self, EmailAddress};

/// Sends a letter to the address, if anybody has it; as with the one for a new password, asking says nothing about that.
pub(crate) async fn request(
    session: &Session,
    authority: &Authority,
    email: &str,
) -> Result<(), Error<MagicLinkError>> {
    let email = EmailAddress::try_new(email).map_err(MagicLinkError::from)?;
    let nobody = throttle::nobody(session);
    let mut write = nobody.write().await?;
    let attempt = Attempt::to_be_written_to(nobody.caller(), &authority.sealer, email.as_str());
    attempt.count_in_tx(&mut write).await?.map_err(MagicLinkError::from)?;
    let address = SealedAddress::new(&authority.sealer, &email);
    write.enqueue(Letter::SignIn { address }.job());
    Ok(write.commit(of_nobody("magic_link:request")).await?)
}

/// Begins a session with the token of such a letter, to act in the organization of `slug`, else in the one joined first.
/// Whoever has a second factor is asked for it first.
pub(crate) async fn sign_in(
    session: &Session,
    authority: &Authority,
    token: &Secret,
    slug: Option<&str>,
) -> Result<Entered, Error<MagicLinkError>> {
    let found = one_time_token::find::<MagicLinkError>(session, Purpose::SignIn, token).await?;
    let own = organization::own(&found.person).await?;
    let chosen = match slug {
        Some(slug) => Some(
            own.into_iter()
                .find(|own| own.organization.slug == slug)
                .ok_or(MagicLinkError::NoSuchOrganization)?,
        ),
        None => own.into_iter().next(),
    };
    let row = own_row(&found.person, found.user).await?;
    let mut write = found.take::<MagicLinkError>().await?;
    let row = if row.email_verified_at.is_some() {
        row
    } else {
        let row = user::verified_in_tx(&mut write, found.user, &found.address).await?;
        let row = row.ok_or(MagicLinkError::Token(InvalidToken))?;
        write.event_of_no_tenant(user::event(EventKind::Updated, &row, vec!["emailVerified"]));
        row
    };
    second_step::enter(write, authority, (row, found.person.caller()), chosen.map(Seen::from)).await
}
