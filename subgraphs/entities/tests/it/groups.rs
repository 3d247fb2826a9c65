use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::{Graph, refusal, shown};

const GROUPS: &str = "query ($filter: EntityFilter, $groupBy: [EntityGroupBy!], $measures: [EntityMeasure!], \
    $having: [EntityGroupHaving!], $orderBy: EntityGroupOrder, $first: Int) \
    { entityGroups(filter: $filter, groupBy: $groupBy, measures: $measures, having: $having, orderBy: $orderBy, first: $first) \
    { groups { keys count measures } hasMore } }";
const FACETS: &str = "query ($filter: EntityFilter!, $properties: [EntityGroupProperty!]!, $first: Int) \
    { entityFacets(filter: $filter, properties: $properties, first: $first) { property values { value count } hasMore } }";

/// Six packages of two sections and one without, and a license that has a size as well.
async fn packages() -> Graph {
    let graph = Graph::new().await;
    graph.create_types(&["package", "license"]).await;
    let package = |key: &str, properties: Value| json!({ "key": key, "type": "package", "name": key, "properties": properties });
    graph
        .upsert_entities(json!([
            package("a", json!({ "section": "libs", "size": 10, "tags": ["x", "y", "x"], "on": "2024-02-29T23:30:00-02:00" })),
            package("b", json!({ "section": "libs", "size": 20.5, "tags": ["y"], "on": "2024-02-01" })),
            package("c", json!({ "section": "libs", "size": "unknown", "essential": true })),
            package("d", json!({ "section": "admin", "size": 100, "essential": true })),
            package("e", json!({ "section": "admin", "essential": false })),
            package("f", json!({ "size": 1, "on": "2023-12-31" })),
            { "key": "mit", "type": "license", "name": "MIT", "properties": { "size": 7, "section": "libs" } },
        ]))
        .await;
    graph
}

/// Each group of an answer as a line.
fn lines(data: &Value) -> String {
    let groups = data["entityGroups"]["groups"].as_array().unwrap().iter();
    let line = |group: &Value| format!("{} {} {}\n", group["keys"], group["count"], group["measures"]);
    let more = if data["entityGroups"]["hasMore"] == true { "and more\n" } else { "" };
    groups.map(line).collect::<String>() + more
}

fn by(name: &str, kind: &str) -> Value {
    json!({ "property": { "name": name, "kind": kind } })
}

