//! `IdentityProvider`: an issuer by which people sign in to the organization.

use async_graphql::{Context, InputObject, MaybeUndefined, Object, SimpleObject};
use chrono::{DateTime, Utc};
use pulse_graphql::{ContextExt, Error};
use pulse_types::{IdentityProviderId, Role, Secret};

use crate::authority::Authority;
use crate::identity_provider::{self, ProviderChange, ProviderError, ProviderRow, ProviderSettings};
use crate::oidc::{Metadata, Oidc, RoleMapping, RoleRules, usual_scopes};

/// An issuer of OpenID Connect by which people sign in to the organization.
pub(crate) struct IdentityProvider(ProviderRow);

/// A value of the claim that gives roles, and the role that it gives.
#[derive(SimpleObject, InputObject)]
#[graphql(name = "ClaimedRole", input_name = "ClaimedRoleInput")]
pub(crate) struct ClaimedRole {
    /// The value, such as a group's name or id: 1 to 255 characters, compared as it is.
    value: String,
    /// The role of those who have it.
    role: Role,
}

/// An issuer that is to be used.
#[derive(InputObject)]
pub(crate) struct CreateIdentityProviderInput {
    /// What people read on the button: 1 to 120 characters.
    name: String,
    /// The issuer, as its ID tokens name it: an `https://` address of a public host.
    issuer: String,
    /// What Pulse is called there: 1 to 255 characters.
    client_id: String,
    /// What Pulse proves itself with there. It is stored sealed and never shown. None for a public client.
    client_secret: Option<String>,
    /// What is asked for beside `openid`; `profile` and `email` if left out.
    scopes: Option<Vec<String>>,
    /// Whether anybody is signed in by it.
    #[graphql(default = true)]
    enabled: bool,
    /// Whether people who have no account get one.
    #[graphql(default = true)]
    sign_up: bool,
    /// Whether its addresses count as verified although it does not say `email_verified`, as Entra does not.
    #[graphql(default)]
    assumes_verified: bool,
    /// Whether it is believed when it says, by `amr` or `acr`, that somebody has shown more than one factor there. Else, and if left
    /// out, who has a second factor here is asked for it.
    trusts_second_factor: Option<bool>,
    /// The claim by which roles are given, with dots between the names on the way to it, such as `groups` or
    /// `realm_access.roles`.
    role_claim: Option<String>,
    /// Which values of it give which role. Of several, the one that stands first counts; it is given anew at each sign-in.
    #[graphql(default)]
    role_mappings: Vec<ClaimedRole>,
    /// The role of those to whom none of the values gives one; without it they are refused.
    default_role: Option<Role>,
    /// Makes it safe to repeat the request: the same key makes it once.
    idempotency_key: Option<String>,
}

/// The new issuer.
#[derive(SimpleObject)]
pub(crate) struct CreateIdentityProviderPayload {
    /// The issuer.
    identity_provider: IdentityProvider,
}

/// What is to change of an issuer; what is left out stays.
#[derive(InputObject)]
pub(crate) struct UpdateIdentityProviderInput {
    /// Which one.
    id: IdentityProviderId,
    /// What people read on the button from now on.
    name: Option<String>,
    /// The issuer from now on. Who was linked at the one before is not linked at this one.
    issuer: Option<String>,
    /// What Pulse is called there from now on.
    client_id: Option<String>,
    /// What Pulse proves itself with there from now on.
    client_secret: Option<String>,
    /// What is asked for from now on, beside `openid`.
    scopes: Option<Vec<String>>,
    /// Whether anybody is signed in by it from now on.
    enabled: Option<bool>,
    /// Whether people who have no account get one from now on.
    sign_up: Option<bool>,
    /// Whether its addresses count as verified from now on although it does not say so.
    assumes_verified: Option<bool>,
    /// Whether it is believed from now on when it says that somebody has shown more than one factor there.
    trusts_second_factor: Option<bool>,
    /// The claim by which roles are given from now on; null for none.
    role_claim: MaybeUndefined<String>,
    /// Which values of it give which role from now on, in place of those before.
    role_mappings: Option<Vec<ClaimedRole>>,
    /// The role of those to whom none of the values gives one; null to refuse them.
    default_role: MaybeUndefined<Role>,
    /// Refuse the change when the issuer has another version by now.
    expected_version: Option<i64>,
}

