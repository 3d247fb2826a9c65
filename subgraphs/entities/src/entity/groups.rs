//! Entities in groups: how many there are, and sums of their numbers.

use pulse_graphql::Error;
use pulse_store::Session;
use serde::{Deserialize, Serialize};
use sqlx::{Postgres, QueryBuilder};

use super::conditions::Matching;
use super::filter::{self, EntityFilter};
use crate::check::Problem;
use crate::error::GraphError;
use crate::{kept, sight};

/// What is asked about groups of entities.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct GroupsAsked {
    pub(crate) filter: EntityFilter,
    pub(crate) keys: Vec<GroupKey>,
    pub(crate) measures: Vec<Measure>,
    pub(crate) having: Vec<Having>,
    /// By which measure they are ordered, by their size unless given.
    pub(crate) order: Option<usize>,
    pub(crate) ascending: bool,
    pub(crate) size: u32,
}

/// What entities of one group have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum GroupKey {
    Type,
    Property {
        name: String,
        kind: GroupKind,
        /// Whether those without a value are a group.
        with_none: bool,
    },
}

/// As what values of a property are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, async_graphql::Enum)]
#[graphql(name = "EntityGroupKind")]
pub(crate) enum GroupKind {
    /// As texts.
    Text,
    /// As numbers.
    Number,
    /// As truth values, `true` or `false`.
    Boolean,
    /// As times, by the day in UTC, such as `2024-02-29`.
    Day,
    /// As times, by the month in UTC, such as `2024-02`.
    Month,
    /// As times, by the year in UTC, such as `2024`.
    Year,
}

/// A number that is made of the numbers of a group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Measure {
    pub(crate) of: MeasureOf,
    pub(crate) property: String,
}

/// How one number is made of many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, async_graphql::Enum)]
#[graphql(name = "EntityMeasureFunction")]
pub(crate) enum MeasureOf {
    /// How many entities have a number.
    Count,
    /// The sum of the numbers.
    Sum,
    /// Their mean.
    Avg,
    /// The least.
    Min,
    /// The greatest.
    Max,
}

/// Bounds of a measure, or of the size of a group, both included.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Having {
    pub(crate) measure: Option<usize>,
    pub(crate) min: Option<f64>,
    pub(crate) max: Option<f64>,
}

/// A group of entities: its keys as texts, its size, its measures.
#[derive(Debug, Clone, Serialize, Deserialize, sqlx::FromRow)]
pub(crate) struct GroupRow {
    pub(crate) keys: Vec<Option<String>>,
    pub(crate) size: i64,
    pub(crate) measures: Vec<Option<f64>>,
}

const MAX_KEYS: usize = 3;
const MAX_MEASURES: usize = 10;
const MAX_BOUNDS: usize = 10;

/// The groups, one more than asked for if there are more.
pub(crate) async fn find(session: &Session, asked: &GroupsAsked) -> Result<Vec<GroupRow>, Error<GraphError>> {
    sight::may_read(session.caller())?;
    check(asked).map_err(GraphError::Argument)?;
    let filter = EntityFilter { within: sight::within(session), ..asked.filter.clone() };
    let name = kept::named(&GroupsAsked { filter, ..asked.clone() })?;
    let mut found = session.read_through(&kept::ENTITY_GROUPS, vec![name.clone()]).await?;
    Ok(found.remove(&name).map(|rows| rows.to_vec()).unwrap_or_default())
}

fn check(asked: &GroupsAsked) -> Result<(), Problem> {
    let GroupsAsked { filter, keys, measures, having, order, ascending: _, size: _ } = asked;
    filter::check(filter)?;
    for (field, length, most) in [
        ("groupBy", keys.len(), MAX_KEYS),
        ("measures", measures.len(), MAX_MEASURES),
        ("having", having.len(), MAX_BOUNDS),
    ] {
        if length > most {
            return Err(Problem::new(field, format!("`{field}` has {length} items, allowed are {most}")));
        }
    }
    let named = measures.iter().map(|measure| ("measures", &measure.property));
    let named = named.chain(keys.iter().filter_map(|key| match key {
        GroupKey::Type => None,
        GroupKey::Property { name, .. } => Some(("groupBy", name)),
    }));
    for (field, name) in named {
        filter::check_property_name(name)?;
        if filter.type_name.is_none() {
            let text = format!("`{field}` needs `filter.type`: properties are those of a type");
            return Err(Problem::new(field, text));
        }
    }
    let of_having = having.iter().filter_map(|bounds| Some(("having", bounds.measure?)));
    for (field, measure) in of_having.chain(order.map(|measure| ("orderBy", measure))) {
        if measure >= measures.len() {
            let text = format!("`{field}` names measure {measure}, there are {}", measures.len());
            return Err(Problem::new(field, text));
        }
    }
    Ok(())
}

