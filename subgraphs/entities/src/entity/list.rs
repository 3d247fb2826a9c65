//! Lists of entities: orders and pages.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use pulse_graphql::{Cursor, Page, PageError};
use pulse_types::EntityId;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgRow;
use sqlx::{Encode, FromRow, Postgres, QueryBuilder, Row, Type};

use super::conditions::Matching;
use super::filter::EntityFilter;
use super::row::{EntityRow, all_columns, brief_columns};
use crate::relationship::of_entities::Direction;

/// What a list is ordered by. Each has an index, in the tenant and in a type; properties have theirs in a type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum EntityOrderField {
    Name,
    Key,
    CreatedAt,
    UpdatedAt,
    Confidence,
    /// The list has the entities that have a value of that kind.
    Property(String, ValueKind),
    /// How many relationships of a type, or of any, they have in a direction. No index has that order, so all that the filter
    /// lets through are counted and sorted.
    Relations(Option<String>, Direction),
}

/// As what values of properties are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum ValueKind {
    Text,
    Number,
    Time,
}

impl ValueKind {
    /// The column of `entities.properties` that holds such values.
    pub(crate) const fn column(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Time => "time",
        }
    }
}

/// The order of a list; the id decides between equals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EntityOrder {
    pub(crate) field: EntityOrderField,
    pub(crate) descending: bool,
}

/// An entity of a list, with the value that it is ordered by where that is none of its columns.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Listed {
    pub(crate) row: Arc<EntityRow>,
    at: Option<At>,
}

/// A value of a property.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum At {
    Text(String),
    Number(f64),
    Time(DateTime<Utc>),
}

impl FromRow<'_, PgRow> for Listed {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let entity = EntityRow::at(row, 0)?;
        let at = if row.len() > VALUES {
            let text = row.try_get::<Option<_>, _>(VALUES)?.map(At::Text);
            let number = row.try_get::<Option<_>, _>(VALUES + 1)?.map(At::Number);
            text.or(number).or(row.try_get::<Option<_>, _>(VALUES + 2)?.map(At::Time))
        } else {
            None
        };
        Ok(Self { row: entity.into(), at })
    }
}

/// Where the columns of values begin, behind those of the entity.
const VALUES: usize = 10;

impl EntityOrderField {
    /// The columns that the list is ordered by; a key needs no id beside it, and ids are in the order of creation.
    const fn columns(&self) -> &'static [&'static str] {
        match self {
            Self::Name => &["e.name", "e.id"],
            Self::Key => &["e.key"],
            Self::UpdatedAt => &["e.updated_at", "e.id"],
            Self::Confidence => &["e.confidence", "e.id"],
            Self::CreatedAt => &["e.id"],
            Self::Property(_, ValueKind::Text) => &["o.text", "o.entity_id"],
            Self::Property(_, ValueKind::Number) => &["o.number", "o.entity_id"],
            Self::Property(_, ValueKind::Time) => &["o.time", "o.entity_id"],
            Self::Relations(..) => &["o.number", "e.id"],
        }
    }

    /// The same columns by their positions among those that are read.
    const fn positions(&self) -> &'static [&'static str] {
        match self {
            Self::Name => &["4", "1"],
            Self::Key => &["2"],
            Self::UpdatedAt => &["8", "1"],
            Self::Confidence => &["5", "1"],
            Self::CreatedAt => &["1"],
            Self::Property(_, ValueKind::Text) => &["11", "1"],
            Self::Property(_, ValueKind::Number) | Self::Relations(..) => &["12", "1"],
            Self::Property(_, ValueKind::Time) => &["13", "1"],
        }
    }

    /// The columns of the value that is not a column of the entity.
    const fn values(&self) -> &'static str {
        match self {
            Self::Property(_, ValueKind::Text) => ", o.text, NULL::float8, NULL::timestamptz",
            Self::Property(_, ValueKind::Number) | Self::Relations(..) => {
                ", NULL::text, o.number, NULL::timestamptz"
            }
            Self::Property(_, ValueKind::Time) => ", NULL::text, NULL::float8, o.time",
            _ => "",
        }
    }
}

/// Where an entity stands in a list of this order.
pub(crate) fn cursor(Listed { row, at }: &Listed, field: &EntityOrderField) -> Cursor {
    match field {
        EntityOrderField::Name => Cursor::new(&(field, &row.name, row.id)),
        EntityOrderField::Key => Cursor::new(&(field, &row.key, row.id)),
        EntityOrderField::UpdatedAt => Cursor::new(&(field, row.updated_at, row.id)),
        EntityOrderField::Confidence => Cursor::new(&(field, row.confidence, row.id)),
        EntityOrderField::CreatedAt => Cursor::new(&(field, (), row.id)),
        EntityOrderField::Property(..) | EntityOrderField::Relations(..) => match at {
            Some(At::Text(text)) => Cursor::new(&(field, text, row.id)),
            Some(At::Number(number)) => Cursor::new(&(field, number, row.id)),
            Some(At::Time(time)) => Cursor::new(&(field, time, row.id)),
            None => Cursor::new(&(field, (), row.id)),
        },
    }
}

