//! Filters and orders of properties and relationships, groups, and what entities were.

use chrono::DateTime;
use pulse_graphql::Page;
use pulse_types::EntityId;
use uuid::Uuid;

use super::{PROPERTIES, Plans, ROWS, entity, middle, page};
use crate::entity::filter::{
    Comparison, EntityFilter, PropertyFilter, PropertyTest, RelationFilter, RelationTest,
};
use crate::entity::groups::{self, GroupKey, GroupKind, GroupsAsked, Having, Measure, MeasureOf};
use crate::entity::list::{EntityOrder, EntityOrderField, ValueKind, count_query, list_query};
use crate::history::{VersionsPage, versions_query};
use crate::relationship::of_entities::Direction;

fn of_type(name: &str, filter: EntityFilter) -> EntityFilter {
    EntityFilter { type_name: Some(name.to_owned()), ..filter }
}

fn with_property(name: &str, tests: Vec<PropertyTest>) -> EntityFilter {
    let properties = vec![PropertyFilter { name: name.to_owned(), tests }];
    EntityFilter { properties, ..EntityFilter::default() }
}

fn related(type_name: &str, direction: Direction, test: RelationTest) -> EntityFilter {
    let relations = vec![RelationFilter { type_name: Some(type_name.to_owned()), direction, test }];
    EntityFilter { relations, ..EntityFilter::default() }
}

/// Tests that let some twenty entities of 20,000 through.
fn few() -> Vec<(&'static str, PropertyTest)> {
    let text = |text: &str| text.to_owned();
    let day = |day: i64| DateTime::UNIX_EPOCH + chrono::TimeDelta::days(day);
    vec![
        ("rank", PropertyTest::Number(Comparison::Equals(77.0))),
        ("rank", PropertyTest::Number(Comparison::Among(vec![1.0, 2.0, 3.0]))),
        ("rank", PropertyTest::Number(Comparison::AtLeast(19_980.0))),
        ("rank", PropertyTest::Number(Comparison::Less(20.0))),
        ("label", PropertyTest::Text(Comparison::Equals(text("label 000077")))),
        ("label", PropertyTest::Text(Comparison::Among(vec![text("label 000001"), text("label 000002")]))),
        ("label", PropertyTest::Text(Comparison::Greater(text("label 01998")))),
        ("label", PropertyTest::Begins(text("label 00002"))),
        ("day", PropertyTest::Time(Comparison::Equals(day(77)))),
        ("day", PropertyTest::Time(Comparison::AtMost(day(20)))),
        ("none", PropertyTest::Exists(true)),
    ]
}

#[tokio::test]
async fn filters_of_properties_read_a_range_of_an_index() {
    let mut plans = Plans::with(&[ROWS, PROPERTIES]).await;
    let order = |field| EntityOrder { field, descending: false };
    let by_relations = EntityOrderField::Relations(Some("common".to_owned()), Direction::Both);
    for (name, test) in few() {
        let what = format!("{name} {test:?}");
        let filter = of_type("common", with_property(name, vec![test]));
        for field in [EntityOrderField::CreatedAt, EntityOrderField::Name, by_relations.clone()] {
            let order = order(field);
            let page = page(20, false);
            plans.check(&what, || list_query(&filter, &order, &page, false).expect("a query")).await;
        }
        let order = order(EntityOrderField::CreatedAt);
        plans.check(&format!("{what}, counted"), || count_query(&filter, &order)).await;
    }
    // What many have is looked for in the order of the list.
    for (name, test) in [
        ("marked", PropertyTest::Flag(false)),
        ("marked", PropertyTest::Exists(true)),
        ("none", PropertyTest::Exists(false)),
        ("rank", PropertyTest::Number(Comparison::Greater(5_000.0))),
        ("label", PropertyTest::Begins("label".to_owned())),
    ] {
        let what = format!("{name} {test:?}, which many have");
        let filter = of_type("common", with_property(name, vec![test]));
        let (order, page) = (order(EntityOrderField::Name), page(20, false));
        plans.check_wide(&what, || list_query(&filter, &order, &page, false).expect("a query")).await;
    }
    plans.assert_no_scans();
}

#[tokio::test]
async fn orders_of_properties_read_a_range_of_an_index() {
    let mut plans = Plans::with(&[ROWS, PROPERTIES]).await;
    for (name, kind) in [("rank", ValueKind::Number), ("label", ValueKind::Text), ("day", ValueKind::Time)] {
        let field = EntityOrderField::Property(name.to_owned(), kind);
        for (type_name, descending, backwards, from) in [
            ("common", false, false, false),
            ("common", true, false, true),
            ("common", false, true, true),
            ("rare", false, false, true),
            ("none", true, false, false),
        ] {
            let filter = of_type(type_name, EntityFilter::default());
            let page = Page { from: from.then(|| middle(&field)), ..page(20, backwards) };
            let order = EntityOrder { field: field.clone(), descending };
            let what = format!("{field:?} of {type_name}, descending {descending} {page:?}");
            plans.check(&what, || list_query(&filter, &order, &page, true).expect("a query")).await;
        }
    }
    plans.assert_no_scans();
}

