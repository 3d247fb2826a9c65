//! A filter as conditions of a statement.
//!
//! PostgreSQL cannot tell how many entities a condition on a property lets through: its statistics of a column mix the values of
//! all properties of all tenants. Left to choose, it would go through all entities of a type for the two that match. So a
//! statement does not leave it the choice: it looks at the beginning of the index range of each condition that has one
//! ([`Candidate`]). Where that is the whole range, it begins from those few entities; where all ranges are long, it goes through
//! the entities in the order of the list, many of which match. Either way each entity is then asked everything.

use chrono::{DateTime, Utc};
use sqlx::postgres::PgHasArrayType;
use sqlx::{Encode, Postgres, QueryBuilder, Type};

use super::filter::{Comparison, EntityFilter, PropertyFilter, PropertyTest, RelationFilter, RelationTest};
use crate::relationship::of_entities::Side;

/// How many candidates are few enough to begin from.
const FEW: i64 = 1_000;
/// Of how many conditions the ranges are looked at.
const MAX_CANDIDATES: usize = 4;

/// A condition with an index range, which has all entities that it lets through, and perhaps others.
#[derive(Clone, Copy)]
enum Candidate<'f> {
    Property(&'f PropertyFilter, &'f str),
    /// Those that have a relationship of the type.
    Relation(&'f RelationFilter),
    /// Those that are related to candidates of another filter.
    Ends(&'f RelationFilter, &'f EntityFilter),
    Any(&'f [EntityFilter], Option<&'f str>),
}

/// The entities that a filter lets through, for one statement.
pub(crate) struct Matching<'f> {
    filter: &'f EntityFilter,
    candidates: Vec<Candidate<'f>>,
}

impl<'f> Matching<'f> {
    pub(crate) fn new(filter: &'f EntityFilter) -> Self {
        let mut candidates = Vec::new();
        // By these the planner begins by itself.
        if filter.keys.is_none() && filter.within.is_none() {
            add_candidates(&mut candidates, filter, None);
        }
        candidates.truncate(MAX_CANDIDATES);
        Self { filter, candidates }
    }

    /// How many parts the statement has, of which one alone is run.
    pub(crate) fn parts(&self) -> usize {
        self.candidates.len() + 1
    }

    /// What comes before the statement.
    pub(crate) fn push_with(&self, query: &mut QueryBuilder<Postgres>) {
        let mut conditions = Conditions { query, others: 0 };
        for (index, candidate) in self.candidates.iter().enumerate() {
            let start = if index == 0 { "WITH c" } else { ", c" };
            conditions.add(&[start, &index.to_string(), " AS MATERIALIZED (SELECT c.id FROM ("]);
            conditions.push_candidates(*candidate);
            conditions.query.push(format_args!(") AS c LIMIT {}) ", FEW + 1));
        }
    }

    /// The condition of a part of the statement on entities `e`.
    pub(crate) fn push_where(&self, query: &mut QueryBuilder<Postgres>, part: usize) {
        query.push(" WHERE true");
        for before in 0..part {
            query.push(format_args!(" AND (SELECT count(*) FROM c{before}) > {FEW}"));
        }
        if part < self.candidates.len() {
            query.push(format_args!(
                " AND (SELECT count(*) FROM c{part}) <= {FEW} AND e.id = ANY (ARRAY(SELECT id FROM c{part}))"
            ));
        }
        Conditions { query, others: 0 }.push(self.filter, "e");
    }
}

fn add_candidates<'f>(
    candidates: &mut Vec<Candidate<'f>>,
    filter: &'f EntityFilter,
    of_type: Option<&'f str>,
) {
    let of_type = filter.type_name.as_deref().or(of_type);
    for property in &filter.properties {
        if property.tests.iter().any(|test| !matches!(test, PropertyTest::Exists(false))) {
            candidates.push(Candidate::Property(property, of_type.unwrap_or_default()));
        }
    }
    for relation in &filter.relations {
        let RelationTest::Some(ends) = &relation.test else { continue };
        if ends.keys.is_some() || has_candidates(ends) {
            candidates.push(Candidate::Ends(relation, ends));
        }
        if relation.type_name.is_some() {
            candidates.push(Candidate::Relation(relation));
        }
    }
    for part in &filter.all {
        add_candidates(candidates, part, of_type);
    }
    if let Some(parts) = &filter.any {
        candidates.push(Candidate::Any(parts, of_type));
    }
}