#[tokio::test]
async fn entities_are_counted_in_groups() {
    let graph = packages().await;
    let package = json!({ "type": "package" });
    let mut groups = String::new();
    for asked in [
        json!({}),
        json!({ "groupBy": [{ "field": "TYPE" }] }),
        json!({ "filter": package, "groupBy": [by("section", "TEXT")] }),
        json!({ "filter": package, "groupBy": [by("section", "TEXT")], "first": 1 }),
        json!({ "filter": package, "groupBy": [by("tags", "TEXT")] }),
        json!({ "filter": package, "groupBy": [by("size", "NUMBER")] }),
        json!({ "filter": package, "groupBy": [by("on", "MONTH")] }),
        json!({ "filter": package, "groupBy": [by("on", "DAY")], "orderBy": { "direction": "ASC" } }),
        json!({ "filter": package, "groupBy": [by("section", "TEXT"), by("essential", "BOOLEAN")] }),
        json!({ "filter": { "type": "package", "keys": ["none"] }, "groupBy": [by("section", "TEXT")] }),
    ] {
        groups.push_str(&format!("{asked}\n{}", lines(&graph.data(GROUPS, asked.clone()).await)));
    }
    assert_snapshot!(groups, @r#"
    {}
    [] 7 []
    {"groupBy":[{"field":"TYPE"}]}
    ["package"] 6 []
    ["license"] 1 []
    {"filter":{"type":"package"},"groupBy":[{"property":{"name":"section","kind":"TEXT"}}]}
    ["libs"] 3 []
    ["admin"] 2 []
    [null] 1 []
    {"filter":{"type":"package"},"groupBy":[{"property":{"name":"section","kind":"TEXT"}}],"first":1}
    ["libs"] 3 []
    and more
    {"filter":{"type":"package"},"groupBy":[{"property":{"name":"tags","kind":"TEXT"}}]}
    [null] 4 []
    ["y"] 2 []
    ["x"] 1 []
    {"filter":{"type":"package"},"groupBy":[{"property":{"name":"size","kind":"NUMBER"}}]}
    [null] 2 []
    ["1"] 1 []
    ["10"] 1 []
    ["100"] 1 []
    ["20.5"] 1 []
    {"filter":{"type":"package"},"groupBy":[{"property":{"name":"on","kind":"MONTH"}}]}
    [null] 3 []
    ["2023-12"] 1 []
    ["2024-02"] 1 []
    ["2024-03"] 1 []
    {"filter":{"type":"package"},"groupBy":[{"property":{"name":"on","kind":"DAY"}}],"orderBy":{"direction":"ASC"}}
    ["2023-12-31"] 1 []
    ["2024-02-01"] 1 []
    ["2024-03-01"] 1 []
    [null] 3 []
    {"filter":{"type":"package"},"groupBy":[{"property":{"name":"section","kind":"TEXT"}},{"property":{"name":"essential","kind":"BOOLEAN"}}]}
    ["libs",null] 2 []
    ["admin","false"] 1 []
    ["admin","true"] 1 []
    ["libs","true"] 1 []
    [null,null] 1 []
    {"filter":{"type":"package","keys":["none"]},"groupBy":[{"property":{"name":"section","kind":"TEXT"}}]}
    "#);
}

#[tokio::test]
async fn groups_are_measured_ordered_and_narrowed_by_their_measures() {
    let graph = packages().await;
    let measures: Vec<_> = ["COUNT", "SUM", "AVG", "MIN", "MAX"]
        .map(|function| json!({ "function": function, "property": "size" }))
        .into();
    let asked = |having: Value, order: Value| json!({ "filter": { "type": "package" }, "groupBy": [by("section", "TEXT")], "measures": measures, "having": having, "orderBy": order });
    let mut groups = String::new();
    for asked in [
        asked(json!([]), json!({ "measure": 1 })),
        asked(json!([]), json!({ "measure": 1, "direction": "ASC" })),
        asked(json!([{ "min": 2 }]), Value::Null),
        asked(json!([{ "measure": 2, "max": 50 }, { "max": 2 }]), Value::Null),
        json!({ "measures": measures, "filter": { "type": "license" } }),
        json!({ "measures": measures, "filter": { "type": "none" } }),
        json!({
            "measures": measures,
            "filter": { "type": "package", "properties": [{ "name": "size", "number": { "lt": 50 } }] },
        }),
    ] {
        groups.push_str(&lines(&graph.data(GROUPS, asked).await));
        groups.push('\n');
    }
    assert_snapshot!(groups, @r#"
    ["admin"] 2 [1.0,100.0,100.0,100.0,100.0]
    ["libs"] 3 [2.0,30.5,15.25,10.0,20.5]
    [null] 1 [1.0,1.0,1.0,1.0,1.0]

    [null] 1 [1.0,1.0,1.0,1.0,1.0]
    ["libs"] 3 [2.0,30.5,15.25,10.0,20.5]
    ["admin"] 2 [1.0,100.0,100.0,100.0,100.0]

    ["libs"] 3 [2.0,30.5,15.25,10.0,20.5]
    ["admin"] 2 [1.0,100.0,100.0,100.0,100.0]

    [null] 1 [1.0,1.0,1.0,1.0,1.0]

    [] 1 [1.0,7.0,7.0,7.0,7.0]

    [] 0 [0.0,null,null,null,null]

    [] 3 [3.0,31.5,10.5,1.0,20.5]
    "#);
}

#[tokio::test]
async fn facets_are_the_values_that_most_have() {
    let graph = packages().await;
    let properties = json!([{ "name": "section" }, { "name": "tags" }, { "name": "essential", "kind": "BOOLEAN" }, { "name": "none" }]);
    let asked = json!({ "filter": { "type": "package" }, "properties": properties, "first": 1 });
    assert_snapshot!(shown(&graph.data(FACETS, asked).await), @r#"
    {
      "entityFacets": [
        {
          "property": "section",
          "values": [
            {
              "value": "libs",
              "count": 3
            }
          ],
          "hasMore": true
        },
        {
          "property": "tags",
          "values": [
            {
              "value": "y",
              "count": 2
            }
          ],
          "hasMore": true
        },
        {
          "property": "essential",
          "values": [
            {
              "value": "true",
              "count": 2
            }
          ],
          "hasMore": true
        },
        {
          "property": "none",
          "values": [],
          "hasMore": false
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn groups_that_make_no_sense_are_refused() {
    let graph = packages().await;
    let package = json!({ "type": "package" });
    let measure = json!({ "function": "SUM", "property": "size" });
    let mut refusals = String::new();
    for asked in [
        json!({ "groupBy": [by("section", "TEXT")] }),
        json!({ "measures": [measure] }),
        json!({ "groupBy": [{}] }),
        json!({ "groupBy": vec![json!({ "field": "TYPE" }); 4] }),
        json!({ "filter": package, "measures": vec![&measure; 11] }),
        json!({ "filter": package, "measures": [measure], "having": [{ "measure": 1, "min": 1 }] }),
        json!({ "filter": package, "orderBy": { "measure": 0 } }),
        json!({ "first": 0 }),
        json!({ "first": 101 }),
        json!({ "filter": { "or": [] } }),
    ] {
        let (code, field, text) = refusal(&graph.ask(GROUPS, asked).await);
        refusals.push_str(&format!("{code} {field}: {text}\n"));
    }
    let asked = json!({ "filter": package, "properties": vec![json!({ "name": "section" }); 11] });
    let (code, field, text) = refusal(&graph.ask(FACETS, asked).await);
    refusals.push_str(&format!("{code} {field}: {text}\n"));
    assert_snapshot!(refusals, @r"
    BAD_USER_INPUT groupBy: `groupBy` needs `filter.type`: properties are those of a type
    BAD_USER_INPUT measures: `measures` needs `filter.type`: properties are those of a type
    BAD_USER_INPUT groupBy: `groupBy` needs either `field` or `property` in each item
    BAD_USER_INPUT groupBy: `groupBy` has 4 items, allowed are 3
    BAD_USER_INPUT measures: `measures` has 11 items, allowed are 10
    BAD_USER_INPUT having: `having` names measure 1, there are 1
    BAD_USER_INPUT orderBy: `orderBy` names measure 0, there are 0
    BAD_USER_INPUT first: `first` is 0, allowed is 1 to 100
    BAD_USER_INPUT first: `first` is 101, allowed is 1 to 100
    BAD_USER_INPUT filter.or: `filter.or` is empty: give one filter at least, or leave it out
    BAD_USER_INPUT properties: `properties` has 11 items, allowed are 10
    ");
}

#[tokio::test]
async fn groups_are_those_of_the_callers_organization_and_of_nobody_else() {
    let graph = packages().await;
    let asked = json!({ "groupBy": [{ "field": "TYPE" }] });
    // What is kept for one organization is not told to another one.
    assert_eq!(lines(&graph.data(GROUPS, asked.clone()).await), "[\"package\"] 6 []\n[\"license\"] 1 []\n");
    let stranger = graph.of_another_organization();
    let response = graph.ask_as(&stranger, GROUPS, asked).await;
    assert_eq!(response, json!({ "data": { "entityGroups": { "groups": [], "hasMore": false } } }));
    let properties = json!([{ "name": "section" }]);
    let asked = json!({ "filter": { "type": "package" }, "properties": properties });
    let response = graph.ask_as(&stranger, FACETS, asked).await;
    assert_eq!(response["data"]["entityFacets"][0]["values"], json!([]));
}
