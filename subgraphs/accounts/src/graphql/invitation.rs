//! `Invitation`: a letter that asks somebody to become a member.

use async_graphql::{ComplexObject, Context, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use pulse_graphql::{Connection, ContextExt, Cursor, Error, Page, PageLimits, Total};
use pulse_types::{InvitationId, Role, Secret, UnitId, UserId};

use super::membership::Membership;
use super::organization::Organization;
use super::user::User;
use crate::authority::Authority;
use crate::invitation::{
    self, AnswerError, Answered, InvitationRow, InvitationsError, Invitee, InvitingError, OwnInvitationRow,
    Preview, State, Ticket,
};

/// A letter that asks somebody to become a member of the organization. The link in it is shown to nobody else.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(crate) struct Invitation {
    /// Its id.
    id: InvitationId,
    /// Who is invited, in lower case.
    email: String,
    /// What whoever accepts may do.
    role: Role,
    /// What has become of it.
    state: State,
    /// The sub-organizations and teams that whoever accepts belongs to.
    unit_ids: Vec<UnitId>,
    /// Until when it is good.
    expires_at: DateTime<Utc>,
    /// When the address was invited first.
    created_at: DateTime<Utc>,
    /// When it last changed.
    updated_at: DateTime<Utc>,
    /// How often it was changed, and 1.
    version: i64,
    #[graphql(skip)]
    inviter_id: UserId,
}

#[ComplexObject]
impl Invitation {
    /// Who has invited, or answers for the program that has; null for somebody who is no member any more.
    async fn inviter(&self, ctx: &Context<'_>) -> Option<Result<User, Error>> {
        User::fetch(ctx, self.inviter_id).await
    }
}

impl Invitation {
    fn new(ctx: &Context<'_>, row: InvitationRow) -> Self {
        let state = row.state_at(ctx.session().store().clock().now());
        Self {
            id: row.id,
            role: row.role.0,
            state,
            unit_ids: row.unit_ids().collect(),
            expires_at: row.expires_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
            inviter_id: row.inviter,
            email: row.email,
        }
    }
}

/// What somebody who has the letter may know before answering it.
#[derive(SimpleObject)]
pub(crate) struct InvitationPreview {
    /// What the organization is called.
    organization_name: String,
    /// What whoever accepts may do.
    role: Role,
    /// What the inviter is called; null for somebody who is no member any more.
    inviter_name: Option<String>,
    /// Until when it is good.
    expires_at: DateTime<Utc>,
}

impl From<Preview> for InvitationPreview {
    fn from(preview: Preview) -> Self {
        let Preview { organization, role, inviter, expires_at } = preview;
        Self { organization_name: organization, role, inviter_name: inviter, expires_at }
    }
}

/// An invitation to you.
#[derive(SimpleObject)]
pub(crate) struct ReceivedInvitation {
    /// Its id, by which you accept or decline.
    id: InvitationId,
    /// What the organization is called.
    organization_name: String,
    /// What you may do when you accept.
    role: Role,
    /// What the inviter is called; null for somebody who is no member any more.
    inviter_name: Option<String>,
    /// When you were invited.
    created_at: DateTime<Utc>,
    /// Until when it is good.
    expires_at: DateTime<Utc>,
}

impl From<OwnInvitationRow> for ReceivedInvitation {
    fn from(row: OwnInvitationRow) -> Self {
        let OwnInvitationRow { org_id: _, id, organization, role, inviter, created_at, expires_at } = row;
        let (role, inviter_name) = (role.0, inviter);
        Self { id, organization_name: organization, role, inviter_name, created_at, expires_at }
    }
}

/// Which invitations to list.
#[derive(Debug, Default, InputObject)]
pub(crate) struct InvitationFilter {
    /// Those in one of these states; in any, if none is given.
    states: Option<Vec<State>>,
}

/// Somebody to invite.
#[derive(InputObject)]
pub(crate) struct InviteMemberInput {
    /// The person's address, whether anybody has registered with it or not.
    email: String,
    /// What whoever accepts may do. Only an owner invites owners.
    role: Role,
    /// Sub-organizations and teams that whoever accepts belongs to: at most 20.
    unit_ids: Option<Vec<UnitId>>,
    /// Makes it safe to repeat the request: the same key with the same input writes no letter twice.
    idempotency_key: Option<String>,
}

