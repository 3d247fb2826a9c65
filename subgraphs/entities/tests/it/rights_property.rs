//! Random graphs, and random rights on their entities: each answer is that of a graph in which what is not seen is not there.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use async_graphql::{Request, Variables};
use pulse_types::{Caller, Effect, OrgId, Permission, Permissions, Resource, ResourceKind, Role};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::kept_processes::{Process, Processes};
use crate::person;
use crate::rights::in_order;

const SEEDS: std::ops::Range<u64> = 0..16;
const TYPES: [&str; 2] = ["likes", "needs"];

/// Entities, named by their keys, and relationships between them.
struct Graph {
    entities: BTreeSet<String>,
    edges: BTreeSet<(String, &'static str, String)>,
}

impl Graph {
    fn random(rng: &mut StdRng) -> Self {
        let count = rng.random_range(1..8);
        let key = |number: usize| format!("k{number}");
        let edges = (0..rng.random_range(0..20)).map(|_| {
            let name = TYPES[rng.random_range(0..TYPES.len())];
            (key(rng.random_range(0..count)), name, key(rng.random_range(0..count)))
        });
        let edges = edges.collect();
        Self { entities: (0..count).map(key).collect(), edges }
    }

    /// What somebody sees of it.
    fn seen(&self, sees: impl Fn(&str) -> bool) -> Self {
        let entities = self.entities.iter().filter(|key| sees(key)).cloned().collect();
        let edges = self.edges.iter().filter(|(source, _, target)| sees(source) && sees(target));
        Self { entities, edges: edges.cloned().collect() }
    }

