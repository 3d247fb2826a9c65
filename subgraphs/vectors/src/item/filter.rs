//! Conditions on metadata, from GraphQL input to parameters of SQL.

use async_graphql::{Enum, InputObject, InputValueError, InputValueResult, Scalar, ScalarType};
use serde_json::Value;
use sqlx::{Postgres, QueryBuilder};

use super::ItemError;

const MAX_DEPTH: usize = 5;
const MAX_CONDITIONS: usize = 50;
const MAX_PATH: usize = 10;
const MAX_VALUES: usize = 100;

/// A string, a number or a boolean; for `IN` a list of them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MetadataValue(Value);

/// A string, a number or a boolean; for `IN` a list of them.
#[Scalar]
impl ScalarType for MetadataValue {
    fn parse(value: async_graphql::Value) -> InputValueResult<Self> {
        match value.into_json() {
            Ok(value @ (Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Array(_))) => {
                Ok(Self(value))
            }
            _ => Err(InputValueError::custom("expected a string, a number, a boolean, or a list of them")),
        }
    }

    fn to_value(&self) -> async_graphql::Value {
        async_graphql::Value::from_json(self.0.clone()).unwrap_or_default()
    }
}

/// How a value in the metadata is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum MetadataOperator {
    /// Equals.
    Eq,
    /// Is another value, or is missing.
    Ne,
    /// Is one of the values of a list.
    In,
    /// Greater than; a number only compares with numbers, a string with strings.
    Gt,
    /// Greater than or equal.
    Gte,
    /// Less than.
    Lt,
    /// Less than or equal.
    Lte,
    /// Is there (`value: true`, the default) or missing (`value: false`).
    Exists,
}

/// A condition on metadata. All that it says must hold: its own comparison, each of `and`, and one of `or`.
#[derive(Debug, Clone, InputObject)]
pub(crate) struct MetadataFilter {
    /// Where the value stands in the metadata: keys from the outside in, such as `["author", "name"]`.
    pub path: Option<Vec<String>>,
    /// How it is compared.
    pub op: Option<MetadataOperator>,
    /// With what.
    pub value: Option<MetadataValue>,
    /// All of these hold.
    pub and: Option<Vec<MetadataFilter>>,
    /// One of these holds.
    pub or: Option<Vec<MetadataFilter>>,
}

/// What is wrong with a metadata filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FilterProblem {
    /// Nested too deeply.
    #[error("filters nest at most {MAX_DEPTH} deep")]
    Depth,
    /// Too many conditions.
    #[error("a filter has at most {MAX_CONDITIONS} conditions")]
    Conditions,
    /// Nothing in it.
    #[error("an empty filter: give `path` with `op`, or `and`, or `or`")]
    Empty,
    /// A path without an operator, or the other way round.
    #[error("`path` and `op` belong together")]
    Incomplete,
    /// The path is empty or too long.
    #[error("a path has 1 to {MAX_PATH} keys")]
    Path,
    /// The value does not fit the operator.
    #[error("{0:?} needs {1}")]
    Value(MetadataOperator, &'static str),
}

/// A checked filter.
#[derive(Debug, Clone)]
pub(crate) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Compare { path: Vec<String>, op: MetadataOperator, value: Value },
}

impl Condition {
    /// Checks a filter that stands at `place` in the arguments.
    pub(crate) fn try_new(filter: MetadataFilter, place: &str) -> Result<Self, ItemError> {
        Self::checked(filter, place, 1, &mut 0)
    }

    fn checked(
        filter: MetadataFilter,
        place: &str,
        depth: usize,
        count: &mut usize,
    ) -> Result<Self, ItemError> {
        let wrong = |problem| ItemError::Filter { path: place.to_owned(), problem };
        let MetadataFilter { path, op, value, and, or } = filter;
        *count += 1;
        if depth > MAX_DEPTH {
            return Err(wrong(FilterProblem::Depth));
        }
        if *count > MAX_CONDITIONS {
            return Err(wrong(FilterProblem::Conditions));
        }
        let mut all = Vec::new();
        match (path, op) {
            (Some(path), Some(op)) => all.push(compare(path, op, value).map_err(wrong)?),
            (None, None) if value.is_none() => {}
            _ => return Err(wrong(FilterProblem::Incomplete)),
        }
        let mut nested = |filters: Vec<MetadataFilter>, name: &str| {
            let numbered = filters.into_iter().enumerate();
            numbered
                .map(|(nth, filter)| {
                    Self::checked(filter, &format!("{place}.{name}[{nth}]"), depth + 1, count)
                })
                .collect::<Result<Vec<_>, _>>()
        };
        all.extend(nested(and.unwrap_or_default(), "and")?);
        let any = nested(or.unwrap_or_default(), "or")?;
        if !any.is_empty() {
            all.push(Self::Any(any));
        }
        if all.is_empty() { Err(wrong(FilterProblem::Empty)) } else { Ok(Self::All(all)) }
    }

