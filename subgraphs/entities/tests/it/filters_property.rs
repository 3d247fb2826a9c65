//! Random graphs, changes and filters: each list is that of a model which goes through all entities one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pulse_types::{Caller, Effect, Permission, Permissions, Resource, ResourceKind};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Map, Value, json};

use crate::Graph;

const SEEDS: std::ops::Range<u64> = 0..6;
const FILTERS: usize = 60;
const TYPES: [&str; 2] = ["x", "y"];
const RELATIONS: [&str; 2] = ["likes", "needs"];
const NAMES: [&str; 3] = ["p", "q", "r"];
const LIST: &str = "query ($filter: EntityFilter, $orderBy: EntityOrder) \
    { entities(filter: $filter, orderBy: $orderBy, first: 100) { nodes { key } totalCount } }";

/// Entities by their keys, as type and properties, and what connects them.
#[derive(Default)]
struct Model {
    entities: BTreeMap<String, (&'static str, Map<String, Value>)>,
    edges: BTreeSet<(String, &'static str, String)>,
}

fn value(rng: &mut StdRng) -> Value {
    let scalar = |rng: &mut StdRng| match rng.random_range(0..5) {
        0 => json!(rng.random_range(0..4)),
        1 => json!(f64::from(rng.random_range(0..4)) + 0.5),
        2 => json!(["a", "ab", "b", "é"].choose(rng).unwrap()),
        3 => json!(["2024-01-01", "2024-01-01T12:00:00+02:00", "2024-02-30"].choose(rng).unwrap()),
        _ => json!(rng.random_bool(0.5)),
    };
    match rng.random_range(0..8) {
        0 => Value::Null,
        1 => json!({ "inner": 1 }),
        2 => (0..rng.random_range(0..4)).map(|_| scalar(rng)).collect(),
        _ => scalar(rng),
    }
}

fn properties(rng: &mut StdRng) -> Map<String, Value> {
    let mut properties = Map::new();
    for name in NAMES {
        if rng.random_bool(0.7) {
            properties.insert(name.to_owned(), value(rng));
        }
    }
    properties
}

/// A filter of any form, at most this deep.
fn filter(rng: &mut StdRng, depth: usize, of_type: bool) -> Value {
    let mut filter = Map::new();
    let of_type = if rng.random_bool(0.6) {
        filter.insert("type".to_owned(), json!(TYPES.choose(rng).unwrap()));
        true
    } else {
        of_type
    };
    if of_type && rng.random_bool(0.7) {
        let count = rng.random_range(1..3);
        filter.insert("properties".to_owned(), (0..count).map(|_| property_filter(rng)).collect());
    }
    if rng.random_bool(0.2) {
        filter.insert("namePrefix".to_owned(), json!(["k1", "k", "z"].choose(rng).unwrap()));
    }
    if depth > 0 {
        let parts = |rng: &mut StdRng| -> Value {
            (0..rng.random_range(1..3)).map(|_| self::filter(rng, depth - 1, of_type)).collect()
        };
        for name in ["and", "or"] {
            if rng.random_bool(0.2) {
                filter.insert(name.to_owned(), parts(rng));
            }
        }
        if rng.random_bool(0.2) {
            filter.insert("not".to_owned(), self::filter(rng, depth - 1, of_type));
        }
        if rng.random_bool(0.3) {
            filter.insert("relations".to_owned(), json!([relation_filter(rng, depth - 1)]));
        }
    }
    Value::Object(filter)
}

fn property_filter(rng: &mut StdRng) -> Value {
    let name = NAMES.choose(rng).unwrap();
    let number = || json!([0, 1, 1.5, 2, 3.5]);
    let one = |rng: &mut StdRng, of: &Value| of[rng.random_range(0..of.as_array().unwrap().len())].clone();
    let comparison = |rng: &mut StdRng, of: Value| {
        let operators: Vec<&str> =
            vec!["eq", "lt", "lte", "gt", "gte"].into_iter().filter(|_| rng.random_bool(0.35)).collect();
        let mut test: Map<String, Value> =
            operators.into_iter().map(|operator| (operator.to_owned(), one(rng, &of))).collect();
        if test.is_empty() {
            test.insert("in".to_owned(), json!([one(rng, &of), one(rng, &of)]));
        }
        Value::Object(test)
    };
    match rng.random_range(0..6) {
        0 => json!({ "name": name, "exists": rng.random_bool(0.5) }),
        1 => json!({ "name": name, "boolean": rng.random_bool(0.5) }),
        2 => json!({ "name": name, "text": comparison(rng, json!(["a", "ab", "b", "c", "2024-01-01"])) }),
        3 => {
            let prefix = ["a", "2024", "", "é"].choose(rng).unwrap();
            json!({ "name": name, "text": { "startsWith": prefix } })
        }
        4 => json!({ "name": name, "number": comparison(rng, number()) }),
        _ => {
            let times = json!(["2024-01-01T00:00:00Z", "2024-01-01T10:00:00Z", "2024-01-02T00:00:00Z"]);
            json!({ "name": name, "time": comparison(rng, times) })
        }
    }
}

fn relation_filter(rng: &mut StdRng, depth: usize) -> Value {
    let direction = ["OUTGOING", "INCOMING", "BOTH"].choose(rng).unwrap();
    let mut relation = json!({ "direction": direction });
    if rng.random_bool(0.7) {
        relation["type"] = json!(RELATIONS.choose(rng).unwrap());
    }
    match rng.random_range(0..4) {
        0 => relation["some"] = filter(rng, depth, false),
        1 => relation["every"] = filter(rng, depth, false),
        2 => relation["none"] = filter(rng, depth, false),
        _ => relation["count"] = json!({ "min": rng.random_range(0..3), "max": rng.random_range(0..4) }),
    }
    relation
}

impl Model {
    fn holds(&self, filter: &Value, key: &str, of_type: Option<&str>) -> bool {
        let (own_type, properties) = &self.entities[key];
        let of_type = filter["type"].as_str().or(of_type);
        let list = |name: &str| filter[name].as_array().cloned().unwrap_or_default();
        filter["type"].as_str().is_none_or(|name| name == *own_type)
            && filter["namePrefix"].as_str().is_none_or(|prefix| key.starts_with(prefix))
            && list("properties")
                .iter()
                // A property is looked for among those of the type that is named.
                .all(|property| property_holds(property, properties, of_type == Some(*own_type)))
            && list("and").iter().all(|part| self.holds(part, key, of_type))
            && filter["or"].as_array().is_none_or(|parts| {
                parts.iter().any(|part| {
                    // What is around a part of `or` says of which type it is, unless it does so itself.
                    let named = part["type"].as_str().or(of_type);
                    named.is_none_or(|name| name == *own_type) && self.holds(part, key, of_type)
                })
            })
            && (filter["not"].is_null() || !self.holds(&filter["not"], key, of_type))
            && list("relations").iter().all(|relation| self.related(relation, key))
    }

    fn related(&self, relation: &Value, key: &str) -> bool {
        let direction = relation["direction"].as_str().unwrap();
        let mut ends = Vec::new();
        for (source, name, target) in &self.edges {
            if relation["type"].as_str().is_some_and(|wanted| wanted != *name) {
                continue;
            }
            if source == key && direction != "INCOMING" {
                ends.push(target);
            }
            // Of both directions, one with itself is one.
            if target == key && direction != "OUTGOING" && !(direction == "BOTH" && source == target) {
                ends.push(source);
            }
        }
        let mut found = ends.iter();
        let count = &relation["count"];
        if count.is_object() {
            let length = i64::try_from(ends.len()).unwrap();
            return count["min"].as_i64().unwrap() <= length && length <= count["max"].as_i64().unwrap();
        }
        if relation["some"].is_object() {
            return found.any(|end| self.holds(&relation["some"], end, None));
        }
        if relation["every"].is_object() {
            return found.all(|end| self.holds(&relation["every"], end, None));
        }
        !found.any(|end| self.holds(&relation["none"], end, None))
    }

    /// What somebody sees who does not see these.
    fn without(&self, hidden: &BTreeSet<String>) -> Self {
        let entities = self.entities.iter().filter(|(key, _)| !hidden.contains(*key));
        let edges = self
            .edges
            .iter()
            .filter(|(source, _, target)| !hidden.contains(source) && !hidden.contains(target));
        Self {
            entities: entities.map(|(key, entity)| (key.clone(), entity.clone())).collect(),
            edges: edges.cloned().collect(),
        }
    }
}

fn property_holds(filter: &Value, properties: &Map<String, Value>, is_of_type: bool) -> bool {
    let found =
        properties.get(filter["name"].as_str().unwrap()).filter(|value| is_of_type && !value.is_null());
    if let Some(exists) = filter["exists"].as_bool() {
        return found.is_some() == exists;
    }
    let Some(found) = found else { return false };
    let values = found.as_array().cloned().unwrap_or_else(|| vec![found.clone()]);
    values.iter().any(|value| {
        if let Some(flag) = filter["boolean"].as_bool() {
            return value.as_bool() == Some(flag);
        }
        if filter["number"].is_object() {
            return value.as_f64().is_some_and(|number| compared(&filter["number"], &number, Value::as_f64));
        }
        let Some(text) = value.as_str() else { return false };
        if filter["time"].is_object() {
            return time(text).is_some_and(|at| compared(&filter["time"], &at, |of| time(of.as_str()?)));
        }
        if let Some(prefix) = filter["text"]["startsWith"].as_str() {
            return text.starts_with(prefix);
        }
        compared(&filter["text"], &text.to_owned(), |of| Some(of.as_str()?.to_owned()))
    })
}

fn compared<T: PartialOrd>(test: &Value, value: &T, read: impl Fn(&Value) -> Option<T>) -> bool {
    test.as_object().unwrap().iter().all(|(operator, with)| match operator.as_str() {
        "in" => with.as_array().unwrap().iter().any(|with| read(with).as_ref() == Some(value)),
        "eq" => read(with).as_ref() == Some(value),
        "lt" => *value < read(with).unwrap(),
        "lte" => *value <= read(with).unwrap(),
        "gt" => *value > read(with).unwrap(),
        _ => *value >= read(with).unwrap(),
    })
}

fn time(text: &str) -> Option<chrono::DateTime<chrono::Utc>> {
    let day = || text.parse::<chrono::NaiveDate>().ok()?.and_hms_opt(0, 0, 0).map(|day| day.and_utc());
    chrono::DateTime::parse_from_rfc3339(text).map(|time| time.to_utc()).ok().or_else(day)
}

/// Changes entities and relationships, in the model and in the graph alike.
async fn change(graph: &Graph, model: &mut Model, rng: &mut StdRng) {
    let mut items = Vec::new();
    for number in 0..12 {
        if rng.random_bool(0.6) {
            let (key, name) = (format!("k{number}"), *TYPES.choose(rng).unwrap());
            let properties = properties(rng);
            items.push(json!({ "key": key, "type": name, "name": key, "properties": properties }));
            model.entities.insert(key, (name, properties));
        }
    }
    if !items.is_empty() {
        graph.upsert_entities(json!(items)).await;
    }
    let keys: Vec<String> = model.entities.keys().cloned().collect();
    let edges: BTreeSet<_> = (0..10)
        .filter_map(|_| Some((keys.choose(rng)?.clone(), *RELATIONS.choose(rng)?, keys.choose(rng)?.clone())))
        .collect();
    if !edges.is_empty() {
        let edge = |(source, name, target): &(String, &'static str, String)| json!({ "sourceKey": source, "type": name, "targetKey": target });
        let upsert = "mutation ($items: [UpsertRelationshipItem!]!) \
                      { upsertRelationships(input: { items: $items }) { created } }";
        graph.data(upsert, json!({ "items": edges.iter().map(edge).collect::<Vec<_>>() })).await;
        model.edges.extend(edges);
    }
    if rng.random_bool(0.5)
        && let Some(key) = keys.choose(rng)
    {
        let delete = "mutation ($id: ID!) { deleteEntity(input: { id: $id }) { id } }";
        graph.data(delete, json!({ "id": graph.id_of(key).await })).await;
        *model = model.without(&BTreeSet::from([key.clone()]));
    }
}

/// Entities that are found by other properties than they have, seen by a superuser.
const ASTRAY: &str = "
    WITH kept AS (SELECT type, name, entity_id, place, text, number, time, flag FROM entities.properties),
         had AS (SELECT e.type, p.name, e.id, p.place, p.text, p.number, p.time, p.flag
                   FROM entities.entities AS e, entities.property_rows(e.properties) AS p)
    SELECT count(*) FROM ((TABLE kept EXCEPT TABLE had) UNION ALL (TABLE had EXCEPT TABLE kept)) AS astray";

const GROUPS: &str = "query ($filter: EntityFilter) { entityGroups(filter: $filter, groupBy: [{ field: TYPE }]) \
    { groups { keys count } } }";

/// Whether the groups of what a filter lets through are as large as the model says.
async fn compare_groups(graph: &Graph, caller: &Arc<Caller>, model: &Model, filter: &Value) {
    let response = graph.ask_as(caller, GROUPS, json!({ "filter": filter })).await;
    let mut sizes: BTreeMap<&str, i64> = BTreeMap::new();
    for (key, (name, _)) in &model.entities {
        if model.holds(filter, key, None) {
            *sizes.entry(name).or_default() += 1;
        }
    }
    let groups = response["data"]["entityGroups"]["groups"].as_array().unwrap().iter();
    let groups: BTreeMap<&str, i64> =
        groups.map(|group| (group["keys"][0].as_str().unwrap(), group["count"].as_i64().unwrap())).collect();
    assert_eq!(groups, sizes, "{filter}");
}

async fn compare(graph: &Graph, caller: &Arc<Caller>, model: &Model, filter: &Value) {
    let response = graph.ask_as(caller, LIST, json!({ "filter": filter })).await;
    assert_eq!(response.get("errors"), None, "{filter}");
    let nodes = response["data"]["entities"]["nodes"].as_array().unwrap();
    let listed: BTreeSet<&str> = nodes.iter().map(|node| node["key"].as_str().unwrap()).collect();
    let expected: BTreeSet<&str> =
        model.entities.keys().map(String::as_str).filter(|key| model.holds(filter, key, None)).collect();
    assert_eq!(listed, expected, "{filter} of {:?} and {:?}", model.entities, model.edges);
    assert_eq!(nodes.len(), listed.len(), "each entity once: {filter}");
    assert_eq!(response["data"]["entities"]["totalCount"], expected.len(), "{filter}");
}

#[tokio::test]
async fn lists_are_those_of_a_model_for_everybody() {
    for seed in SEEDS {
        let rng = &mut StdRng::seed_from_u64(seed);
        let graph = Graph::new().await;
        graph.create_types(&TYPES).await;
        let mut model = Model::default();
        for _ in 0..3 {
            change(&graph, &mut model, rng).await;
        }
        let mut connection = graph.database.connect().await.unwrap();
        let astray: i64 = sqlx::query_scalar(ASTRAY).fetch_one(&mut connection).await.unwrap();
        assert_eq!(astray, 0, "seed {seed}");

        let hidden: BTreeSet<String> =
            model.entities.keys().filter(|_| rng.random_bool(0.3)).cloned().collect();
        let mut denied = Vec::new();
        for key in &hidden {
            let id: uuid::Uuid = graph.id_of(key).await.parse().unwrap();
            let resource = Resource::new(ResourceKind::ENTITY, id);
            denied.push((Effect::Deny, Permission::ENTITY_READ, resource));
        }
        let permissions: Permissions =
            [Permission::ENTITY_READ, Permission::RELATIONSHIP_READ].into_iter().collect();
        let rights = denied.into_iter().collect();
        let narrowed = Arc::new(Caller { permissions, rights, ..(*graph.caller).clone() });
        let seen = model.without(&hidden);
        for _ in 0..FILTERS {
            let filter = filter(rng, 2, false);
            compare(&graph, &graph.caller, &model, &filter).await;
            compare(&graph, &narrowed, &seen, &filter).await;
            compare_groups(&graph, &graph.caller, &model, &filter).await;
            compare_groups(&graph, &narrowed, &seen, &filter).await;
        }
    }
}