/// The statement that groups entities and measures the groups.
pub(crate) fn query(asked: &GroupsAsked) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new("");
    let matching = Matching::new(&asked.filter);
    matching.push_with(&mut query);
    query.push("SELECT ");
    push_array(&mut query, "text", (0..asked.keys.len()).map(|index| format!("k{index}")));
    query.push(" AS keys, count(*) AS size, ");
    push_array(&mut query, "float8", (0..asked.measures.len()).map(|index| measured(asked, index)));
    query.push(" AS measures FROM (");
    for part in 0..matching.parts() {
        query.push(if part == 0 { "" } else { " UNION ALL " });
        push_rows(&mut query, asked);
        matching.push_where(&mut query, part);
    }
    query.push(") AS e");
    for index in 0..asked.keys.len() {
        query.push(if index == 0 { " GROUP BY k" } else { ", k" }).push(index);
    }
    push_having(&mut query, asked);
    let by = asked.order.map_or_else(|| "count(*)".to_owned(), |index| measured(asked, index));
    query.push(" ORDER BY ").push(by).push(if asked.ascending { " ASC" } else { " DESC" });
    query.push(" NULLS LAST");
    for index in 0..asked.keys.len() {
        query.push(", k").push(index);
    }
    query.push(" LIMIT ").push_bind(i64::from(asked.size) + 1);
    query
}

/// A row for each entity and group that it is in, with its numbers.
fn push_rows(query: &mut QueryBuilder<Postgres>, asked: &GroupsAsked) {
    query.push("SELECT e.id");
    for (index, key) in asked.keys.iter().enumerate() {
        match key {
            GroupKey::Type => query.push(", e.type AS k").push(index),
            GroupKey::Property { .. } => query.push(format_args!(", g{index}.value AS k{index}")),
        };
    }
    for index in 0..asked.measures.len() {
        query.push(format_args!(", m{index}.number AS x{index}"));
    }
    query.push(" FROM entities.entities AS e");
    let of_type = asked.filter.type_name.as_deref().unwrap_or_default();
    for (index, key) in asked.keys.iter().enumerate() {
        let GroupKey::Property { name, kind, with_none } = key else { continue };
        // Of a list that has a value twice, the entity is in that group once.
        query.push(if *with_none { " LEFT JOIN LATERAL" } else { " CROSS JOIN LATERAL" });
        query.push(" (SELECT DISTINCT ").push(kind.text()).push(" AS value FROM entities.properties AS p");
        query.push(" WHERE p.entity_id = e.id AND p.type = ").push_bind(of_type.to_owned());
        query.push(" AND p.name = ").push_bind(name.clone());
        query.push(" AND p.").push(kind.column()).push(format_args!(" IS NOT NULL) AS g{index}"));
        query.push(if *with_none { " ON true" } else { "" });
    }
    for (index, measure) in asked.measures.iter().enumerate() {
        query.push(format_args!(
            " LEFT JOIN entities.properties AS m{index} ON m{index}.entity_id = e.id AND m{index}.place = 0"
        ));
        query.push(format_args!(" AND m{index}.type = ")).push_bind(of_type.to_owned());
        query.push(format_args!(" AND m{index}.name = ")).push_bind(measure.property.clone());
    }
}

fn push_having(query: &mut QueryBuilder<Postgres>, asked: &GroupsAsked) {
    query.push(" HAVING true");
    for Having { measure, min, max } in &asked.having {
        let what = measure.map_or_else(|| "count(*)".to_owned(), |index| measured(asked, index));
        for (bound, than) in [(min, " >= "), (max, " <= ")] {
            if let Some(bound) = bound {
                query.push(" AND ").push(&what).push(than).push_bind(*bound);
            }
        }
    }
}

fn push_array(query: &mut QueryBuilder<Postgres>, kind: &'static str, values: impl Iterator<Item = String>) {
    let values: Vec<String> = values.collect();
    query.push("ARRAY[").push(values.join(", ")).push("]::").push(kind).push("[]");
}

/// The measure as an expression.
fn measured(asked: &GroupsAsked, index: usize) -> String {
    let function = match asked.measures[index].of {
        MeasureOf::Count => "count",
        MeasureOf::Sum => "sum",
        MeasureOf::Avg => "avg",
        MeasureOf::Min => "min",
        MeasureOf::Max => "max",
    };
    format!("{function}(x{index})")
}

impl GroupKind {
    const fn column(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Boolean => "flag",
            Self::Day | Self::Month | Self::Year => "time",
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::Text => "p.text",
            Self::Number => "p.number::text",
            Self::Boolean => "p.flag::text",
            Self::Day => "to_char(p.time AT TIME ZONE 'UTC', 'YYYY-MM-DD')",
            Self::Month => "to_char(p.time AT TIME ZONE 'UTC', 'YYYY-MM')",
            Self::Year => "to_char(p.time AT TIME ZONE 'UTC', 'YYYY')",
        }
    }
}
