//! Pages in the order of joining.

use chrono::{DateTime, Utc};
use pulse_graphql::{Cursor, Page, PageError};
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

/// The cursor at a row of such a list.
pub(crate) fn cursor(joined_at: DateTime<Utc>, id: Uuid) -> Cursor {
    Cursor::new(&(joined_at, id))
}

/// Ends a query, which has a WHERE, with the page's condition, order and limit. `id` is the tie-breaking column.
pub(crate) fn push_page(
    query: &mut QueryBuilder<Postgres>,
    page: &Page,
    id: &'static str,
) -> Result<(), PageError> {
    let (comparison, direction) = if page.backwards { ("<", "DESC") } else { (">", "ASC") };
    if let Some(cursor) = &page.from {
        let (joined_at, last): (DateTime<Utc>, Uuid) = cursor.values()?;
        query.push(format_args!(" AND (joined_at, {id}) {comparison} (")).push_bind(joined_at);
        query.push(", ").push_bind(last).push(")");
    }
    query
        .push(format_args!(" ORDER BY joined_at {direction}, {id} {direction} LIMIT "))
        .push_bind(page.limit());
    Ok(())
}
