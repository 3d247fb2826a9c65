//! Making and changing units, and who belongs to them.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use pulse_graphql::{ContextExt, Error};
use pulse_types::{UnitId, UserId};

use super::Unit;
use crate::unit::{self, Move, NewUnit, UnitError, UnitKind};

/// A new sub-organization or team.
#[derive(InputObject)]
pub(crate) struct CreateUnitInput {
    /// What it is.
    kind: UnitKind,
    /// Its name: 1 to 120 characters. No other one directly in the same place has it.
    name: String,
    /// The sub-organization to put it into; directly into the organization if left out.
    parent_id: Option<UnitId>,
    /// Makes it safe to repeat the request: the same key with the same input makes nothing twice.
    idempotency_key: Option<String>,
}

/// The new one.
#[derive(SimpleObject)]
pub(crate) struct CreateUnitPayload {
    /// The sub-organization or team; null if you may not see it.
    unit: Option<Unit>,
}

/// What to change.
#[derive(InputObject)]
pub(crate) struct UpdateUnitInput {
    /// Which one.
    id: UnitId,
    /// Its name from now on: 1 to 120 characters.
    name: String,
    /// Refuse the change when it has another version by now.
    expected_version: Option<i64>,
}

/// The changed one.
#[derive(SimpleObject)]
pub(crate) struct UpdateUnitPayload {
    /// The sub-organization or team, as it is now; null if you may not see it.
    unit: Option<Unit>,
}

/// What to move where.
#[derive(InputObject)]
pub(crate) struct MoveUnitInput {
    /// Which one.
    id: UnitId,
    /// The sub-organization to put it into; null, or left out, to put it directly into the organization.
    parent_id: Option<UnitId>,
    /// Refuse the change when it has another version by now.
    expected_version: Option<i64>,
}

/// The moved one.
#[derive(SimpleObject)]
pub(crate) struct MoveUnitPayload {
    /// The sub-organization or team, where it is now; null if you may not see it.
    unit: Option<Unit>,
}

/// What to delete.
#[derive(InputObject)]
pub(crate) struct DeleteUnitInput {
    /// Which one.
    id: UnitId,
    /// Delete also what is inside it. Without it, a refusal says how much that is.
    recursive: Option<bool>,
    /// Refuse it when it has another version by now.
    expected_version: Option<i64>,
}

/// What is gone.
#[derive(SimpleObject)]
pub(crate) struct DeleteUnitPayload {
    /// The ids of what was deleted: the one that was named, and what was inside it.
    deleted_ids: Vec<UnitId>,
    /// How many memberships of these have ended.
    ended_memberships: usize,
}

/// Who is to belong to it.
#[derive(InputObject)]
pub(crate) struct AddUnitMembersInput {
    /// The sub-organization or team.
    id: UnitId,
    /// Members of the organization: 1 to 100.
    user_ids: Vec<UserId>,
}

/// Who belongs to it now.
#[derive(SimpleObject)]
pub(crate) struct AddUnitMembersPayload {
    /// The sub-organization or team; null if you may not see it.
    unit: Option<Unit>,
    /// Who was added: those of the named who did not belong to it before.
    added_ids: Vec<UserId>,
}

/// Who is no longer to belong to it.
#[derive(InputObject)]
pub(crate) struct RemoveUnitMembersInput {
    /// The sub-organization or team.
    id: UnitId,
    /// Who: 1 to 100.
    user_ids: Vec<UserId>,
}

/// Who no longer belongs to it.
#[derive(SimpleObject)]
pub(crate) struct RemoveUnitMembersPayload {
    /// The sub-organization or team; null if you may not see it.
    unit: Option<Unit>,
    /// Who was removed: those of the named who belonged to it. They stay members of the organization.
    removed_ids: Vec<UserId>,
}

#[derive(Default)]
pub(in super::super) struct UnitMutation;

#[Object]
impl UnitMutation {
    /// Makes a sub-organization or a team. There are at most 1,000 in an organization, on 8 levels, and nothing inside a team.
    /// Needs `unit:manage` on what it is put into.
    async fn create_unit(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new one.")] input: CreateUnitInput,
    ) -> Result<CreateUnitPayload, Error<UnitError>> {
        let CreateUnitInput { kind, name, parent_id, idempotency_key } = input;
        let new = NewUnit { kind, name, parent: parent_id };
        let (tree, id) = unit::create(ctx.session(), new, idempotency_key).await?;
        Ok(CreateUnitPayload { unit: Unit::changed(ctx, &tree, id) })
    }

    /// Gives a sub-organization or a team another name. Needs `unit:manage` on it.
    async fn update_unit(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one, and how it is called.")] input: UpdateUnitInput,
    ) -> Result<UpdateUnitPayload, Error<UnitError>> {
        let UpdateUnitInput { id, name, expected_version } = input;
        let tree = unit::rename(ctx.session(), id, (&name, expected_version)).await?;
        Ok(UpdateUnitPayload { unit: Unit::changed(ctx, &tree, id) })
    }

    /// Puts a sub-organization or a team, with all that is inside it, into another place. Rights on that place hold for it from
    /// then on. Needs `unit:manage` on it, on what it is in and on what it is put into.
    async fn move_unit(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one, and where to.")] input: MoveUnitInput,
    ) -> Result<MoveUnitPayload, Error<UnitError>> {
        let MoveUnitInput { id, parent_id, expected_version } = input;
        let to = Move { id, parent: parent_id, expected_version };
        let tree = unit::move_to(ctx.session(), to).await?;
        Ok(MoveUnitPayload { unit: Unit::changed(ctx, &tree, id) })
    }

    /// Deletes a sub-organization or a team. The people in it stay members of the organization. Needs `unit:manage` on it and on
    /// all that is inside it.
    async fn delete_unit(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: DeleteUnitInput,
    ) -> Result<DeleteUnitPayload, Error<UnitError>> {
        let DeleteUnitInput { id, recursive, expected_version } = input;
        let how = (recursive.unwrap_or_default(), expected_version);
        let deleted = unit::delete(ctx.session(), id, how).await?;
        Ok(DeleteUnitPayload { deleted_ids: deleted.units, ended_memberships: deleted.memberships })
    }

    /// Adds members of the organization to a sub-organization or a team. Each belongs to at most 100. Needs `unit:manage` on it.
    async fn add_unit_members(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom, and where.")] input: AddUnitMembersInput,
    ) -> Result<AddUnitMembersPayload, Error<UnitError>> {
        let AddUnitMembersInput { id, user_ids } = input;
        let (tree, added_ids) = unit::add_members(ctx.session(), id, &user_ids).await?;
        Ok(AddUnitMembersPayload { unit: Unit::changed(ctx, &tree, id), added_ids })
    }

    /// Takes people out of a sub-organization or a team. Needs `unit:manage` on it.
    async fn remove_unit_members(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom, and where.")] input: RemoveUnitMembersInput,
    ) -> Result<RemoveUnitMembersPayload, Error<UnitError>> {
        let RemoveUnitMembersInput { id, user_ids } = input;
        let (tree, removed_ids) = unit::remove_members(ctx.session(), id, &user_ids).await?;
        Ok(RemoveUnitMembersPayload { unit: Unit::changed(ctx, &tree, id), removed_ids })
    }
}
