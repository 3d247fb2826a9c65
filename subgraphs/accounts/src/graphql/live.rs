//! Subscriptions: what changes about the organization and its members.

use async_graphql::{ComplexObject, Context, InputObject, SimpleObject, Subscription};
use pulse_graphql::{
    AnyOf, ChangeFacts, ContextExt, Error, Following, Happened, Live, LiveError, follow, follow_own,
};
use pulse_types::{Change, ChangeKind, OrgId, Permission, Role, UnitId, UserId};
use serde_json::{Map, Value};

use super::organization::Organization;
use super::user::User;
use crate::{membership, organization, preference, settings};

/// Which changes of the organization to hear of.
#[derive(Debug, Default, InputObject)]
pub(crate) struct OrganizationChangeFilter {
    /// Only where one of these fields changed.
    changed_fields: Option<Vec<String>>,
}

/// What has changed about the organization.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(crate) struct OrganizationChange {
    #[graphql(flatten)]
    facts: ChangeFacts,
    #[graphql(skip)]
    happened: Happened,
}

/// Which changes of members to hear of. All that is given must hold.
#[derive(Debug, Default, InputObject)]
pub(crate) struct MemberChangeFilter {
    /// Of these people; at most 1,000.
    user_ids: Option<Vec<UserId>>,
    /// Of those who have, or had until then, one of these roles.
    roles: Option<Vec<Role>>,
    /// Of these kinds: who joins is created, who leaves is deleted.
    kinds: Option<Vec<ChangeKind>>,
}

/// What has changed about a membership.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(crate) struct MemberChange {
    #[graphql(flatten)]
    facts: ChangeFacts,
    /// Whose membership it is.
    user_id: UserId,
    /// What the member may do from now on, or could until the end.
    role: Option<Role>,
    /// What the member could do before, when that has changed.
    previous_role: Option<Role>,
}

impl From<Happened> for OrganizationChange {
    fn from(happened: Happened) -> Self {
        Self { facts: ChangeFacts::from(&happened), happened }
    }
}

impl From<Happened> for MemberChange {
    fn from(happened: Happened) -> Self {
        let change = &happened.change;
        Self {
            facts: ChangeFacts::from(&happened),
            user_id: UserId::from_uuid(change.key),
            role: role(&change.attributes),
            previous_role: role(&change.before),
        }
    }
}

fn role(attributes: &Map<String, Value>) -> Option<Role> {
    attributes.get("role")?.as_str()?.parse().ok()
}

#[ComplexObject]
impl OrganizationChange {
    /// The organization as it is now, which may be later than this change.
    async fn organization(&self, ctx: &Context<'_>) -> Option<Result<Organization, Error>> {
        Organization::fetch(ctx, OrgId::from_uuid(self.happened.change.key)).await
    }
}

#[ComplexObject]
impl MemberChange {
    /// The person, as long as you may see them.
    async fn user(&self, ctx: &Context<'_>) -> Option<Result<User, Error>> {
        User::fetch(ctx, self.user_id).await
    }
}

/// What has changed about settings.
#[derive(SimpleObject)]
pub(crate) struct SettingsChanged {
    #[graphql(flatten)]
    facts: ChangeFacts,
    /// The sub-organization or team that has set something; null for the whole organization.
    unit_id: Option<UnitId>,
}

/// What has changed about your preferences.
#[derive(SimpleObject)]
pub(crate) struct PreferencesChanged {
    #[graphql(flatten)]
    facts: ChangeFacts,
    /// The client's namespace; null for what all clients share.
    namespace: Option<String>,
}

impl From<Happened> for SettingsChanged {
    fn from(happened: Happened) -> Self {
        let unit = happened.change.attributes.get("unit").and_then(Value::as_str);
        Self { unit_id: unit.and_then(|unit| unit.parse().ok()), facts: ChangeFacts::from(&happened) }
    }
}

impl From<Happened> for PreferencesChanged {
    fn from(happened: Happened) -> Self {
        let namespace = happened.change.attributes.get("namespace").and_then(Value::as_str);
        let namespace = namespace.filter(|namespace| !namespace.is_empty()).map(str::to_owned);
        Self { namespace, facts: ChangeFacts::from(&happened) }
    }
}

/// What can be followed of the organization.
#[derive(Default)]
pub(crate) struct OrganizationSubscriptions;

#[Subscription]
impl OrganizationSubscriptions {
    /// Tells of each change of the organization that you act in, once and in the order of the commits. Needs
    /// `organization:read`.
    async fn organization_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which changes to hear of; all unless given.")] filter: Option<
            OrganizationChangeFilter,
        >,
        #[graphql(
            desc = "The `cursor` of the last event that was heard: what came later is told of first. From now on unless given."
        )]
        after: Option<String>,
    ) -> Result<Live<OrganizationChange>, Error<LiveError>> {
        let fields = AnyOf::try_new("changedFields", filter.unwrap_or_default().changed_fields)?;
        let wanted = move |change: &Change| fields.has_any(&change.changed);
        let permission = Permission::ORGANIZATION_READ;
        follow(ctx, Following { subjects: &[organization::SUBJECT], permission, after }, wanted).await
    }

    /// Tells of each change of settings and branding, once and in the order of the commits. Needs `organization:read`.
    async fn settings_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "The `cursor` of the last event that was heard: what came later is told of first. From now on unless given."
        )]
        after: Option<String>,
    ) -> Result<Live<SettingsChanged>, Error<LiveError>> {
        let permission = Permission::ORGANIZATION_READ;
        let caller = ctx.session().caller().clone();
        // A unit that one does not see has no settings.
        let wanted = move |change: &Change| {
            let unit =
                change.attributes.get("unit").and_then(Value::as_str).and_then(|unit| unit.parse().ok());
            unit.is_none_or(|unit| {
                caller.require_on(&Permission::UNIT_READ, &crate::unit::resource(unit)).is_ok()
            })
        };
        follow(ctx, Following { subjects: &[settings::SUBJECT], permission, after }, wanted).await
    }

    /// Tells you on each of your devices of what you prefer by now on another one, once and in the order of the commits.
    async fn preferences_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "The `cursor` of the last event that was heard: what came later is told of first. From now on unless given."
        )]
        after: Option<String>,
    ) -> Result<Live<PreferencesChanged>, Error<LiveError>> {
        follow_own(ctx, &[preference::SUBJECT], after).await
    }

    /// Tells of each member who joins, gets another role or leaves, once and in the order of the commits. Needs
    /// `member:read`.
    async fn member_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which changes to hear of; all unless given.")] filter: Option<MemberChangeFilter>,
        #[graphql(
            desc = "The `cursor` of the last event that was heard: what came later is told of first. From now on unless given."
        )]
        after: Option<String>,
    ) -> Result<Live<MemberChange>, Error<LiveError>> {
        let MemberChangeFilter { user_ids, roles, kinds } = filter.unwrap_or_default();
        let users = AnyOf::try_new("userIds", user_ids)?;
        let roles = roles.map(|roles| roles.into_iter().map(|role| role.as_str().to_owned()).collect());
        let roles = AnyOf::try_new("roles", roles)?;
        let kinds = AnyOf::try_new("kinds", kinds)?;
        let wanted = move |change: &Change| {
            kinds.has(&change.kind)
                && users.has(&UserId::from_uuid(change.key))
                && roles.has_attribute(change, "role")
        };
        let permission = Permission::MEMBER_READ;
        follow(ctx, Following { subjects: &[membership::SUBJECT], permission, after }, wanted).await
    }
}
