//! The GraphQL API: one file a type, roots merged here.

mod address;
mod device;
mod live;
mod loaders;
mod magic_link;
mod membership;
mod organization;
mod passkey;
mod password;
mod second_factor;
mod session;
mod user;

use async_graphql::MergedObject;

pub(crate) use loaders::Loaders;

/// What can be followed.
pub type Subscription = live::OrganizationSubscriptions;

/// What can be asked.
#[derive(MergedObject, Default)]
pub struct Query(user::UserQuery, organization::OrganizationQuery);

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
);