fn has_candidates(filter: &EntityFilter) -> bool {
    let mut candidates = Vec::new();
    add_candidates(&mut candidates, filter, None);
    !candidates.is_empty()
}

struct Conditions<'q> {
    query: &'q mut QueryBuilder<Postgres>,
    /// How many other entities the statement speaks of.
    others: usize,
}

impl Conditions<'_> {
    /// What `filter` asks of `it`.
    fn push(&mut self, filter: &EntityFilter, it: &str) {
        self.push_of_type(filter, it, None);
    }

    fn push_of_type(&mut self, filter: &EntityFilter, it: &str, of_type: Option<&str>) {
        push_plain(self.query, filter, it);
        let of_type = filter.type_name.as_deref().or(of_type);
        for property in &filter.properties {
            self.push_property(property, it, of_type.unwrap_or_default());
        }
        for relation in &filter.relations {
            self.push_relation(relation, it);
        }
        for part in &filter.all {
            self.push_of_type(part, it, of_type);
        }
        if let Some(parts) = &filter.any {
            for (index, part) in parts.iter().enumerate() {
                self.add(&[if index == 0 { " AND ((true" } else { ") OR (true" }]);
                self.push_of_type(part, it, of_type);
            }
            self.add(&["))"]);
        }
        if let Some(part) = &filter.not {
            self.add(&[" AND NOT (true"]);
            self.push_of_type(part, it, of_type);
            self.add(&[")"]);
        }
    }

    /// An alias that the statement has not used yet.
    fn other(&mut self) -> String {
        self.others += 1;
        format!("e{}", self.others)
    }

    fn add(&mut self, texts: &[&str]) {
        for text in texts {
            self.query.push(text);
        }
    }

    /// The ids of all entities that the condition lets through, and perhaps of others.
    fn push_candidates(&mut self, candidate: Candidate<'_>) {
        match candidate {
            Candidate::Property(property, of_type) => {
                self.add(&["SELECT p.entity_id AS id FROM entities.properties AS p WHERE true"]);
                self.push_value(property, of_type);
                // The index that has this order is the one that has the range.
                if let Some(column) = property.tests.iter().find_map(ordered_by) {
                    self.add(&[" ORDER BY ", column]);
                }
            }
            Candidate::Relation(relation) => {
                for (index, side) in relation.direction.sides().iter().enumerate() {
                    let start = if index == 0 { "SELECT " } else { " UNION ALL SELECT " };
                    self.add(&[start, side.own, " AS id FROM entities.relationships AS r WHERE true"]);
                    if let Some(name) = &relation.type_name {
                        // The index of a type is under that name of the collation; see the migration.
                        self.query.push(" AND r.type COLLATE \"POSIX\" = ").push_bind(name.clone());
                    }
                }
            }
            Candidate::Ends(relation, ends) => {
                for (index, side) in relation.direction.sides().iter().enumerate() {
                    let start =
                        if index == 0 { "SELECT r.id FROM (" } else { " UNION ALL SELECT r.id FROM (" };
                    self.add(&[start]);
                    self.push_candidates_of(ends, None);
                    self.add(&[") AS s CROSS JOIN LATERAL (SELECT ", side.own, " AS id"]);
                    self.add(&[" FROM entities.relationships AS r WHERE ", side.other, " = s.id"]);
                    self.push_type(relation);
                    self.add(&[" OFFSET 0) AS r"]);
                }
            }
            Candidate::Any(parts, of_type) => {
                for (index, part) in parts.iter().enumerate() {
                    self.add(&[if index == 0 { "(" } else { ") UNION ALL (" }]);
                    self.push_candidates_of(part, of_type);
                }
                self.add(&[")"]);
            }
        }
    }

    /// The ids of all entities that a filter lets through, and perhaps of others: by its first condition that has a range, or by
    /// its columns.
    fn push_candidates_of(&mut self, filter: &EntityFilter, of_type: Option<&str>) {
        let mut candidates = Vec::new();
        if filter.keys.is_none() {
            add_candidates(&mut candidates, filter, of_type);
        }
        if let Some(candidate) = candidates.first() {
            return self.push_candidates(*candidate);
        }
        let other = self.other();
        self.add(&["SELECT ", &other, ".id FROM entities.entities AS ", &other, " WHERE true"]);
        if let (Some(name), None) = (of_type, &filter.type_name) {
            self.add(&[" AND ", &other, ".type = "]);
            self.query.push_bind(name.to_owned());
        }
        push_plain(self.query, filter, &other);
    }

    fn push_property(&mut self, property: &PropertyFilter, it: &str, of_type: &str) {
        let is_absent = |test: &PropertyTest| matches!(test, PropertyTest::Exists(false));
        if property.tests.iter().any(is_absent) {
            self.add(&[
                " AND NOT EXISTS (SELECT FROM entities.properties AS p WHERE p.entity_id = ",
                it,
                ".id",
            ]);
            self.push_named(property, of_type);
            self.add(&[" OFFSET 0)"]);
        }
        if !property.tests.iter().all(is_absent) {
            self.add(&[" AND EXISTS (SELECT FROM entities.properties AS p WHERE p.entity_id = ", it, ".id"]);
            self.push_value(property, of_type);
            self.add(&[" OFFSET 0)"]);
        }
    }

    /// That a value `p` is one of the property that the tests let through.
    fn push_value(&mut self, property: &PropertyFilter, of_type: &str) {
        self.push_named(property, of_type);
        property.tests.iter().for_each(|test| push_test(self.query, test));
    }

    fn push_named(&mut self, property: &PropertyFilter, of_type: &str) {
        self.query.push(" AND p.type = ").push_bind(of_type.to_owned());
        self.query.push(" AND p.name = ").push_bind(property.name.clone());
    }

    fn push_relation(&mut self, relation: &RelationFilter, it: &str) {
        let (start, ends, negated) = match &relation.test {
            RelationTest::Some(ends) => (" AND EXISTS (", ends, false),
            RelationTest::None(ends) => (" AND NOT EXISTS (", ends, false),
            RelationTest::Every(ends) => (" AND NOT EXISTS (", ends, true),
            RelationTest::Count { least, most } => return self.push_count(relation, it, (*least, *most)),
        };
        self.add(&[start]);
        for (index, side) in relation.direction.sides().iter().enumerate() {
            self.add(&[if index == 0 { "SELECT 1 FROM" } else { " UNION ALL SELECT 1 FROM" }]);
            self.add(&[" entities.relationships AS r"]);
            // Nothing is asked of the ends: they need not be looked at.
            let other = (*ends != EntityFilter::default()).then(|| self.push_end(side));
            self.add(&[" WHERE ", side.own, " = ", it, ".id"]);
            self.push_type(relation);
            match (other, negated) {
                (Some(other), false) => self.push(ends, &other),
                (Some(other), true) => {
                    self.add(&[" AND NOT (true"]);
                    self.push(ends, &other);
                    self.add(&[")"]);
                }
                (None, true) => self.add(&[" AND false"]),
                (None, false) => {}
            }
        }
        self.add(&[" OFFSET 0)"]);
    }

    /// Brings the entities at the other ends in; what they are called.
    fn push_end(&mut self, side: &Side) -> String {
        let other = self.other();
        self.add(&[" JOIN entities.entities AS ", &other, " ON ", &other, ".id = ", side.other]);
        other
    }

    fn push_type(&mut self, relation: &RelationFilter) {
        if let Some(name) = &relation.type_name {
            self.query.push(" AND r.type = ").push_bind(name.clone());
        }
    }

    /// Counts no further than it takes to tell.
    fn push_count(&mut self, relation: &RelationFilter, it: &str, (least, most): (i64, Option<i64>)) {
        self.add(&[" AND (SELECT count(*) FROM ("]);
        let sides = relation.direction.sides();
        for (index, side) in sides.iter().enumerate() {
            let start = if index == 0 { "SELECT 1" } else { " UNION ALL SELECT 1" };
            self.add(&[start, " FROM entities.relationships AS r WHERE ", side.own, " = ", it, ".id"]);
            self.push_type(relation);
            // A relationship of an entity with itself is one relationship.
            if side.incoming && sides.len() > 1 {
                self.add(&[" AND r.source_id <> r.target_id"]);
            }
        }
        self.query.push(" LIMIT ").push_bind(most.map_or(least, |most| most + 1));
        self.query.push(") AS counted) BETWEEN ").push_bind(least);
        self.query.push(" AND ").push_bind(most.unwrap_or(least));
    }
}

