//! Lists of entities: filters, orders, pages.

use chrono::{DateTime, Utc};
use pulse_graphql::{Cursor, Page, PageError};
use pulse_types::EntityId;
use serde::{Deserialize, Serialize};
use sqlx::{Postgres, QueryBuilder};

use super::row::{EntityRow, all_columns, brief_columns};

/// Which entities are meant; `None` does not narrow.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct EntityFilter {
    pub(crate) type_name: Option<String>,
    pub(crate) keys: Option<Vec<String>>,
    pub(crate) name_prefix: Option<String>,
    pub(crate) min_confidence: Option<f64>,
    pub(crate) max_confidence: Option<f64>,
    pub(crate) created_from: Option<DateTime<Utc>>,
    pub(crate) created_before: Option<DateTime<Utc>>,
    pub(crate) updated_from: Option<DateTime<Utc>>,
    pub(crate) updated_before: Option<DateTime<Utc>>,
    /// Those that the caller sees, where they are few.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) within: Option<Vec<uuid::Uuid>>,
}

/// What a list is ordered by. Each has an index, in the tenant and in a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum EntityOrderField {
    Name,
    Key,
    CreatedAt,
    UpdatedAt,
    Confidence,
}

/// The order of a list; the id decides between equals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EntityOrder {
    pub(crate) field: EntityOrderField,
    pub(crate) descending: bool,
}

impl EntityOrderField {
    /// The column before the id; a key needs no id beside it, and ids are in the order of creation.
    const fn column(self) -> Option<&'static str> {
        match self {
            Self::Name => Some("e.name"),
            Self::Key => Some("e.key"),
            Self::UpdatedAt => Some("e.updated_at"),
            Self::Confidence => Some("e.confidence"),
            Self::CreatedAt => None,
        }
    }
}

/// Where `row` stands in a list of this order.
pub(crate) fn cursor(row: &EntityRow, field: EntityOrderField) -> Cursor {
    match field {
        EntityOrderField::Name => Cursor::new(&(field, &row.name, row.id)),
        EntityOrderField::Key => Cursor::new(&(field, &row.key, row.id)),
        EntityOrderField::UpdatedAt => Cursor::new(&(field, row.updated_at, row.id)),
        EntityOrderField::Confidence => Cursor::new(&(field, row.confidence, row.id)),
        EntityOrderField::CreatedAt => Cursor::new(&(field, (), row.id)),
    }
}

/// The statement of one page. `details` also reads properties and description.
pub(crate) fn list_query(
    filter: &EntityFilter,
    order: EntityOrder,
    page: &Page,
    details: bool,
) -> Result<QueryBuilder<Postgres>, PageError> {
    let mut query = QueryBuilder::new(if details {
        concat!("SELECT ", all_columns!(), " FROM entities.entities AS e WHERE true")
    } else {
        concat!("SELECT ", brief_columns!(), " FROM entities.entities AS e WHERE true")
    });
    push_filter(&mut query, filter);
    let descending = order.descending != page.backwards;
    if let Some(cursor) = &page.from {
        push_after(&mut query, order.field, if descending { " < " } else { " > " }, cursor)?;
    }
    let direction = if descending { " DESC" } else { "" };
    query.push(" ORDER BY ");
    if let Some(column) = order.field.column() {
        query.push(column).push(direction);
    }
    match order.field {
        EntityOrderField::Key => {}
        EntityOrderField::CreatedAt => {
            query.push("e.id").push(direction);
        }
        EntityOrderField::Name | EntityOrderField::UpdatedAt | EntityOrderField::Confidence => {
            query.push(", e.id").push(direction);
        }
    }
    push_limit(&mut query, page.limit());
    Ok(query)
}

/// Sizes that are asked for often stand in the text. Of a parameter the planner expects a tenth of all rows, and so it makes
/// a plan for each call anew, which takes longer than reading the page.
pub(crate) fn push_limit(query: &mut QueryBuilder<Postgres>, limit: i64) {
    query.push(" LIMIT ");
    match limit {
        usual @ (11 | 21 | 51 | 101) => query.push(usual),
        limit => query.push_bind(limit),
    };
}

/// The statement that counts what `filter` lets through.
pub(crate) fn count_query(filter: &EntityFilter) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new("SELECT count(*) FROM entities.entities AS e WHERE true");
    push_filter(&mut query, filter);
    query
}