    /// Writes the condition on the column `metadata`; everything that the caller gave becomes a parameter.
    pub(crate) fn push(&self, query: &mut QueryBuilder<Postgres>) {
        match self {
            Self::All(conditions) => push_joined(query, conditions, " AND "),
            Self::Any(conditions) => push_joined(query, conditions, " OR "),
            Self::Compare { path, op, value } => push_comparison(query, path, *op, value),
        }
    }
}

fn compare(
    path: Vec<String>,
    op: MetadataOperator,
    value: Option<MetadataValue>,
) -> Result<Condition, FilterProblem> {
    use MetadataOperator::{Eq, Exists, Gt, Gte, In, Lt, Lte, Ne};
    if !(1..=MAX_PATH).contains(&path.len()) {
        return Err(FilterProblem::Path);
    }
    let value = match (op, value.map(|value| value.0)) {
        (Exists, None) => Value::Bool(true),
        (In, Some(Value::Array(values))) if (1..=MAX_VALUES).contains(&values.len()) => Value::Array(values),
        (Exists, Some(value @ Value::Bool(_)))
        | (Eq | Ne, Some(value @ (Value::Bool(_) | Value::Number(_) | Value::String(_))))
        | (Gt | Gte | Lt | Lte, Some(value @ (Value::Number(_) | Value::String(_)))) => value,
        (Exists, _) => return Err(FilterProblem::Value(op, "`true`, `false` or no value")),
        (In, _) => return Err(FilterProblem::Value(op, "a list of 1 to 100 values")),
        (Eq | Ne, _) => return Err(FilterProblem::Value(op, "one value")),
        (Gt | Gte | Lt | Lte, _) => return Err(FilterProblem::Value(op, "a number or a string")),
    };
    Ok(Condition::Compare { path, op, value })
}

fn push_joined(query: &mut QueryBuilder<Postgres>, conditions: &[Condition], operator: &str) {
    query.push("(");
    for (nth, condition) in conditions.iter().enumerate() {
        if nth > 0 {
            query.push(operator);
        }
        condition.push(query);
    }
    query.push(")");
}

fn push_comparison(query: &mut QueryBuilder<Postgres>, path: &[String], op: MetadataOperator, value: &Value) {
    let operator = match op {
        MetadataOperator::Eq => " = ",
        MetadataOperator::Ne => " IS DISTINCT FROM ",
        MetadataOperator::In => {
            let values: Vec<Value> = value.as_array().cloned().unwrap_or_default();
            query.push("metadata #> ").push_bind(path.to_vec()).push(" = ANY (").push_bind(values).push(")");
            return;
        }
        MetadataOperator::Exists => {
            let is = if *value == Value::Bool(true) { " IS NOT NULL" } else { " IS NULL" };
            query.push("metadata #> ").push_bind(path.to_vec()).push(is);
            return;
        }
        MetadataOperator::Gt => " > ",
        MetadataOperator::Gte => " >= ",
        MetadataOperator::Lt => " < ",
        MetadataOperator::Lte => " <= ",
    };
    if !matches!(op, MetadataOperator::Eq | MetadataOperator::Ne) {
        // jsonb orders any kinds of values; only values of the same kind compare here.
        let kind = if value.is_number() { "'number'" } else { "'string'" };
        query
            .push("jsonb_typeof(metadata #> ")
            .push_bind(path.to_vec())
            .push(") = ")
            .push(kind)
            .push(" AND ");
    }
    query.push("metadata #> ").push_bind(path.to_vec()).push(operator).push_bind(value.clone());
}