fn push_test(query: &mut QueryBuilder<Postgres>, test: &PropertyTest) {
    match test {
        // Any of its rows says so.
        PropertyTest::Exists(_) => {}
        PropertyTest::Flag(flag) => {
            query.push(" AND p.flag IS NOT NULL AND p.flag = ").push_bind(*flag);
        }
        PropertyTest::Text(with) => push_comparison(query, "p.text", with),
        PropertyTest::Begins(prefix) => {
            query.push(" AND p.text IS NOT NULL");
            push_begins(query, "p.text", prefix);
        }
        PropertyTest::Number(with) => push_comparison(query, "p.number", with),
        PropertyTest::Time(with) => push_comparison(query, "p.time", with),
    }
}

fn push_comparison<T>(query: &mut QueryBuilder<Postgres>, column: &str, with: &Comparison<T>)
where
    T: Clone + Send + for<'q> Encode<'q, Postgres> + Type<Postgres> + PgHasArrayType + 'static,
{
    query.push(" AND ").push(column).push(" IS NOT NULL AND ").push(column);
    let (than, value) = match with {
        Comparison::Among(values) => {
            query.push(" = ANY (").push_bind(values.clone()).push(")");
            return;
        }
        Comparison::Equals(value) => (" = ", value),
        Comparison::Less(value) => (" < ", value),
        Comparison::AtMost(value) => (" <= ", value),
        Comparison::Greater(value) => (" > ", value),
        Comparison::AtLeast(value) => (" >= ", value),
    };
    query.push(than).push_bind(value.clone());
}

