//! Which entities a list has.

use async_graphql::InputObject;
use chrono::{DateTime, Utc};

use crate::check::Problem;
use crate::entity::filter::{
    Comparison, EntityFilter, PropertyFilter, PropertyTest, RelationFilter, RelationTest,
};
use crate::relationship::of_entities::Direction;

/// Narrows a list of entities. All that is given must hold. At most 50 conditions, nested at most 5 levels deep; what
/// is asked along relationships of both directions counts twice.
#[derive(Debug, Default, InputObject)]
#[graphql(name = "EntityFilter")]
pub(crate) struct EntityFilterInput {
    /// Of this type.
    #[graphql(name = "type")]
    type_name: Option<String>,
    /// With one of these keys; at most 100.
    keys: Option<Vec<String>>,
    /// With a name that begins so; capital letters count.
    name_prefix: Option<String>,
    /// Within these bounds of confidence.
    confidence: Option<ConfidenceRange>,
    /// Created in this time.
    created_at: Option<TimeRange>,
    /// Last changed in this time.
    updated_at: Option<TimeRange>,
    /// With properties like these. `type` must be given, here or around it.
    properties: Option<Vec<PropertyFilterInput>>,
    /// Related like this.
    relations: Option<Vec<RelationFilterInput>>,
    /// All of these let it through.
    and: Option<Vec<EntityFilterInput>>,
    /// One of these lets it through.
    or: Option<Vec<EntityFilterInput>>,
    /// This does not let it through.
    not: Option<Box<EntityFilterInput>>,
}

/// Bounds of a confidence, both included.
#[derive(Debug, Default, InputObject)]
pub(crate) struct ConfidenceRange {
    /// At least this.
    min: Option<f64>,
    /// At most this.
    max: Option<f64>,
}

/// A span of time.
#[derive(Debug, Default, InputObject)]
#[graphql(name = "EntityTimeRange")]
pub(crate) struct TimeRange {
    /// From this time on.
    from: Option<DateTime<Utc>>,
    /// Before this time.
    before: Option<DateTime<Utc>>,
}

/// What a property is like. All that is given must hold of the same value; of a list of up to 32 values, of one of them. A
/// property without a value, or with one of another kind, is like nothing of this.
#[derive(Debug, InputObject)]
#[graphql(name = "EntityPropertyFilter")]
pub(crate) struct PropertyFilterInput {
    /// What the property is called.
    name: String,
    /// Whether it has a value.
    exists: Option<bool>,
    /// It is this truth value.
    boolean: Option<bool>,
    /// It is a text like this.
    text: Option<TextFilterInput>,
    /// It is a number like this.
    number: Option<NumberFilterInput>,
    /// It is a time like this: a text as in RFC 3339, or a date, which is the beginning of that day in UTC.
    time: Option<TimeFilterInput>,
}

/// What a text is like. Texts are compared by code points; of longer ones, the first 500 characters.
#[derive(Debug, InputObject)]
#[graphql(name = "EntityTextFilter")]
pub(crate) struct TextFilterInput {
    /// This one.
    eq: Option<String>,
    /// One of these; at most 100.
    #[graphql(name = "in")]
    among: Option<Vec<String>>,
    /// It begins so.
    starts_with: Option<String>,
    /// Before this one.
    lt: Option<String>,
    /// This one or before it.
    lte: Option<String>,
    /// After this one.
    gt: Option<String>,
    /// This one or after it.
    gte: Option<String>,
}

/// What a number is like. Numbers are compared as 64-bit floating-point numbers.
#[derive(Debug, InputObject)]
#[graphql(name = "EntityNumberFilter")]
pub(crate) struct NumberFilterInput {
    /// This one.
    eq: Option<f64>,
    /// One of these; at most 100.
    #[graphql(name = "in")]
    among: Option<Vec<f64>>,
    /// Less than this.
    lt: Option<f64>,
    /// At most this.
    lte: Option<f64>,
    /// Greater than this.
    gt: Option<f64>,
    /// At least this.
    gte: Option<f64>,
}

/// What a time is like.
#[derive(Debug, InputObject)]
#[graphql(name = "EntityTimeFilter")]
pub(crate) struct TimeFilterInput {
    /// This one.
    eq: Option<DateTime<Utc>>,
    /// One of these; at most 100.
    #[graphql(name = "in")]
    among: Option<Vec<DateTime<Utc>>>,
    /// Before this time.
    lt: Option<DateTime<Utc>>,
    /// At this time or before it.
    lte: Option<DateTime<Utc>>,
    /// After this time.
    gt: Option<DateTime<Utc>>,
    /// At this time or after it.
    gte: Option<DateTime<Utc>>,
}

