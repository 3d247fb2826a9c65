//! What a narrowed caller's transaction says of single things.
//!
//! The policies `reach` of the database read it. They bind the role `pulse_narrowed` alone, so that nobody else's statements are
//! planned with them; and they let nothing through of which nothing is said.

use std::fmt::{self, Write as _};

use pulse_types::{Caller, Reach};
use uuid::Uuid;

/// Appends the settings of a narrowed caller; nothing for others. Only ids, which are safe to print, go into the text.
pub(crate) fn push_settings(sql: &mut String, caller: &Caller) -> fmt::Result {
    if !caller.is_narrowed() {
        return Ok(());
    }
    push(sql, "entity", caller.entities_in_sight())?;
    push(sql, "collection", caller.collections_in_sight())
}

fn push(sql: &mut String, kind: &str, reach: Reach<'_>) -> fmt::Result {
    let (how, ids) = match (reach, reach.only()) {
        (_, Some(ids)) => ("only", ids),
        (Reach::AllBut(denied), None) if !denied.is_empty() => ("but", denied.iter().copied().collect()),
        _ => ("all", Vec::<Uuid>::new()),
    };
    write!(sql, "; SET LOCAL pulse.{kind}_reach = '{how}'; SET LOCAL pulse.{kind}_ids = '{{")?;
    for (nth, id) in ids.iter().enumerate() {
        write!(sql, "{}{id}", if nth == 0 { "" } else { "," })?;
    }
    sql.write_str("}'")
}
