//! Which entities are meant: by what they are, by their properties, and by what they are related to.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::check::{self, Problem};
use crate::relationship::of_entities::Direction;

/// Which entities are meant; what is empty does not narrow.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct EntityFilter {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) type_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) keys: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name_prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) min_confidence: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_confidence: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created_from: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created_before: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) updated_from: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) updated_before: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) properties: Vec<PropertyFilter>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) relations: Vec<RelationFilter>,
    /// All of these let it through.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) all: Vec<EntityFilter>,
    /// One of these lets it through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) any: Option<Vec<EntityFilter>>,
    /// This does not let it through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) not: Option<Box<EntityFilter>>,
    /// Those that the caller sees, where they are few.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) within: Option<Vec<uuid::Uuid>>,
}

/// What one property is like. All tests hold of the same value; of a list of values, of one of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct PropertyFilter {
    pub(crate) name: String,
    pub(crate) tests: Vec<PropertyTest>,
}

/// One thing that a property's value is asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum PropertyTest {
    /// Whether there is a value at all.
    Exists(bool),
    Flag(bool),
    Text(Comparison<String>),
    /// A text that begins so.
    Begins(String),
    Number(Comparison<f64>),
    Time(Comparison<DateTime<Utc>>),
}

/// With what a value is compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Comparison<T> {
    Equals(T),
    Among(Vec<T>),
    Less(T),
    AtMost(T),
    Greater(T),
    AtLeast(T),
}

/// What an entity is related to, along relationships of one type or any, in one direction or both.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RelationFilter {
    pub(crate) type_name: Option<String>,
    pub(crate) direction: Direction,
    pub(crate) test: RelationTest,
}

/// What the entities at the other ends are asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum RelationTest {
    /// One is like that.
    Some(EntityFilter),
    /// Each is like that, if there is any.
    Every(EntityFilter),
    /// None is like that.
    None(EntityFilter),
    /// There are so many relationships.
    Count { least: i64, most: Option<i64> },
}

impl EntityFilter {
    /// Shows each filter of relationships, at any depth.
    pub(crate) fn each_relation<'f>(&'f self, show: &mut impl FnMut(&'f RelationFilter)) {
        for relation in &self.relations {
            show(relation);
            match &relation.test {
                RelationTest::Some(ends) | RelationTest::Every(ends) | RelationTest::None(ends) => {
                    ends.each_relation(show);
                }
                RelationTest::Count { .. } => {}
            }
        }
        for part in self.parts() {
            part.each_relation(show);
        }
    }

    /// Whether it looks at more than columns of entities. Such statements come in too many forms to be kept prepared.
    pub(crate) fn is_composed(&self) -> bool {
        !self.properties.is_empty() || !self.relations.is_empty() || self.parts().next().is_some()
    }

    /// The filters that `and`, `or` and `not` are made of.
    fn parts(&self) -> impl Iterator<Item = &Self> {
        self.all.iter().chain(self.any.iter().flatten()).chain(self.not.as_deref())
    }
}

const MAX_KEYS: usize = 100;
const MAX_VALUES: usize = 100;
const MAX_TEXT_CHARS: usize = 500;
/// How deep filters stand within filters.
const MAX_DEPTH: usize = 5;
/// Tests and filters in all, each of which is a condition of the statement; those of relationships in both directions count twice.
const MAX_CONDITIONS: usize = 50;
/// Of this many relationships of one entity more are not told apart.
const MAX_COUNT: i64 = 10_000;

/// Checks what a list is asked to be narrowed to.
pub(crate) fn check(filter: &EntityFilter) -> Result<(), Problem> {
    let mut conditions = 0;
    check_part(filter, None, (1, &mut conditions))?;
    if conditions > MAX_CONDITIONS {
        let text = format!("`filter` has {conditions} conditions, allowed are {MAX_CONDITIONS}");
        return Err(refused(text));
    }
    Ok(())
}

fn refused(text: impl Into<String>) -> Problem {
    Problem::new("filter", text)
}