/// What an entity is related to; at least one of `some`, `every`, `none` and `count` is given.
#[derive(Debug, InputObject)]
#[graphql(name = "EntityRelationFilter")]
pub(crate) struct RelationFilterInput {
    /// Along relationships of this type; of any unless given.
    #[graphql(name = "type")]
    type_name: Option<String>,
    /// Which way they go, seen from the entity.
    #[graphql(default_with = "Direction::Both")]
    direction: Direction,
    /// One at least leads to an entity like that; `{}` is like any.
    some: Option<EntityFilterInput>,
    /// Each of them, if there are any, leads to an entity like that.
    every: Option<EntityFilterInput>,
    /// None leads to an entity like that.
    none: Option<EntityFilterInput>,
    /// There are so many of them.
    count: Option<CountRangeInput>,
}

/// Bounds of a number of relationships, both included: 0 to 10,000.
#[derive(Debug, InputObject)]
#[graphql(name = "EntityCountRange")]
pub(crate) struct CountRangeInput {
    /// At least so many.
    min: Option<i32>,
    /// At most so many.
    max: Option<i32>,
}

impl TryFrom<EntityFilterInput> for EntityFilter {
    type Error = Problem;

    fn try_from(input: EntityFilterInput) -> Result<Self, Problem> {
        let EntityFilterInput {
            type_name,
            keys,
            name_prefix,
            confidence,
            created_at,
            updated_at,
            properties,
            relations,
            and,
            or,
            not,
        } = input;
        let confidence = confidence.unwrap_or_default();
        let (created, updated) = (created_at.unwrap_or_default(), updated_at.unwrap_or_default());
        let mut of_relations = Vec::new();
        for relation in relations.unwrap_or_default() {
            of_relations.extend(relation.parts()?);
        }
        Ok(Self {
            type_name,
            keys,
            name_prefix,
            min_confidence: confidence.min,
            max_confidence: confidence.max,
            created_from: created.from,
            created_before: created.before,
            updated_from: updated.from,
            updated_before: updated.before,
            properties: properties.unwrap_or_default().into_iter().map(Into::into).collect(),
            relations: of_relations,
            all: and.unwrap_or_default().into_iter().map(Self::try_from).collect::<Result<_, _>>()?,
            any: or.map(|parts| parts.into_iter().map(Self::try_from).collect()).transpose()?,
            not: not.map(|part| Self::try_from(*part).map(Box::new)).transpose()?,
            within: None,
        })
    }
}

impl From<PropertyFilterInput> for PropertyFilter {
    fn from(input: PropertyFilterInput) -> Self {
        let PropertyFilterInput { name, exists, boolean, text, number, time } = input;
        let mut tests = Vec::new();
        tests.extend(exists.map(PropertyTest::Exists));
        tests.extend(boolean.map(PropertyTest::Flag));
        if let Some(TextFilterInput { eq, among, starts_with, lt, lte, gt, gte }) = text {
            tests.extend(comparisons((eq, among), (lt, lte), (gt, gte)).map(PropertyTest::Text));
            tests.extend(starts_with.map(PropertyTest::Begins));
        }
        if let Some(NumberFilterInput { eq, among, lt, lte, gt, gte }) = number {
            tests.extend(comparisons((eq, among), (lt, lte), (gt, gte)).map(PropertyTest::Number));
        }
        if let Some(TimeFilterInput { eq, among, lt, lte, gt, gte }) = time {
            tests.extend(comparisons((eq, among), (lt, lte), (gt, gte)).map(PropertyTest::Time));
        }
        Self { name, tests }
    }
}

fn comparisons<T>(
    (eq, among): (Option<T>, Option<Vec<T>>),
    (lt, lte): (Option<T>, Option<T>),
    (gt, gte): (Option<T>, Option<T>),
) -> impl Iterator<Item = Comparison<T>> {
    let given = [
        eq.map(Comparison::Equals),
        among.map(Comparison::Among),
        lt.map(Comparison::Less),
        lte.map(Comparison::AtMost),
        gt.map(Comparison::Greater),
        gte.map(Comparison::AtLeast),
    ];
    given.into_iter().flatten()
}

impl RelationFilterInput {
    /// A filter for each of the things that it asks.
    fn parts(self) -> Result<Vec<RelationFilter>, Problem> {
        let Self { type_name, direction, some, every, none, count } = self;
        let mut tests = Vec::new();
        for (ends, test) in [
            (some, RelationTest::Some as fn(EntityFilter) -> RelationTest),
            (every, RelationTest::Every),
            (none, RelationTest::None),
        ] {
            tests.extend(ends.map(EntityFilter::try_from).transpose()?.map(test));
        }
        if let Some(CountRangeInput { min, max }) = count {
            let (least, most) = (i64::from(min.unwrap_or(0)), max.map(i64::from));
            tests.push(RelationTest::Count { least, most });
        }
        if tests.is_empty() {
            let text = "`filter.relations` asks nothing: give `some`, `every`, `none` or `count`";
            return Err(Problem::new("filter.relations", text));
        }
        let relation = |test| RelationFilter { type_name: type_name.clone(), direction, test };
        Ok(tests.into_iter().map(relation).collect())
    }
}