#[tokio::test]
async fn and_or_and_not_read_what_their_parts_let_through() {
    let mut plans = Plans::with(&[ROWS, PROPERTIES]).await;
    let few: Vec<_> = few().into_iter().map(|(name, test)| with_property(name, vec![test])).collect();
    let (first, second, third) = (few[0].clone(), few[3].clone(), few[5].clone());
    let any = |parts| of_type("common", EntityFilter { any: Some(parts), ..EntityFilter::default() });
    let not =
        |part: &EntityFilter| EntityFilter { not: Some(Box::new(part.clone())), ..EntityFilter::default() };
    let prefix = EntityFilter { name_prefix: Some("name 00001".to_owned()), ..EntityFilter::default() };
    for (what, filter) in [
        ("or", any(vec![first.clone(), second.clone(), third.clone()])),
        ("or of a name", any(vec![first.clone(), prefix.clone()])),
        (
            "and",
            of_type("common", EntityFilter { all: vec![second.clone(), third.clone()], ..first.clone() }),
        ),
        ("not", of_type("common", not(&second))),
        ("and not", of_type("common", EntityFilter { all: vec![not(&first)], ..second.clone() })),
        ("or within and", of_type("common", EntityFilter { any: Some(vec![first, prefix]), ..third })),
    ] {
        let order = EntityOrder { field: EntityOrderField::Name, descending: false };
        let page = page(20, false);
        plans.check(what, || list_query(&filter, &order, &page, false).expect("a query")).await;
    }
    plans.assert_no_scans();
}

#[tokio::test]
async fn filters_of_relationships_read_those_of_few_entities() {
    let mut plans = Plans::with(&[ROWS, PROPERTIES]).await;
    let few = of_type("common", with_property("rank", vec![PropertyTest::Number(Comparison::Less(3.0))]));
    let rare = of_type("rare", EntityFilter::default());
    let all = EntityFilter::default;
    for direction in [Direction::Outgoing, Direction::Incoming, Direction::Both] {
        for (what, filter) in [
            ("some of a rare type", related("rare", direction, RelationTest::Some(all()))),
            ("some to few", related("common", direction, RelationTest::Some(few.clone()))),
            ("none", related("rare", direction, RelationTest::None(all()))),
            ("none to few", related("common", direction, RelationTest::None(few.clone()))),
            ("none at all", related("none", direction, RelationTest::None(rare.clone()))),
            ("every", related("rare", direction, RelationTest::Every(rare.clone()))),
            ("at least", related("common", direction, RelationTest::Count { least: 1, most: None })),
            ("between", related("common", direction, RelationTest::Count { least: 0, most: Some(3) })),
        ] {
            let order = EntityOrder { field: EntityOrderField::CreatedAt, descending: false };
            let page = page(20, false);
            let what = format!("{what} {direction:?}");
            plans.check_wide(&what, || list_query(&filter, &order, &page, false).expect("a query")).await;
        }
    }
    plans.assert_no_scans();
}

#[tokio::test]
async fn groups_of_few_entities_read_a_range_of_an_index() {
    let mut plans = Plans::with(&[ROWS, PROPERTIES]).await;
    let key = |name: &str, kind| GroupKey::Property { name: name.to_owned(), kind, with_none: true };
    for (name, test) in few() {
        let asked = GroupsAsked {
            filter: of_type("common", with_property(name, vec![test])),
            keys: vec![GroupKey::Type, key("group", GroupKind::Text), key("day", GroupKind::Year)],
            measures: vec![Measure { of: MeasureOf::Sum, property: "rank".to_owned() }],
            having: vec![Having { measure: Some(0), min: Some(1.0), max: None }],
            order: Some(0),
            ascending: false,
            size: 20,
        };
        plans.check(&format!("groups by {name}"), || groups::query(&asked)).await;
    }
    plans.assert_no_scans();
}

#[tokio::test]
async fn what_entities_were_is_read_from_the_end() {
    let mut plans = Plans::with(&[ROWS, PROPERTIES]).await;
    let ids: Vec<EntityId> = (1..20).map(entity).collect();
    for (before, at) in [
        (None, None),
        (Some(4_000), None),
        (None, Some(DateTime::UNIX_EPOCH + chrono::TimeDelta::days(20_000))),
    ] {
        let page = VersionsPage { at, before, limit: 21 };
        plans.check(&format!("{page:?}"), || versions_query(&ids, &page)).await;
    }
    plans.assert_no_scans();
}

#[tokio::test]
async fn who_sees_few_entities_reads_no_more_for_their_properties() {
    let mut plans = Plans::with(&[ROWS, PROPERTIES]).await;
    let ids: Vec<Uuid> = (0..200).map(|number| entity(number * 97).uuid()).collect();
    plans.narrow_to(&ids).await;
    for (name, test) in few() {
        let filter = of_type("common", with_property(name, vec![test]));
        let filter = EntityFilter { within: Some(ids.clone()), ..filter };
        let order = EntityOrder { field: EntityOrderField::Name, descending: false };
        let page = page(20, false);
        let what = format!("few see {name}");
        plans.check(&what, || list_query(&filter, &order, &page, false).expect("a query")).await;
    }
    plans.assert_no_scans();
}
