//! Memberships that follow from what an issuer says.

use pulse_store::{Event, EventKind, StoreError, Write};
use pulse_types::{OrgId, Role, UserId};
use serde_json::json;

use super::{event, fact, join_in_tx, repo, tell_in_tx};

/// Gives somebody who has just signed in `role` in the organization that the write acts in, or `first` to somebody who is no
/// member yet; the role from then on, `None` if there is none. The last owner stays what it is.
pub(crate) async fn settle_in_tx(
    write: &mut Write,
    (org, user): (OrgId, UserId),
    role: Option<Role>,
    first: Option<Role>,
) -> Result<Option<Role>, StoreError> {
    repo::lock_in_tx(write, org).await?;
    let Some(row) = repo::find_in_tx(write, org, user).await? else {
        let Some(first) = first else { return Ok(None) };
        join_in_tx(write, org, user, first).await?;
        return Ok(Some(first));
    };
    let Some(role) = role.filter(|role| *role != row.role.0) else { return Ok(Some(row.role.0)) };
    if row.role.0 == Role::Owner && !repo::other_owner_exists_in_tx(write, org, user).await? {
        return Ok(Some(Role::Owner));
    }
    let before = json!({ "role": row.role.0.as_str() });
    let row = repo::change_role_in_tx(write, org, (user, role), Some(user)).await?;
    let changed = Event { before, ..event(EventKind::Updated, &row, row.version, vec!["role"]) };
    tell_in_tx(write, org, &row, changed);
    write.audit(fact("member:change_role", &row, row.version));
    Ok(Some(role))
}
