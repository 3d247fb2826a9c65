//! Rows of invitations.

use chrono::{DateTime, Utc};
use pulse_types::{InvitationId, OrgId, Role, UnitId, UserId};
use sqlx::FromRow;
use uuid::Uuid;

use crate::organization::StoredRole;

/// What has become of an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, async_graphql::Enum)]
#[graphql(name = "InvitationState")]
pub(crate) enum State {
    /// It waits for an answer.
    Open,
    /// It waited until it was good no more. Sending it again opens it.
    Expired,
    /// Somebody has become a member by it.
    Accepted,
    /// Whoever was invited does not want to.
    Declined,
    /// It was taken back.
    Revoked,
}

/// Text that is no state.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no state of an invitation: expected open, accepted, declined or revoked")]
pub(crate) struct UnknownState(String);

/// A state as it is stored; time alone makes one expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StoredState(pub(super) State);

impl State {
    /// The word that is stored and told.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Open | Self::Expired => "open",
            Self::Accepted => "accepted",
            Self::Declined => "declined",
            Self::Revoked => "revoked",
        }
    }
}

impl TryFrom<String> for StoredState {
    type Error = UnknownState;

    fn try_from(text: String) -> Result<Self, UnknownState> {
        let all = [State::Open, State::Accepted, State::Declined, State::Revoked];
        all.into_iter().find(|state| state.as_str() == text).map(Self).ok_or(UnknownState(text))
    }
}

/// A letter that asks somebody to become a member.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct InvitationRow {
    pub(crate) id: InvitationId,
    pub(crate) email: String,
    #[sqlx(try_from = "String")]
    pub(crate) role: StoredRole,
    #[sqlx(try_from = "String")]
    pub(crate) state: StoredState,
    pub(crate) inviter: UserId,
    pub(crate) accepted_by: Option<UserId>,
    pub(crate) units: Vec<Uuid>,
    pub(crate) version: i64,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
    pub(crate) expires_at: DateTime<Utc>,
}

impl InvitationRow {
    /// What has become of it by now.
    pub(crate) fn state_at(&self, now: DateTime<Utc>) -> State {
        match self.state.0 {
            State::Open if self.expires_at <= now => State::Expired,
            state => state,
        }
    }

    /// The units that whoever accepts it belongs to.
    pub(crate) fn unit_ids(&self) -> impl Iterator<Item = UnitId> {
        self.units.iter().copied().map(UnitId::from_uuid)
    }
}

/// An invitation as whoever is invited sees it.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct OwnInvitationRow {
    pub(crate) org_id: OrgId,
    pub(crate) id: InvitationId,
    pub(crate) organization: String,
    #[sqlx(try_from = "String")]
    pub(crate) role: StoredRole,
    pub(crate) inviter: Option<String>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) expires_at: DateTime<Utc>,
}

/// What somebody with the letter may know before answering it.
#[derive(Debug, Clone)]
pub(crate) struct Preview {
    pub(crate) organization: String,
    pub(crate) role: Role,
    pub(crate) inviter: Option<String>,
    pub(crate) expires_at: DateTime<Utc>,
}
