use std::collections::HashSet;

use serde_json::{Value, json};

use crate::stage::Stage;

const SEARCH: &str = "query ($id: ID!, $vector: [Float!]!, $first: Int! = 10, $filter: MetadataFilter) {
    search(collectionId: $id, vector: $vector, first: $first, filter: $filter) { score distance item { key } } }";

fn keys(data: &Value) -> Vec<&str> {
    let hits = data["search"].as_array().expect("hits");
    hits.iter().map(|hit| hit["item"]["key"].as_str().expect("a key")).collect()
}

#[tokio::test]
async fn each_metric_finds_its_nearest_first() {
    let stage = Stage::new().await;
    let items = json!([
        { "key": "long", "vector": [10, 0] },
        { "key": "short", "vector": [1, 0] },
        { "key": "up", "vector": [1, 2] },
    ]);
    for (metric, expected, score, distance) in [
        ("COSINE", ["long", "short", "up"], 1.0, 0.0),
        ("DOT", ["long", "short", "up"], 20.0, -20.0),
        ("EUCLIDEAN", ["short", "up", "long"], 0.5, 1.0),
    ] {
        let id = stage.collection(json!({ "name": metric, "dimension": 2, "metric": metric })).await;
        stage.upsert(&id, items.clone()).await;
        let found = stage.data(&stage.admin, SEARCH, json!({ "id": id, "vector": [2, 0] })).await;
        assert_eq!(HashSet::<&str>::from_iter(keys(&found)), HashSet::from(expected), "{metric}");
        if metric == "EUCLIDEAN" {
            assert_eq!(keys(&found), expected);
        }
        assert_eq!(
            (&found["search"][0]["score"], &found["search"][0]["distance"]),
            (&json!(score), &json!(distance))
        );
    }
}

#[tokio::test]
async fn metadata_filters_compare_values_of_their_kind() {
    let stage = Stage::new().await;
    let id = stage.collection(json!({ "name": "x", "dimension": 1, "metric": "EUCLIDEAN" })).await;
    let items = json!([
        { "key": "a", "vector": [1], "metadata": { "year": 2020, "author": { "name": "Ann" }, "ok": true } },
        { "key": "b", "vector": [2], "metadata": { "year": 2024.5, "author": { "name": "Bob" } } },
        { "key": "c", "vector": [3], "metadata": { "year": "2024" } },
        { "key": "d", "vector": [4] },
    ]);
    stage.upsert(&id, items).await;
    for (filter, expected) in [
        (json!({ "path": ["year"], "op": "EQ", "value": 2020 }), vec!["a"]),
        (json!({ "path": ["ok"], "op": "EQ", "value": true }), vec!["a"]),
        (json!({ "path": ["year"], "op": "NE", "value": 2020 }), vec!["b", "c", "d"]),
        (json!({ "path": ["year"], "op": "IN", "value": [2020, "2024"] }), vec!["a", "c"]),
        (json!({ "path": ["year"], "op": "GT", "value": 2020 }), vec!["b"]),
        (json!({ "path": ["year"], "op": "GTE", "value": "2" }), vec!["c"]),
        (json!({ "path": ["author", "name"], "op": "LT", "value": "B" }), vec!["a"]),
        (json!({ "path": ["author", "name"], "op": "EXISTS" }), vec!["a", "b"]),
        (json!({ "path": ["author"], "op": "EXISTS", "value": false }), vec!["c", "d"]),
        (json!({ "path": ["year' OR true --"], "op": "EXISTS" }), vec![]),
        (
            json!({ "path": ["year"], "op": "EXISTS", "or": [
                { "path": ["ok"], "op": "EQ", "value": true }, { "path": ["year"], "op": "EQ", "value": "2024" }] }),
            vec!["a", "c"],
        ),
        (
            json!({ "and": [{ "path": ["year"], "op": "LTE", "value": 3000 }, { "path": ["ok"], "op": "EXISTS", "value": false }] }),
            vec!["b"],
        ),
    ] {
        let found =
            stage.data(&stage.admin, SEARCH, json!({ "id": id, "vector": [0], "filter": filter })).await;
        assert_eq!(keys(&found), expected, "{filter}");
    }
}