/// One of those to invite.
#[derive(InputObject)]
pub(crate) struct InviteeInput {
    /// The person's address, whether anybody has registered with it or not.
    email: String,
    /// What whoever accepts may do. Only an owner invites owners.
    role: Role,
    /// Sub-organizations and teams that whoever accepts belongs to: at most 20.
    unit_ids: Option<Vec<UnitId>>,
}

/// Several people to invite.
#[derive(InputObject)]
pub(crate) struct InviteMembersInput {
    /// 1 to 50 people.
    people: Vec<InviteeInput>,
    /// Makes it safe to repeat the request: the same key with the same input writes no letter twice.
    idempotency_key: Option<String>,
}

/// The letter is on its way.
#[derive(SimpleObject)]
pub(crate) struct InviteMemberPayload {
    /// The invitation. The address's open one, if it had one: its link of before is worth nothing any more.
    invitation: Invitation,
}

/// The letters are on their way.
#[derive(SimpleObject)]
pub(crate) struct InviteMembersPayload {
    /// The invitations, in the order of the input.
    invitations: Vec<Invitation>,
}

/// Which invitation to take back.
#[derive(InputObject)]
pub(crate) struct RevokeInvitationInput {
    /// Its id.
    id: InvitationId,
}

/// The invitation that was taken back.
#[derive(SimpleObject)]
pub(crate) struct RevokeInvitationPayload {
    /// Its link is worth nothing any more.
    invitation: Invitation,
}

/// Which invitation to send again.
#[derive(InputObject)]
pub(crate) struct ResendInvitationInput {
    /// Its id.
    id: InvitationId,
}

/// The letter is on its way again.
#[derive(SimpleObject)]
pub(crate) struct ResendInvitationPayload {
    /// It is good as long as a new one, and its link of before is worth nothing any more.
    invitation: Invitation,
}

/// Which invitation to accept: one of the two.
#[derive(InputObject)]
pub(crate) struct AcceptInvitationInput {
    /// What is in the letter.
    token: Option<String>,
    /// Its id in `myInvitations`.
    id: Option<InvitationId>,
}

/// You are a member.
#[derive(SimpleObject)]
pub(crate) struct AcceptInvitationPayload {
    /// The organization. To act in it, call `switchOrganization`.
    organization: Organization,
    /// Your membership. Who was a member already keeps its role.
    membership: Membership,
}

/// Which invitation to decline: one of the two.
#[derive(InputObject)]
pub(crate) struct DeclineInvitationInput {
    /// What is in the letter.
    token: Option<String>,
    /// Its id in `myInvitations`.
    id: Option<InvitationId>,
}

/// The invitation has ended.
#[derive(SimpleObject)]
pub(crate) struct DeclineInvitationPayload {
    /// True.
    declined: bool,
}

fn ticket(token: Option<String>, id: Option<InvitationId>) -> Result<Ticket, AnswerError> {
    match (token, id) {
        (Some(token), None) => Ok(Ticket::Token(Secret::new(token))),
        (None, Some(id)) => Ok(Ticket::Id(id)),
        _ => Err(AnswerError::TokenOrId),
    }
}

#[derive(Default)]
pub(super) struct InvitationQuery;