/// The statement of one page. `details` also reads properties and description.
pub(crate) fn list_query(
    filter: &EntityFilter,
    order: &EntityOrder,
    page: &Page,
    details: bool,
) -> Result<QueryBuilder<Postgres>, PageError> {
    let mut query = QueryBuilder::new("");
    let matching = Matching::new(filter);
    let is_one = matching.parts() == 1;
    matching.push_with(&mut query);
    let descending = order.descending != page.backwards;
    for part in 0..matching.parts() {
        if !is_one {
            query.push(if part == 0 { "SELECT * FROM ((" } else { ") UNION ALL (" });
        }
        query.push(if details {
            concat!("SELECT ", all_columns!())
        } else {
            concat!("SELECT ", brief_columns!())
        });
        query.push(order.field.values());
        push_from(&mut query, filter, order);
        matching.push_where(&mut query, part);
        if let Some(cursor) = &page.from {
            push_after(&mut query, &order.field, if descending { " < " } else { " > " }, cursor)?;
        }
        push_order(&mut query, order.field.columns(), descending);
        push_limit(&mut query, page.limit());
    }
    if !is_one {
        query.push(")) AS page");
        push_order(&mut query, order.field.positions(), descending);
    }
    Ok(query)
}

fn push_order(query: &mut QueryBuilder<Postgres>, columns: &[&str], descending: bool) {
    for (index, column) in columns.iter().enumerate() {
        query.push(if index == 0 { " ORDER BY " } else { ", " }).push(column);
        query.push(if descending { " DESC" } else { "" });
    }
}

/// The entities of which a list of this order can tell where they stand.
fn push_from(query: &mut QueryBuilder<Postgres>, filter: &EntityFilter, order: &EntityOrder) {
    query.push(" FROM entities.entities AS e");
    if let EntityOrderField::Property(name, kind) = &order.field {
        query.push(" JOIN entities.properties AS o ON o.entity_id = e.id AND o.type = ");
        query.push_bind(filter.type_name.clone().unwrap_or_default());
        query.push(" AND o.name = ").push_bind(name.clone());
        query.push(" AND o.place = 0 AND o.").push(kind.column()).push(" IS NOT NULL");
    }
    if let EntityOrderField::Relations(type_name, direction) = &order.field {
        push_relations(query, type_name.as_deref(), *direction);
    }
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

fn push_relations(query: &mut QueryBuilder<Postgres>, type_name: Option<&str>, direction: Direction) {
    let sides = direction.sides();
    query.push(" CROSS JOIN LATERAL (SELECT count(*)::float8 AS number FROM (");
    for (index, side) in sides.iter().enumerate() {
        query.push(if index == 0 { "SELECT 1" } else { " UNION ALL SELECT 1" });
        query.push(" FROM entities.relationships AS r WHERE ").push(side.own).push(" = e.id");
        if let Some(name) = type_name {
            query.push(" AND r.type = ").push_bind(name.to_owned());
        }
        // A relationship of an entity with itself is one relationship.
        if side.incoming && sides.len() > 1 {
            query.push(" AND r.source_id <> r.target_id");
        }
    }
    query.push(") AS counted OFFSET 0) AS o");
}

/// The statement that counts what a list in this order has.
pub(crate) fn count_query(filter: &EntityFilter, order: &EntityOrder) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new("");
    let any = EntityOrder { field: EntityOrderField::CreatedAt, descending: false };
    let matching = Matching::new(filter);
    matching.push_with(&mut query);
    for part in 0..matching.parts() {
        query.push(if part == 0 { "SELECT sum(n)::bigint FROM (" } else { " UNION ALL " });
        query.push("SELECT count(*) AS n");
        // How many relationships each has makes no difference.
        let of_order = if matches!(order.field, EntityOrderField::Relations(..)) { &any } else { order };
        push_from(&mut query, filter, of_order);
        matching.push_where(&mut query, part);
    }
    query.push(") AS parts");
    query
}

fn push_after(
    query: &mut QueryBuilder<Postgres>,
    field: &EntityOrderField,
    than: &str,
    cursor: &Cursor,
) -> Result<(), PageError> {
    fn values<T: DeserializeOwned>(
        cursor: &Cursor,
        field: &EntityOrderField,
    ) -> Result<(T, EntityId), PageError> {
        let (of, value, id) = cursor.values::<(EntityOrderField, T, EntityId)>()?;
        if of == *field { Ok((value, id)) } else { Err(PageError::ForeignCursor) }
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
            push_row(query, "(e.name, e.id)", than, values::<String>(cursor, field)?);
        }
        EntityOrderField::UpdatedAt => {
            push_row(query, "(e.updated_at, e.id)", than, values::<DateTime<Utc>>(cursor, field)?);
        }
        EntityOrderField::Confidence => {
            push_row(query, "(e.confidence, e.id)", than, values::<f64>(cursor, field)?);
        }
        EntityOrderField::Property(_, ValueKind::Text) => {
            push_row(query, "(o.text, o.entity_id)", than, values::<String>(cursor, field)?);
        }
        EntityOrderField::Property(_, ValueKind::Number) => {
            push_row(query, "(o.number, o.entity_id)", than, values::<f64>(cursor, field)?);
        }
        EntityOrderField::Relations(..) => {
            push_row(query, "(o.number, e.id)", than, values::<f64>(cursor, field)?);
        }
        EntityOrderField::Property(_, ValueKind::Time) => {
            push_row(query, "(o.time, o.entity_id)", than, values::<DateTime<Utc>>(cursor, field)?);
        }
    }
    Ok(())
}

fn push_row<T>(query: &mut QueryBuilder<Postgres>, columns: &str, than: &str, (value, id): (T, EntityId))
where
    T: Send + for<'q> Encode<'q, Postgres> + Type<Postgres> + 'static,
{
    query.push(" AND ").push(columns).push(than).push("(");
    query.push_bind(value).push(", ").push_bind(id).push(")");
}