fn push_after(
    query: &mut QueryBuilder<Postgres>,
    field: EntityOrderField,
    than: &str,
    cursor: &Cursor,
) -> Result<(), PageError> {
    fn values<T: serde::de::DeserializeOwned>(
        cursor: &Cursor,
        field: EntityOrderField,
    ) -> Result<(T, EntityId), PageError> {
        let (of, value, id) = cursor.values::<(EntityOrderField, T, EntityId)>()?;
        if of == field { Ok((value, id)) } else { Err(PageError::ForeignCursor) }
    }
    match field {
        EntityOrderField::CreatedAt => {
            let ((), id) = values(cursor, field)?;
            query.push(" AND e.id").push(than).push_bind(id);
        }
        EntityOrderField::Key => {
            let (key, _) = values::<String>(cursor, field)?;
            query.push(" AND e.key").push(than).push_bind(key);
        }
        EntityOrderField::Name => {
            let (name, id) = values::<String>(cursor, field)?;
            push_row(query, "e.name", than).push_bind(name).push(", ").push_bind(id).push(")");
        }
        EntityOrderField::UpdatedAt => {
            let (at, id) = values::<DateTime<Utc>>(cursor, field)?;
            push_row(query, "e.updated_at", than).push_bind(at).push(", ").push_bind(id).push(")");
        }
        EntityOrderField::Confidence => {
            let (confidence, id) = values::<f64>(cursor, field)?;
            push_row(query, "e.confidence", than).push_bind(confidence).push(", ").push_bind(id).push(")");
        }
    }
    Ok(())
}

fn push_row<'a>(
    query: &'a mut QueryBuilder<Postgres>,
    column: &str,
    than: &str,
) -> &'a mut QueryBuilder<Postgres> {
    query.push(" AND (").push(column).push(", e.id)").push(than).push("(")
}

fn push_filter(query: &mut QueryBuilder<Postgres>, filter: &EntityFilter) {
    let EntityFilter {
        type_name,
        keys,
        name_prefix,
        min_confidence,
        max_confidence,
        created_from,
        created_before,
        updated_from,
        updated_before,
        within,
    } = filter;
    if let Some(ids) = within {
        query.push(" AND e.id = ANY (").push_bind(ids.clone()).push(")");
    }
    if let Some(name) = type_name {
        query.push(" AND e.type = ").push_bind(name.clone());
    }
    if let Some(keys) = keys {
        query.push(" AND e.key = ANY (").push_bind(keys.clone()).push(")");
    }
    if let Some(prefix) = name_prefix.as_deref().filter(|prefix| !prefix.is_empty()) {
        query.push(" AND e.name >= ").push_bind(prefix.to_owned());
        if let Some(end) = after_prefix(prefix) {
            query.push(" AND e.name < ").push_bind(end);
        }
    }
    for (confidence, condition) in
        [(min_confidence, " AND e.confidence >= "), (max_confidence, " AND e.confidence <= ")]
    {
        if let Some(confidence) = confidence {
            query.push(condition).push_bind(*confidence);
        }
    }
    // Ids are in the order of creation, and are what the index of creation holds.
    for (at, condition) in [(created_from, " AND e.id >= "), (created_before, " AND e.id < ")] {
        if let Some(at) = at {
            query.push(condition).push_bind(least_id(*at));
        }
    }
    for (at, condition) in [(updated_from, " AND e.updated_at >= "), (updated_before, " AND e.updated_at < ")]
    {
        if let Some(at) = at {
            query.push(condition).push_bind(*at);
        }
    }
}

/// The least id of what was created at `at` or later. Creation has whole milliseconds, so a fraction rounds up.
fn least_id(at: DateTime<Utc>) -> uuid::Uuid {
    let whole = at.timestamp_millis() + i64::from(!at.timestamp_subsec_nanos().is_multiple_of(1_000_000));
    let millis = u128::try_from(whole).unwrap_or(0).min((1 << 48) - 1);
    uuid::Uuid::from_u128(millis << 80)
}

/// The least text that is greater than all that begin with `prefix`, in the order of code points.
fn after_prefix(prefix: &str) -> Option<String> {
    let mut characters: Vec<char> = prefix.chars().collect();
    while let Some(last) = characters.pop() {
        let next = match last {
            '\u{d7ff}' => Some('\u{e000}'),
            other => char::from_u32(other as u32 + 1),
        };
        if let Some(next) = next {
            characters.push(next);
            return Some(characters.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_prefix_is_the_next_character() {
        assert_eq!(after_prefix("lib").as_deref(), Some("lic"));
        assert_eq!(after_prefix("a\u{d7ff}").as_deref(), Some("a\u{e000}"));
        assert_eq!(after_prefix("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(after_prefix("\u{10ffff}"), None);
    }

    #[test]
    fn the_least_id_of_a_time_is_not_greater_than_any_made_then() {
        let at = DateTime::from_timestamp_millis(1_700_000_000_123).expect("a time");
        assert!(least_id(at) <= EntityId::new(at).uuid());
        let later = at + chrono::TimeDelta::microseconds(1);
        assert!(least_id(later) > EntityId::new(at).uuid());
        assert_eq!(least_id(DateTime::<Utc>::MIN_UTC), uuid::Uuid::nil());
    }
}