fn check_part(
    filter: &EntityFilter,
    of_type: Option<&str>,
    (depth, conditions): (usize, &mut usize),
) -> Result<(), Problem> {
    if depth > MAX_DEPTH {
        return Err(refused(format!("`filter` is nested deeper than {MAX_DEPTH} levels")));
    }
    if let Some(keys) = filter.keys.as_ref().filter(|keys| keys.len() > MAX_KEYS) {
        let text = format!("`keys` has {} keys, allowed are {MAX_KEYS}", keys.len());
        return Err(Problem::new("filter.keys", text));
    }
    let texts = filter.keys.iter().flatten().chain(&filter.name_prefix).chain(&filter.type_name);
    texts.map(String::as_str).try_for_each(check_text)?;
    [filter.min_confidence, filter.max_confidence].into_iter().flatten().try_for_each(check::confidence)?;
    let of_type = filter.type_name.as_deref().or(of_type);
    if of_type.is_none() && !filter.properties.is_empty() {
        let text = "`filter.properties` needs `filter.type`: properties are those of a type";
        return Err(Problem::new("filter.properties", text));
    }
    *conditions += 1;
    for property in &filter.properties {
        check_property(property)?;
        *conditions += property.tests.len();
    }
    for relation in &filter.relations {
        *conditions += 1;
        check_relation(relation, (depth, conditions))?;
    }
    if filter.any.as_ref().is_some_and(Vec::is_empty) {
        return Err(Problem::new(
            "filter.or",
            "`filter.or` is empty: give one filter at least, or leave it out",
        ));
    }
    filter.parts().try_for_each(|part| check_part(part, of_type, (depth + 1, conditions)))
}

fn check_relation(
    relation: &RelationFilter,
    (depth, conditions): (usize, &mut usize),
) -> Result<(), Problem> {
    relation.type_name.as_deref().map_or(Ok(()), check_text)?;
    match &relation.test {
        RelationTest::Some(ends) | RelationTest::Every(ends) | RelationTest::None(ends) => {
            let before = *conditions;
            check_part(ends, None, (depth + 1, conditions))?;
            // Each direction asks all of it.
            *conditions += (*conditions - before) * (relation.direction.sides().len() - 1);
            Ok(())
        }
        RelationTest::Count { least, most } => {
            if [Some(*least), *most].into_iter().flatten().all(|count| (0..=MAX_COUNT).contains(&count)) {
                return Ok(());
            }
            let text = format!("`count` has other bounds than 0 to {MAX_COUNT}");
            Err(Problem::new("filter.relations.count", text))
        }
    }
}

fn check_property(property: &PropertyFilter) -> Result<(), Problem> {
    check_property_name(&property.name)?;
    if property.tests.is_empty() {
        let text = format!(
            "`properties` asks nothing of {:?}: give `exists`, `boolean`, `text`, `number` or `time`",
            property.name
        );
        return Err(Problem::new("filter.properties", text));
    }
    property.tests.iter().try_for_each(|test| match test {
        PropertyTest::Exists(_) | PropertyTest::Flag(_) => Ok(()),
        PropertyTest::Begins(text) => check_text(text),
        PropertyTest::Text(with) => {
            check_values(with)?;
            with.values().iter().try_for_each(|text| check_text(text))
        }
        PropertyTest::Number(with) => check_values(with),
        PropertyTest::Time(with) => check_values(with),
    })
}

/// Checks the name of a property that a list is asked about.
pub(crate) fn check_property_name(name: &str) -> Result<(), Problem> {
    if name.chars().count() > check::MAX_PROPERTY_NAME_CHARS {
        let text =
            format!("the name of a property has more than {} characters", check::MAX_PROPERTY_NAME_CHARS);
        return Err(refused(text));
    }
    check_text(name)
}

fn check_text(text: &str) -> Result<(), Problem> {
    if text.contains('\0') {
        return Err(refused("`filter` contains the character U+0000"));
    }
    if text.chars().count() > MAX_TEXT_CHARS {
        return Err(refused(format!("`filter` has a text of more than {MAX_TEXT_CHARS} characters")));
    }
    Ok(())
}

fn check_values<T>(with: &Comparison<T>) -> Result<(), Problem> {
    let values = with.values().len();
    if values > MAX_VALUES {
        return Err(refused(format!("`in` has {values} values, allowed are {MAX_VALUES}")));
    }
    Ok(())
}

impl<T> Comparison<T> {
    fn values(&self) -> &[T] {
        match self {
            Self::Among(values) => values,
            Self::Equals(value)
            | Self::Less(value)
            | Self::AtMost(value)
            | Self::Greater(value)
            | Self::AtLeast(value) => std::slice::from_ref(value),
        }
    }
}
