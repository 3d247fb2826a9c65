//! Lists of relationships: filters and pages.

use pulse_graphql::{Cursor, Page, PageError};
use pulse_types::{EntityId, RelationshipId};
use serde::{Deserialize, Serialize};
use sqlx::{Postgres, QueryBuilder};

use crate::entity::list::push_limit;

use super::row::{RelationshipRow, relationship_columns};

/// Which relationships are meant; `None` does not narrow.
#[derive(Debug, Clone, Default)]
pub(crate) struct RelationshipFilter {
    pub(crate) type_name: Option<String>,
    pub(crate) source: Option<EntityId>,
    pub(crate) target: Option<EntityId>,
    pub(crate) min_confidence: Option<f64>,
    /// The entities that the caller sees, where they are few.
    pub(crate) within: Option<Vec<uuid::Uuid>>,
}

/// What a list is ordered by: that of the index which serves its filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Order {
    Creation,
    TypeAndTarget,
    TypeAndSource,
}

impl RelationshipFilter {
    const fn order(&self) -> Order {
        match (&self.source, &self.target) {
            (Some(_), _) => Order::TypeAndTarget,
            (None, Some(_)) => Order::TypeAndSource,
            (None, None) => Order::Creation,
        }
    }

    /// Where `row` stands in the list of this filter.
    pub(crate) fn cursor(&self, row: &RelationshipRow) -> Cursor {
        let order = self.order();
        match order {
            Order::Creation => Cursor::new(&(order, "", row.id.uuid())),
            Order::TypeAndTarget => Cursor::new(&(order, &row.type_name, row.target_id.uuid())),
            Order::TypeAndSource => Cursor::new(&(order, &row.type_name, row.source_id.uuid())),
        }
    }
}

/// The statement of one page.
pub(crate) fn list_query(
    filter: &RelationshipFilter,
    page: &Page,
) -> Result<QueryBuilder<Postgres>, PageError> {
    let mut query = QueryBuilder::new(concat!(
        "SELECT ",
        relationship_columns!(),
        " FROM entities.relationships AS r WHERE true"
    ));
    push_filter(&mut query, filter);
    let order = filter.order();
    let (than, direction) = if page.backwards { (" < ", " DESC") } else { (" > ", "") };
    let other = match order {
        Order::TypeAndTarget => "r.target_id",
        Order::TypeAndSource => "r.source_id",
        Order::Creation => "r.id",
    };
    if let Some(cursor) = &page.from {
        let (of, type_name, id) = cursor.values::<(Order, String, uuid::Uuid)>()?;
        if of != order {
            return Err(PageError::ForeignCursor);
        }
        match order {
            Order::Creation => query.push(" AND r.id").push(than).push_bind(id),
            Order::TypeAndTarget | Order::TypeAndSource => {
                query.push(" AND (r.type, ").push(other).push(")").push(than).push("(");
                query.push_bind(type_name).push(", ").push_bind(id).push(")")
            }
        };
    }
    query.push(" ORDER BY ");
    if order != Order::Creation {
        query.push("r.type").push(direction).push(", ");
    }
    query.push(other).push(direction);
    push_limit(&mut query, page.limit());
    Ok(query)
}

/// The statement that counts what `filter` lets through.
pub(crate) fn count_query(filter: &RelationshipFilter) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new("SELECT count(*) FROM entities.relationships AS r WHERE true");
    push_filter(&mut query, filter);
    query
}

/// The statement of the relationships with these ids.
pub(crate) const BY_IDS: &str =
    concat!("SELECT ", relationship_columns!(), " FROM entities.relationships AS r WHERE r.id = ANY ($1)");

pub(crate) fn uuids(ids: &[RelationshipId]) -> Vec<uuid::Uuid> {
    ids.iter().map(|id| id.uuid()).collect()
}

fn push_filter(query: &mut QueryBuilder<Postgres>, filter: &RelationshipFilter) {
    let RelationshipFilter { type_name, source, target, min_confidence, within } = filter;
    if let Some(ids) = within {
        for condition in [" AND r.source_id = ANY (", " AND r.target_id = ANY ("] {
            query.push(condition).push_bind(ids.clone()).push(")");
        }
    }
    if let Some(name) = type_name {
        // The index of a type is under that name of the collation; see the migration.
        let collate = if filter.order() == Order::Creation { " COLLATE \"POSIX\"" } else { "" };
        query.push(" AND r.type").push(collate).push(" = ").push_bind(name.clone());
    }
    for (id, condition) in [(source, " AND r.source_id = "), (target, " AND r.target_id = ")] {
        if let Some(id) = id {
            query.push(condition).push_bind(*id);
        }
    }
    if let Some(confidence) = min_confidence {
        query.push(" AND r.confidence >= ").push_bind(*confidence);
    }
}