/// The issuer as it is now.
#[derive(SimpleObject)]
pub(crate) struct UpdateIdentityProviderPayload {
    /// The issuer.
    identity_provider: IdentityProvider,
}

/// Which issuer is not to be used any more.
#[derive(InputObject)]
pub(crate) struct DeleteIdentityProviderInput {
    /// Which one.
    id: IdentityProviderId,
}

/// What was deleted.
#[derive(SimpleObject)]
pub(crate) struct DeleteIdentityProviderPayload {
    /// The id of the deleted issuer.
    id: IdentityProviderId,
}

/// Which issuer to try.
#[derive(InputObject)]
pub(crate) struct TestIdentityProviderInput {
    /// Which one.
    id: IdentityProviderId,
}

/// What the issuer says of itself now.
#[derive(SimpleObject)]
pub(crate) struct TestIdentityProviderPayload {
    /// Where people are sent to sign in.
    authorization_endpoint: String,
    /// Where codes are exchanged; null if it has none, and nobody can be signed in.
    token_endpoint: Option<String>,
    /// Where it says more of a person; null if it has none.
    userinfo_endpoint: Option<String>,
    /// Where people are sent to be signed out; null if it has none.
    end_session_endpoint: Option<String>,
    /// How many keys it signs with.
    signing_keys: usize,
    /// Whether it names itself beside its codes, so that two issuers are not mistaken for each other (RFC 9207).
    names_itself: bool,
}

impl From<&Metadata> for TestIdentityProviderPayload {
    fn from(metadata: &Metadata) -> Self {
        let more = metadata.additional_metadata();
        Self {
            authorization_endpoint: metadata.authorization_endpoint().to_string(),
            token_endpoint: metadata.token_endpoint().map(ToString::to_string),
            userinfo_endpoint: metadata.userinfo_endpoint().map(ToString::to_string),
            end_session_endpoint: more.end_session_endpoint.as_ref().map(ToString::to_string),
            signing_keys: metadata.jwks().keys().len(),
            names_itself: more.authorization_response_iss_parameter_supported,
        }
    }
}

impl ClaimedRole {
    fn into_mapping(self) -> RoleMapping {
        let Self { value, role } = self;
        RoleMapping { value, role }
    }
}

/// An issuer of OpenID Connect by which people sign in to the organization.
#[Object]
impl IdentityProvider {
    /// Its id.
    async fn id(&self) -> IdentityProviderId {
        self.0.id
    }

    /// What people read on the button.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The issuer, as its ID tokens name it.
    async fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// What Pulse is called there.
    async fn client_id(&self) -> &str {
        &self.0.client_id
    }

    /// Whether Pulse has a secret to prove itself with there.
    async fn has_client_secret(&self) -> bool {
        self.0.has_secret
    }

    /// What is asked for beside `openid`.
    async fn scopes(&self) -> &[String] {
        &self.0.scopes
    }

    /// Whether anybody is signed in by it.
    async fn enabled(&self) -> bool {
        self.0.enabled
    }

    /// Whether people who have no account get one.
    async fn sign_up(&self) -> bool {
        self.0.sign_up
    }

    /// Whether its addresses count as verified although it does not say so.
    async fn assumes_verified(&self) -> bool {
        self.0.assumes_verified
    }

    /// Whether it is believed when it says that somebody has shown more than one factor there.
    async fn trusts_second_factor(&self) -> bool {
        self.0.trusts_second_factor
    }

    /// The claim by which roles are given; null for none.
    async fn role_claim(&self) -> Option<&str> {
        self.0.role_claim.as_deref()
    }

    /// Which values of it give which role.
    async fn role_mappings(&self) -> Vec<ClaimedRole> {
        let mappings = self.0.role_mappings.0.iter().cloned();
        mappings.map(|RoleMapping { value, role }| ClaimedRole { value, role }).collect()
    }

    /// The role of those to whom none of the values gives one; null when they are refused.
    async fn default_role(&self) -> Option<Role> {
        self.0.default_role()
    }

