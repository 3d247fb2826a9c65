//! The GraphQL API: one file a type, roots merged here.

mod access;
mod address;
mod api_key;
mod consent;
mod device;
mod email_domain;
mod feature_flag;
mod grant;
mod identity_provider;
mod invitation;
mod linked_identity;
mod live;
mod loaders;
mod magic_link;
mod membership;
mod organization;
mod passkey;
mod password;
mod preference;
mod privacy;
mod role;
mod role_assignment;
mod second_factor;
mod service_account;
mod session;
mod settings;
mod unit;
mod user;

use async_graphql::{MergedObject, MergedSubscription};

pub(crate) use loaders::Loaders;

/// What can be followed.
#[derive(MergedSubscription, Default)]
#[graphql(name = "Subscription")]
pub struct Subscription(live::OrganizationSubscriptions, unit::UnitSubscriptions);

/// What can be asked.
#[derive(MergedObject, Default)]
pub struct Query(
    user::UserQuery,
    organization::OrganizationQuery,
    unit::UnitQuery,
    api_key::ApiKeyQuery,
    service_account::ServiceAccountQuery,
    linked_identity::LinkedIdentityQuery,
    identity_provider::IdentityProviderQuery,
    email_domain::EmailDomainQuery,
    privacy::PrivacyQuery,
    role::RoleQuery,
    role_assignment::RoleAssignmentQuery,
    grant::GrantQuery,
    access::AccessQuery,
    invitation::InvitationQuery,
    settings::SettingsQuery,
    preference::PreferencesQuery,
    feature_flag::FeatureFlagQuery,
);

/// What can be changed.
#[derive(MergedObject, Default)]
pub struct Mutation(
    session::SessionMutation,
    second_factor::SecondFactorMutation,
    passkey::PasskeyMutation,
    device::DeviceMutation,
    magic_link::MagicLinkMutation,
    address::AddressMutation,
    password::PasswordMutation,
    user::UserMutation,
    organization::OrganizationMutation,
    membership::MembershipMutation,
    unit::UnitMutation,
    api_key::ApiKeyMutation,
    service_account::ServiceAccountMutation,
    linked_identity::LinkedIdentityMutation,
    identity_provider::IdentityProviderMutation,
    email_domain::EmailDomainMutation,
    consent::ConsentMutation,
    privacy::PrivacyMutation,
    role::RoleMutation,
    role_assignment::RoleAssignmentMutation,
    grant::GrantMutation,
    invitation::InvitationMutation,
    settings::SettingsMutation,
    preference::PreferencesMutation,
    feature_flag::FeatureFlagMutation,
);