/// The column in whose order the values stand that a test lets through, if they are a range.
const fn ordered_by(test: &PropertyTest) -> Option<&'static str> {
    match test {
        PropertyTest::Text(_) | PropertyTest::Begins(_) => Some("p.text"),
        PropertyTest::Number(_) => Some("p.number"),
        PropertyTest::Time(_) => Some("p.time"),
        PropertyTest::Exists(_) | PropertyTest::Flag(_) => None,
    }
}

/// A text that begins with `prefix`, as a range of an index.
fn push_begins(query: &mut QueryBuilder<Postgres>, column: &str, prefix: &str) {
    if prefix.is_empty() {
        return;
    }
    query.push(" AND ").push(column).push(" >= ").push_bind(prefix.to_owned());
    if let Some(end) = after_prefix(prefix) {
        query.push(" AND ").push(column).push(" < ").push_bind(end);
    }
}

/// What is asked of the columns of an entity.
fn push_plain(query: &mut QueryBuilder<Postgres>, filter: &EntityFilter, it: &str) {
    let column = |query: &mut QueryBuilder<Postgres>, condition: &str| {
        query.push(" AND ").push(it).push(condition);
    };
    if let Some(ids) = &filter.within {
        column(query, ".id = ANY (");
        query.push_bind(ids.clone()).push(")");
    }
    if let Some(name) = &filter.type_name {
        column(query, ".type = ");
        query.push_bind(name.clone());
    }
    if let Some(keys) = &filter.keys {
        column(query, ".key = ANY (");
        query.push_bind(keys.clone()).push(")");
    }
    if let Some(prefix) = &filter.name_prefix {
        push_begins(query, &format!("{it}.name"), prefix);
    }
    for (confidence, condition) in
        [(filter.min_confidence, ".confidence >= "), (filter.max_confidence, ".confidence <= ")]
    {
        if let Some(confidence) = confidence {
            column(query, condition);
            query.push_bind(confidence);
        }
    }
    // Ids are in the order of creation, and are what the index of creation holds.
    for (at, condition) in [(filter.created_from, ".id >= "), (filter.created_before, ".id < ")] {
        if let Some(at) = at {
            column(query, condition);
            query.push_bind(least_id(at));
        }
    }
    for (at, condition) in
        [(filter.updated_from, ".updated_at >= "), (filter.updated_before, ".updated_at < ")]
    {
        if let Some(at) = at {
            column(query, condition);
            query.push_bind(at);
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
    use pulse_types::EntityId;

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
