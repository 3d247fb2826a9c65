//! `FeatureFlag`, and what it is for who asks.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use pulse_graphql::{ContextExt, Error};
use pulse_types::{FeatureFlagId, Role, UnitId, UserId};

use crate::feature_flag::{self, Evaluated, FlagChange, FlagError, FlagRow, NewFlag, Reason, Rule};

/// A feature that is on for some of the organization's people.
#[derive(SimpleObject)]
pub(crate) struct FeatureFlag {
    /// Its id.
    id: FeatureFlagId,
    /// What programs call it.
    key: String,
    /// What it is for.
    description: String,
    /// Whether it is on for anybody.
    is_on: bool,
    /// Whether it is on for those for whom no rule holds.
    default: bool,
    /// For whom it is on or off: the first rule that holds decides.
    rules: Vec<FeatureFlagRule>,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it last changed.
    updated_at: DateTime<Utc>,
    /// How often it was changed, and 1.
    version: i64,
}

/// For whom a feature is on or off. Of what is given, all must hold; of each list, one.
#[derive(SimpleObject)]
pub(crate) struct FeatureFlagRule {
    /// Members whose membership has one of these roles; with any, if there is none.
    roles: Vec<Role>,
    /// Who belongs to one of these sub-organizations or teams, or to one below; anybody, if there is none.
    unit_ids: Vec<UnitId>,
    /// These people; anybody, if there is none.
    user_ids: Vec<UserId>,
    /// This share of all, in per cent: always the same people, and more of them when it is raised.
    percentage: Option<i32>,
    /// Whether the feature is on for them.
    is_on: bool,
}

/// What a feature is for you. API keys and service accounts are judged by themselves, not as who made them.
#[derive(SimpleObject)]
pub(crate) struct Flag {
    /// What programs call it.
    key: String,
    /// Whether it is on for you.
    is_on: bool,
    /// Why.
    reason: Reason,
}

/// For whom a feature is on or off. Of what is given, all must hold; of each list, one.
#[derive(InputObject)]
pub(crate) struct FeatureFlagRuleInput {
    /// Members whose membership has one of these roles. Roles that they have beside it do not count.
    roles: Option<Vec<Role>>,
    /// Who belongs to one of these sub-organizations or teams, or to one below: at most 100.
    unit_ids: Option<Vec<UnitId>>,
    /// These people: at most 100.
    user_ids: Option<Vec<UserId>>,
    /// This share of all, 0 to 100 per cent.
    percentage: Option<i32>,
    /// Whether the feature is on for them.
    is_on: bool,
}

/// A new feature.
#[derive(InputObject)]
pub(crate) struct CreateFeatureFlagInput {
    /// What programs call it: 1 to 64 of a-z, 0-9, dot, dash and underscore, with a letter first. It stays.
    key: String,
    /// What it is for: at most 500 characters.
    description: Option<String>,
    /// Whether it is on for anybody; no, if not given.
    is_on: Option<bool>,
    /// Whether it is on for those for whom no rule holds; no, if not given.
    default: Option<bool>,
    /// For whom it is on or off: at most 20, of which the first that holds decides.
    rules: Option<Vec<FeatureFlagRuleInput>>,
    /// Makes it safe to repeat the request: the same key with the same input makes nothing twice.
    idempotency_key: Option<String>,
}

/// The new feature.
#[derive(SimpleObject)]
pub(crate) struct CreateFeatureFlagPayload {
    /// The feature.
    feature_flag: FeatureFlag,
}

/// What to change of a feature; what is not given stays.
#[derive(InputObject)]
pub(crate) struct UpdateFeatureFlagInput {
    /// Which one.
    id: FeatureFlagId,
    /// The version that you have read: another one is refused. Whatever it is, if not given.
    version: Option<i64>,
    /// What it is for.
    description: Option<String>,
    /// Whether it is on for anybody.
    is_on: Option<bool>,
    /// Whether it is on for those for whom no rule holds.
    default: Option<bool>,
    /// For whom it is on or off, in the place of all rules of before.
    rules: Option<Vec<FeatureFlagRuleInput>>,
}

/// The changed feature.
#[derive(SimpleObject)]
pub(crate) struct UpdateFeatureFlagPayload {
    /// The feature, as it is now.
    feature_flag: FeatureFlag,
}

/// Which feature to delete.
#[derive(InputObject)]
pub(crate) struct DeleteFeatureFlagInput {
    /// Its id.
    id: FeatureFlagId,
}

/// The deleted feature.
#[derive(SimpleObject)]
pub(crate) struct DeleteFeatureFlagPayload {
    /// Its id.
    id: FeatureFlagId,
}