#[tokio::test]
async fn what_cannot_be_searched_is_refused_with_its_place() {
    let stage = Stage::new().await;
    let id = stage.collection(json!({ "name": "x", "dimension": 2, "metric": "COSINE" })).await;
    let leaf = json!({ "path": ["a"], "op": "EXISTS" });
    let deep = (0..5).fold(leaf.clone(), |filter, _| json!({ "and": [filter] }));
    for (variables, field, text) in [
        (json!({ "vector": [1] }), "vector", "the vector has 1 numbers, the collection has vectors of 2"),
        (
            json!({ "vector": [1, -1e39] }),
            "vector[1]",
            "number 1 of the vector is not a finite 32-bit number",
        ),
        (json!({ "vector": [1, 1], "first": 101 }), "first", "`first` is 101, allowed is 1 to 100"),
        (
            json!({ "vector": [1, 1], "filter": {} }),
            "filter",
            "an empty filter: give `path` with `op`, or `and`, or `or`",
        ),
        (
            json!({ "vector": [1, 1], "filter": { "or": [leaf, { "path": ["a"] }] } }),
            "filter.or[1]",
            "`path` and `op` belong together",
        ),
        (
            json!({ "vector": [1, 1], "filter": { "path": ["a"], "op": "GT", "value": true } }),
            "filter",
            "Gt needs a number or a string",
        ),
        (
            json!({ "vector": [1, 1], "filter": deep }),
            "filter.and[0].and[0].and[0].and[0].and[0]",
            "filters nest at most 5 deep",
        ),
    ] {
        let mut variables = variables;
        variables["id"] = json!(id);
        let refusal = stage.refusal(&stage.admin, SEARCH, variables).await;
        assert_eq!(refusal, ("BAD_USER_INPUT".to_owned(), field.to_owned(), text.to_owned()));
    }
}

/// Numbers that are the same in each run.
struct Seeded(u64);

impl Seeded {
    fn unit(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f32::from(u16::try_from(self.0 >> 48).expect("16 bits")) / 65_536.0 - 0.5
    }

    fn vector(&mut self, center: &[f32]) -> Vec<f32> {
        center.iter().map(|number| number + 0.3 * self.unit()).collect()
    }
}

#[tokio::test]
async fn an_indexed_collection_finds_nearly_what_comparing_all_finds() {
    let stage = Stage::new().await;
    let mut numbers = Seeded(42);
    let centers: Vec<Vec<f32>> = (0..20).map(|_| (0..16).map(|_| numbers.unit()).collect()).collect();
    let items: Vec<Value> = (0..3000)
        .map(|n| {
            let vector = numbers.vector(&centers[n % 20]);
            json!({ "key": n.to_string(), "vector": vector, "metadata": { "tenth": n % 10 == 3 } })
        })
        .collect();
    for metric in ["COSINE", "EUCLIDEAN"] {
        let new = |name, below| json!({ "name": name, "dimension": 16, "metric": metric, "index": { "exactBelow": below } });
        let indexed = stage.collection(new(format!("{metric} indexed"), 500)).await;
        let exact = stage.collection(new(format!("{metric} exact"), 20_000)).await;
        for batch in items.chunks(1000) {
            stage.upsert(&exact, json!(batch)).await;
            assert_eq!(stage.upsert(&indexed, json!(batch)).await["collection"]["indexStatus"], "BUILDING");
        }
        assert_eq!(stage.work().await, 1, "three writes beyond the threshold enqueue one job");
        let status = "query ($id: ID!) { collection(id: $id) { indexStatus itemCount } }";
        let status = stage.data(&stage.admin, status, json!({ "id": indexed })).await;
        assert_eq!(status["collection"], json!({ "indexStatus": "HNSW", "itemCount": 3000 }));
        for filter in [Value::Null, json!({ "path": ["tenth"], "op": "EQ", "value": true })] {
            let mut found = 0;
            for query in 0..50 {
                let vector = numbers.vector(&centers[query % 20]);
                let ask = |id: &str| json!({ "id": id, "vector": vector, "filter": filter });
                let near = stage.data(&stage.admin, SEARCH, ask(&indexed)).await;
                let nearest = stage.data(&stage.admin, SEARCH, ask(&exact)).await;
                let nearest: HashSet<&str> = keys(&nearest).into_iter().collect();
                assert_eq!(nearest.len(), 10);
                found += keys(&near).into_iter().filter(|key| nearest.contains(key)).count();
            }
            assert!(found >= 475, "{metric}: {found} of 500 found");
        }
    }
}