#[Object]
impl InvitationQuery {
    /// The invitations of the organization that you act in, in the order of their making. Needs `member:manage`.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn invitations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones; all unless given.")] filter: Option<InvitationFilter>,
        #[graphql(desc = "How many, from the start or `after`: 1 to 100, 20 if not given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Begin behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many, from the end or `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "End before this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<Invitation>, Error<InvitationsError>>> {
        let page = Page::try_new((first, after), (last, before), PageLimits::USUAL);
        let mut states = filter.unwrap_or_default().states.unwrap_or_default();
        states.sort_unstable_by_key(|state| *state as u8);
        states.dedup();
        let listed = async {
            let page = page.map_err(InvitationsError::from)?;
            let rows = invitation::page(ctx.session(), &states, &page).await?;
            let counted = states.clone();
            let total = Total::new(move |session| {
                let states = counted.clone();
                async move { invitation::count(&session, &states).await }
            });
            Ok(page.connection(rows, total, |row| (Cursor::new(&(row.id,)), Invitation::new(ctx, row))))
        };
        Some(listed.await)
    }

    /// What an invitation offers, for whoever has its letter.
    async fn invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is in the letter.")] token: String,
    ) -> Option<Result<InvitationPreview, Error<AnswerError>>> {
        let preview = invitation::preview(ctx.session(), &Secret::new(token)).await;
        Some(preview.map(InvitationPreview::from))
    }

    /// The open invitations to your address, once it is known to be yours, in the order of their making: at most 100.
    async fn my_invitations(&self, ctx: &Context<'_>) -> Option<Result<Vec<ReceivedInvitation>, Error>> {
        let rows = invitation::own(ctx.session()).await;
        Some(rows.map(|rows| rows.into_iter().map(ReceivedInvitation::from).collect()))
    }
}

#[derive(Default)]
pub(super) struct InvitationMutation;

#[Object]
impl InvitationMutation {
    /// Invites somebody to the organization that you act in, by a letter. The answer is the same whether anybody has registered
    /// with the address or not. Needs `member:manage`.
    async fn invite_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom.")] input: InviteMemberInput,
    ) -> Result<InviteMemberPayload, Error<InvitingError>> {
        let InviteMemberInput { email, role, unit_ids, idempotency_key } = input;
        let invitee = Invitee { email, role, units: unit_ids.unwrap_or_default() };
        let authority = ctx.part::<Authority>();
        let row = invitation::invite_one(ctx.session(), authority, invitee, idempotency_key).await?;
        Ok(InviteMemberPayload { invitation: Invitation::new(ctx, row) })
    }

    /// Invites several people at once, all or none. Needs `member:manage`.
    async fn invite_members(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom.")] input: InviteMembersInput,
    ) -> Result<InviteMembersPayload, Error<InvitingError>> {
        let InviteMembersInput { people, idempotency_key } = input;
        let invitees = people.into_iter().map(|InviteeInput { email, role, unit_ids }| Invitee {
            email,
            role,
            units: unit_ids.unwrap_or_default(),
        });
        let authority = ctx.part::<Authority>();
        let rows = invitation::invite(ctx.session(), authority, invitees.collect(), idempotency_key).await?;
        let invitations = rows.into_iter().map(|row| Invitation::new(ctx, row)).collect();
        Ok(InviteMembersPayload { invitations })
    }

    /// Takes an invitation back that waits for an answer. Needs `member:manage`.
    async fn revoke_invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: RevokeInvitationInput,
    ) -> Result<RevokeInvitationPayload, Error<InvitingError>> {
        let row = invitation::revoke(ctx.session(), input.id).await?;
        Ok(RevokeInvitationPayload { invitation: Invitation::new(ctx, row) })
    }

    /// Sends the letter again, with another link; you are its inviter from then on. Needs `member:manage`.
    async fn resend_invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: ResendInvitationInput,
    ) -> Result<ResendInvitationPayload, Error<InvitingError>> {
        let row = invitation::resend(ctx.session(), ctx.part::<Authority>(), input.id).await?;
        Ok(ResendInvitationPayload { invitation: Invitation::new(ctx, row) })
    }

    /// Makes you a member, if the invitation was sent to your address and that is known to be yours. Accepting twice is once.
    async fn accept_invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: AcceptInvitationInput,
    ) -> Result<AcceptInvitationPayload, Error<AnswerError>> {
        let ticket = ticket(input.token, input.id)?;
        let Answered { organization, membership } = invitation::accept(ctx.session(), ticket).await?;
        let membership = Membership::of(organization.organization.id, membership, ctx.session().caller());
        Ok(AcceptInvitationPayload { organization: Organization::new(organization), membership })
    }

    /// Ends an invitation to you. With what is in the letter, you need not sign in.
    async fn decline_invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: DeclineInvitationInput,
    ) -> Result<DeclineInvitationPayload, Error<AnswerError>> {
        let ticket = ticket(input.token, input.id)?;
        invitation::decline(ctx.session(), ticket).await?;
        Ok(DeclineInvitationPayload { declined: true })
    }
}