    /// Its version, from 1.
    async fn version(&self) -> i64 {
        self.0.version
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it last changed.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

#[derive(Default)]
pub(crate) struct IdentityProviderQuery;

#[Object]
impl IdentityProviderQuery {
    /// The issuers by which people sign in to the organization that you act in, in the order of their making: 10 at most,
    /// unless the operator set another number. They are for its owners to see.
    async fn identity_providers(&self, ctx: &Context<'_>) -> Option<Result<Vec<IdentityProvider>, Error>> {
        let rows = identity_provider::all(ctx.session()).await;
        Some(rows.map(|rows| rows.into_iter().map(IdentityProvider).collect()))
    }
}

#[derive(Default)]
pub(crate) struct IdentityProviderMutation;

#[Object]
impl IdentityProviderMutation {
    /// Has people signed in to the organization by an issuer, once a domain of theirs leads to it: `claimEmailDomain`. Only
    /// owners do: it may make owners.
    async fn create_identity_provider(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the issuer is.")] input: CreateIdentityProviderInput,
    ) -> Result<CreateIdentityProviderPayload, Error<ProviderError>> {
        let roles = RoleRules {
            claim: input.role_claim,
            mappings: input.role_mappings.into_iter().map(ClaimedRole::into_mapping).collect(),
            default: input.default_role,
        };
        let settings = ProviderSettings {
            name: input.name.trim().to_owned(),
            issuer: input.issuer,
            client_id: input.client_id,
            scopes: input.scopes.unwrap_or_else(usual_scopes),
            enabled: input.enabled,
            sign_up: input.sign_up,
            assumes_verified: input.assumes_verified,
            trusts_second_factor: input.trusts_second_factor.unwrap_or(false),
            roles,
        };
        let asking = (ctx.part::<Oidc>(), &ctx.part::<Authority>().sealer);
        let new = (settings, input.client_secret.map(Secret::new));
        let row = identity_provider::create(ctx.session(), asking, new, input.idempotency_key).await?;
        Ok(CreateIdentityProviderPayload { identity_provider: IdentityProvider(row) })
    }

    /// Changes what is said of an issuer.
    async fn update_identity_provider(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateIdentityProviderInput,
    ) -> Result<UpdateIdentityProviderPayload, Error<ProviderError>> {
        let mappings = |all: Vec<ClaimedRole>| all.into_iter().map(ClaimedRole::into_mapping).collect();
        let change = ProviderChange {
            name: input.name.map(|name| name.trim().to_owned()),
            issuer: input.issuer,
            client_id: input.client_id,
            client_secret: input.client_secret.map(Secret::new),
            scopes: input.scopes,
            enabled: input.enabled,
            sign_up: input.sign_up,
            assumes_verified: input.assumes_verified,
            trusts_second_factor: input.trusts_second_factor,
            role_claim: as_change(input.role_claim),
            role_mappings: input.role_mappings.map(mappings),
            default_role: as_change(input.default_role),
            expected_version: input.expected_version,
        };
        let asking = (ctx.part::<Oidc>(), &ctx.part::<Authority>().sealer);
        let row = identity_provider::update(ctx.session(), asking, input.id, change).await?;
        Ok(UpdateIdentityProviderPayload { identity_provider: IdentityProvider(row) })
    }

    /// Has nobody signed in by an issuer any more. Sessions go on; who has no password gets one by `requestPasswordReset`.
    async fn delete_identity_provider(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: DeleteIdentityProviderInput,
    ) -> Result<DeleteIdentityProviderPayload, Error<ProviderError>> {
        let id = identity_provider::delete(ctx.session(), input.id).await?;
        Ok(DeleteIdentityProviderPayload { id })
    }

    /// Asks an issuer for its description and its keys, as they are now.
    async fn test_identity_provider(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: TestIdentityProviderInput,
    ) -> Result<TestIdentityProviderPayload, Error<ProviderError>> {
        let asking = (ctx.part::<Oidc>(), &ctx.part::<Authority>().sealer);
        let metadata = identity_provider::test(ctx.session(), asking, input.id).await?;
        Ok(TestIdentityProviderPayload::from(&*metadata))
    }
}

/// What is left out stays; null takes it away.
#[expect(clippy::option_option, reason = "left out, taken away, or another one")]
fn as_change<T>(given: MaybeUndefined<T>) -> Option<Option<T>> {
    match given {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(None),
        MaybeUndefined::Value(value) => Some(Some(value)),
    }
}
