//! `EmailDomain`: a domain of mail that is the organization's own.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use pulse_graphql::{ContextExt, Error};
use pulse_types::IdentityProviderId;

use crate::email_domain::{self, DomainError, DomainRow};
use crate::oidc::Oidc;

/// A domain of mail that the organization says is its own.
#[derive(SimpleObject)]
pub(crate) struct EmailDomain {
    /// The domain, in lower case.
    domain: String,
    /// A line that the domain must publish at `proofUrl` to show that it is the organization's.
    proof: String,
    /// Where it must.
    proof_url: String,
    /// When that was seen; null while it was not, and the domain counts for nothing.
    verified_at: Option<DateTime<Utc>>,
    /// The identity provider that signs in who has an address there; null for none.
    identity_provider_id: Option<IdentityProviderId>,
    /// When it was claimed.
    created_at: DateTime<Utc>,
}

/// A domain, and who signs in its people.
#[derive(InputObject)]
pub(crate) struct ClaimEmailDomainInput {
    /// The domain, such as `example.com`.
    domain: String,
    /// The identity provider that signs in who has an address there; none if left out.
    identity_provider_id: Option<IdentityProviderId>,
}

/// The claimed domain.
#[derive(SimpleObject)]
pub(crate) struct ClaimEmailDomainPayload {
    /// The domain, with what it must publish.
    email_domain: EmailDomain,
}

/// A domain that has published its proof.
#[derive(InputObject)]
pub(crate) struct VerifyEmailDomainInput {
    /// The domain.
    domain: String,
}

/// The domain that is the organization's.
#[derive(SimpleObject)]
pub(crate) struct VerifyEmailDomainPayload {
    /// The domain.
    email_domain: EmailDomain,
}

/// A domain to give up.
#[derive(InputObject)]
pub(crate) struct ReleaseEmailDomainInput {
    /// The domain.
    domain: String,
}

/// The domain that was given up.
#[derive(SimpleObject)]
pub(crate) struct ReleaseEmailDomainPayload {
    /// The domain.
    domain: String,
}

impl EmailDomain {
    fn new(row: DomainRow, oidc: &Oidc) -> Self {
        let DomainRow { domain, provider_id, proof, verified_at, created_at } = row;
        let proof_url = oidc.config.domain_proof_url.replace("{domain}", &domain);
        Self { domain, proof, proof_url, verified_at, identity_provider_id: provider_id, created_at }
    }
}

#[derive(Default)]
pub(crate) struct EmailDomainQuery;

#[Object]
impl EmailDomainQuery {
    /// The domains of mail that the organization that you act in has claimed, by name: 50 at most, unless the operator set
    /// another number. They are for its owners to see.
    async fn email_domains(&self, ctx: &Context<'_>) -> Option<Result<Vec<EmailDomain>, Error>> {
        let oidc = ctx.part::<Oidc>();
        let rows = email_domain::all(ctx.session()).await;
        Some(rows.map(|rows| rows.into_iter().map(|row| EmailDomain::new(row, oidc)).collect()))
    }
}

#[derive(Default)]
pub(crate) struct EmailDomainMutation;

#[Object]
impl EmailDomainMutation {
    /// Says that a domain of mail is the organization's, and which identity provider signs in its people. Claimed again, it
    /// leads to the identity provider that is named then, and stays shown if it was.
    async fn claim_email_domain(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The domain.")] input: ClaimEmailDomainInput,
    ) -> Result<ClaimEmailDomainPayload, Error<DomainError>> {
        let oidc = ctx.part::<Oidc>();
        let ClaimEmailDomainInput { domain, identity_provider_id } = input;
        let row = email_domain::claim(ctx.session(), oidc, &domain, identity_provider_id).await?;
        Ok(ClaimEmailDomainPayload { email_domain: EmailDomain::new(row, oidc) })
    }

    /// Looks whether the domain has published its proof; from then on it is the organization's, and no other's.
    async fn verify_email_domain(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The domain.")] input: VerifyEmailDomainInput,
    ) -> Result<VerifyEmailDomainPayload, Error<DomainError>> {
        let oidc = ctx.part::<Oidc>();
        let row = email_domain::verify(ctx.session(), oidc, &input.domain).await?;
        Ok(VerifyEmailDomainPayload { email_domain: EmailDomain::new(row, oidc) })
    }

    /// Gives a domain up: nobody is signed in by it any more, and another organization may claim it.
    async fn release_email_domain(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The domain.")] input: ReleaseEmailDomainInput,
    ) -> Result<ReleaseEmailDomainPayload, Error<DomainError>> {
        let domain = email_domain::release(ctx.session(), &input.domain).await?;
        Ok(ReleaseEmailDomainPayload { domain })
    }
}