    /// Puts it into the tenant of `admin`; the ids of its entities.
    async fn store(&self, process: &Process, admin: &Arc<Caller>) -> BTreeMap<String, String> {
        let create = r#"mutation { createEntityType(input: { name: "thing" }) { entityType { name } } }"#;
        process.ask(admin, create, Value::Null).await;
        let items: Vec<_> =
            self.entities.iter().map(|key| json!({ "key": key, "type": "thing", "name": key })).collect();
        if !items.is_empty() {
            process.upsert(admin, json!(items)).await;
        }
        let item = |(source, name, target): &(String, &str, String)| json!({ "sourceKey": source, "type": name, "targetKey": target });
        let items: Vec<_> = self.edges.iter().map(item).collect();
        let upsert = "mutation ($items: [UpsertRelationshipItem!]!) \
                      { upsertRelationships(input: { items: $items }) { created } }";
        if !items.is_empty() {
            process.ask(admin, upsert, json!({ "items": items })).await;
        }
        let all = process.ask(admin, "{ entities(first: 100) { nodes { key id } } }", Value::Null).await;
        let nodes = all["entities"]["nodes"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        nodes.map(|node| (text(&node["key"]), text(&node["id"]))).collect()
    }
}

/// Every read of the graph, about these keys. Entities are named by the variables `$k0`, `$k1` …
fn everything(keys: &[String]) -> String {
    let mut query = String::from("query (");
    for key in keys {
        write!(query, "${key}: ID! ").unwrap();
    }
    query.push_str(
        ") { entities { nodes { key } totalCount pageInfo { hasNextPage } }
        page: entities(first: 3, orderBy: { field: NAME }) { nodes { key } pageInfo { hasNextPage } }
        last: entities(last: 2, orderBy: { field: KEY, direction: DESC }, filter: { type: \"thing\" })
            { nodes { key } totalCount pageInfo { hasPreviousPage } }
        relationships { nodes { type source { key } target { key name version } } totalCount }
        typed: relationships(filter: { type: \"needs\" }) { nodes { source { key } target { key } } totalCount }",
    );
    for key in keys {
        write!(
            query,
            "{key}: entity(key: \"{key}\") {{ key name entityType {{ name }} neighbors {{ nodes {{ key }} totalCount }}
                out: relationships(direction: OUTGOING) {{ nodes {{ type target {{ key }} }} totalCount }}
                in: neighbors(direction: INCOMING, type: \"likes\") {{ nodes {{ key description }} totalCount }}
                both: relationships(first: 50) {{ nodes {{ type source {{ key }} target {{ key }} properties }} totalCount pageInfo {{ hasNextPage }} }} }}
            {key}_id: entity(id: ${key}) {{ name }}
            {key}_from: relationships(filter: {{ source: ${key} }}) {{ nodes {{ type target {{ key }} }} totalCount }}
            {key}_into: relationships(filter: {{ target: ${key}, type: \"likes\" }}) {{ nodes {{ source {{ key }} }} totalCount }} "
        )
        .unwrap();
    }
    query.push('}');
    query
}

/// What is reached from one of them.
const WALKS: &str = "query ($from: ID!) {
    all: subgraph(from: [$from], depth: 4, direction: BOTH)
        { nodes { distance entity { key } } edges { type source { key } target { key } } cutOff relationshipsRead }
    through: subgraph(from: [$from], depth: 2, filter: { entityTypes: [\"thing\"], types: [\"needs\"] })
        { nodes { distance entity { key } } cutOff } }";

/// The ways between two of them.
const WAYS: &str = "query ($from: ID!, $to: ID!) {
    shortestPath(from: $from, to: $to) { path { length } cutOff }
    paths(from: $from, to: $to, maxHops: 4, first: 100) { nodes { length nodes { key } edges { type } } totalCount cutOff } }";

/// The data, or the code of the refusal: texts name ids. A walk that a busy machine has cut off is walked again.
async fn answer(process: &Process, caller: &Arc<Caller>, query: &str, variables: &Value) -> Value {
    loop {
        let request = Request::new(query).variables(Variables::from_json(variables.clone()));
        let response = process.respond(caller, request).await;
        let answer = match response.get("errors") {
            None => in_order(response["data"].clone()),
            Some(errors) => errors[0]["extensions"]["code"].clone(),
        };
        if !answer.to_string().contains("\"TIME\"") {
            return answer;
        }
    }
}

#[tokio::test]
async fn answers_are_those_of_a_graph_without_what_is_not_seen() {
    let processes = Processes::two(None).await;
    let process = &processes.all[0];
    for seed in SEEDS {
        compare(process, &mut StdRng::seed_from_u64(seed)).await;
    }
}

async fn compare(process: &Process, rng: &mut StdRng) {
    let now = process.store.clock().now();
    let admin_of = |org| person(&process.store, org, Role::Admin.permissions());
    let (whole, apart) = (admin_of(OrgId::new(now)), admin_of(OrgId::new(now)));
    let graph = Graph::random(rng);
    let ids = graph.store(process, &whole).await;

    let held = rng.random_bool(0.5);
    let mut said = Vec::new();
    let mut seen = BTreeSet::new();
    for (key, id) in &ids {
        let (allowed, denied) = (rng.random_bool(0.5), rng.random_bool(0.3));
        let resource = || Resource::new(ResourceKind::ENTITY, id.parse::<uuid::Uuid>().unwrap());
        for (is_said, effect) in [(allowed, Effect::Allow), (denied, Effect::Deny)] {
            if is_said {
                said.push((effect, Permission::ENTITY_READ, resource()));
            }
        }
        if (held || allowed) && !denied {
            seen.insert(key.clone());
        }
    }
    // Somebody who may read nothing is refused, and sees no less for that.
    if !held && !said.iter().any(|(effect, ..)| *effect == Effect::Allow) {
        return;
    }
    let mut permissions = vec![Permission::RELATIONSHIP_READ];
    permissions.extend(held.then_some(Permission::ENTITY_READ));
    let permissions: Permissions = permissions.into_iter().collect();
    let narrowed = Arc::new(Caller { permissions, rights: said.into_iter().collect(), ..(*whole).clone() });

    let others = graph.seen(|key| seen.contains(key)).store(process, &apart).await;
    let unknown = uuid::Uuid::from_u128(7).to_string();
    let id = |ids: &BTreeMap<String, String>, key: &String| ids.get(key).unwrap_or(&unknown).clone();
    let keys: Vec<_> = graph.entities.iter().cloned().collect();
    let variables = |ids: &BTreeMap<String, String>| {
        keys.iter().map(|key| (key.clone(), json!(id(ids, key)))).collect::<Value>()
    };
    let query = everything(&keys);
    // What is kept of others' reads, and of what an admin of the same tenant has read, is in the way.
    answer(process, &whole, &query, &variables(&ids)).await;
    assert_eq!(
        answer(process, &narrowed, &query, &variables(&ids)).await,
        answer(process, &apart, &query, &variables(&others)).await,
        "{:?} of {:?}",
        seen,
        graph.edges
    );
    for key in &keys {
        let from = |ids: &BTreeMap<String, String>| json!({ "from": id(ids, key) });
        assert_eq!(
            answer(process, &narrowed, WALKS, &from(&ids)).await,
            answer(process, &apart, WALKS, &from(&others)).await,
            "from {key}: {seen:?} of {:?}",
            graph.edges
        );
    }
    for (from, to) in keys.iter().flat_map(|from| keys.iter().map(move |to| (from, to))) {
        let between = |ids: &BTreeMap<String, String>| json!({ "from": id(ids, from), "to": id(ids, to) });
        assert_eq!(
            answer(process, &narrowed, WAYS, &between(&ids)).await,
            answer(process, &apart, WAYS, &between(&others)).await,
            "from {from} to {to}: {:?} of {:?}",
            seen,
            graph.edges
        );
    }
}