impl From<Rule> for FeatureFlagRule {
    fn from(Rule { roles, units, users, percentage, on }: Rule) -> Self {
        Self { roles, unit_ids: units, user_ids: users, percentage: percentage.map(i32::from), is_on: on }
    }
}

impl From<FlagRow> for FeatureFlag {
    fn from(row: FlagRow) -> Self {
        let FlagRow { id, key, description, is_on, by_default, rules, version, created_at, updated_at } = row;
        let rules = rules.0.into_iter().map(FeatureFlagRule::from).collect();
        Self { id, key, description, is_on, default: by_default, rules, created_at, updated_at, version }
    }
}

impl From<Evaluated> for Flag {
    fn from(Evaluated { key, is_on, reason }: Evaluated) -> Self {
        Self { key, is_on, reason }
    }
}

fn rules(given: Vec<FeatureFlagRuleInput>) -> Result<Vec<Rule>, FlagError> {
    let rule =
        |FeatureFlagRuleInput { roles, unit_ids, user_ids, percentage, is_on }: FeatureFlagRuleInput| {
            let percentage = percentage.map(u8::try_from).transpose().map_err(|_| FlagError::Percentage)?;
            Ok(Rule {
                roles: roles.unwrap_or_default(),
                units: unit_ids.unwrap_or_default(),
                users: user_ids.unwrap_or_default(),
                percentage,
                on: is_on,
            })
        };
    given.into_iter().map(rule).collect()
}

#[derive(Default)]
pub(super) struct FeatureFlagQuery;

#[Object]
impl FeatureFlagQuery {
    /// The feature flags of the organization that you act in, by key: at most 200. Needs `settings:manage`.
    async fn feature_flags(&self, ctx: &Context<'_>) -> Option<Result<Vec<FeatureFlag>, Error>> {
        let rows = feature_flag::all(ctx.session()).await;
        Some(rows.map(|rows| rows.into_iter().map(FeatureFlag::from).collect()))
    }

    /// What every feature of the organization that you act in is for you, by key. Needs `organization:read`.
    async fn flags(&self, ctx: &Context<'_>) -> Option<Result<Vec<Flag>, Error>> {
        let flags = feature_flag::evaluated(ctx.session()).await;
        Some(flags.map(|flags| flags.into_iter().map(Flag::from).collect()))
    }

    /// What one feature is for you: off, if there is none such. Needs `organization:read`.
    async fn flag(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What programs call it.")] key: String,
    ) -> Option<Result<Flag, Error>> {
        let flags = feature_flag::evaluated(ctx.session()).await;
        Some(flags.map(|flags| {
            let found = flags.into_iter().find(|flag| flag.key == key).map(Flag::from);
            found.unwrap_or(Flag { key, is_on: false, reason: Reason::Unknown })
        }))
    }
}

#[derive(Default)]
pub(super) struct FeatureFlagMutation;

#[Object]
impl FeatureFlagMutation {
    /// Makes a feature flag in the organization that you act in. Needs `settings:manage`.
    async fn create_feature_flag(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new feature.")] input: CreateFeatureFlagInput,
    ) -> Result<CreateFeatureFlagPayload, Error<FlagError>> {
        let CreateFeatureFlagInput { key, description, is_on, default, rules: given, idempotency_key } =
            input;
        let new = NewFlag {
            key,
            description: description.unwrap_or_default(),
            is_on: is_on.unwrap_or_default(),
            by_default: default.unwrap_or_default(),
            rules: rules(given.unwrap_or_default())?,
        };
        let row = feature_flag::create(ctx.session(), new, idempotency_key).await?;
        Ok(CreateFeatureFlagPayload { feature_flag: row.into() })
    }

    /// Changes a feature flag of the organization that you act in. Needs `settings:manage`.
    async fn update_feature_flag(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateFeatureFlagInput,
    ) -> Result<UpdateFeatureFlagPayload, Error<FlagError>> {
        let UpdateFeatureFlagInput { id, version, description, is_on, default, rules: given } = input;
        let rules = given.map(rules).transpose()?;
        let change = FlagChange { description, is_on, by_default: default, rules };
        let row = feature_flag::update(ctx.session(), (id, version), change).await?;
        Ok(UpdateFeatureFlagPayload { feature_flag: row.into() })
    }

    /// Deletes a feature flag of the organization that you act in. Needs `settings:manage`.
    async fn delete_feature_flag(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: DeleteFeatureFlagInput,
    ) -> Result<DeleteFeatureFlagPayload, Error<FlagError>> {
        feature_flag::delete(ctx.session(), input.id).await?;
        Ok(DeleteFeatureFlagPayload { id: input.id })
    }
}
