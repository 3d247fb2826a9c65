//! What a route answers is what GraphQL answers.

use pulse_rest::RouteSummary;
use serde_json::{Value, json};

use super::{Rest, routes};

/// How a route is asked, and the variables by which GraphQL is asked the same.
struct Asked {
    path: String,
    variables: Value,
}

/// Asks a route of the registry, which knows environments by their names.
fn asked_of_registry(rest: &Rest, route: &RouteSummary) -> Option<Asked> {
    let composition = &rest.graph.composition;
    let (query, variables) = match route.id.as_str() {
        "getSchemaVariant" => ("?environment=alpha".to_owned(), json!({ "environment": "alpha" })),
        "getSchemaRules" => (String::new(), json!({ "environment": "alpha" })),
        "listSchemaVersions" | "listSchemaCompositions" | "listSchemaChecks" | "listSchemaOverrides" => {
            ("?environment=alpha".to_owned(), json!({ "filter": { "environment": "alpha" } }))
        }
        "getSchemaUsage" => (
            "?environment=alpha&coordinate=Query.a".to_owned(),
            json!({ "filter": { "environment": "alpha", "coordinate": "Query.a" } }),
        ),
        "getSchemaDiff" => {
            let query = format!("?from={composition}&to={composition}");
            (query, json!({ "from": composition, "to": composition }))
        }
        _ => return None,
    };
    Some(Asked { path: format!("{}{query}", route.path.replace("{environment}", "alpha")), variables })
}

/// Asks a route that needs nothing, or what is known here.
fn asked(rest: &Rest, route: &RouteSummary) -> Asked {
    if let Some(asked) = asked_of_registry(rest, route) {
        return asked;
    }
    let graph = &rest.graph;
    let (one, other) = (&graph.entities[0], &graph.entities[1]);
    let id = match route.path.split('/').nth(1).unwrap() {
        "client-apps" => &graph.client,
        "collections" => &graph.collection,
        "entities" => one,
        "jobs" => &graph.job,
        "organizations" => &rest.tenant.id,
        "relationships" => &graph.relationships[0],
        "schema-versions" => &graph.schema_version,
        "schema-compositions" => &graph.composition,
        "schedules" => &graph.schedule,
        "webhooks" => &graph.webhook,
        // There is none such: both say so.
        _ => &graph.letter,
    };
    let path = route.path.replace("{id}", id);
    let by_name = |name: &str, value: &str| Asked {
        path: path.replace(&format!("{{{name}}}"), value),
        variables: json!({ name: value }),
    };
    let with = |query: String, variables: Value| Asked { path: format!("{path}?{query}"), variables };
    match route.id.as_str() {
        "listEntityFacets" => {
            let properties = json!([{ "name": "section", "kind": "TEXT" }]);
            with(
                "type=package&properties=[{%22name%22:%22section%22,%22kind%22:%22TEXT%22}]".to_owned(),
                json!({ "filter": { "type": "package" }, "properties": properties }),
            )
        }
        "getEntityByKey" => by_name("key", "p1"),
        "getFlag" => by_name("key", "none"),
        "getEntityType" => by_name("name", "package"),
        "getClientAppByName" => by_name("name", "alpha"),
        "getOrganizationBySlug" | "getBrandingOf" => by_name("slug", "alpha"),
        "listPaths" | "getShortestPath" => with(
            format!("from={one}&to={other}&maxHops=2"),
            json!({ "from": one, "to": other, "maxHops": 2 }),
        ),
        "getSubgraph" => {
            let variables = json!({ "from": [one, other], "depth": 1, "filter": { "minConfidence": 0.5 } });
            with(format!("from={one}&from={other}&depth=1&minConfidence=0.5"), variables)
        }
        "getExplainAccess" => {
            with("permission=entity:read".to_owned(), json!({ "permission": "entity:read" }))
        }
        "getInvitation" => with("token=none".to_owned(), json!({ "token": "none" })),
        "getTimeSeries" => with(
            "interval=DAY&from=2026-01-01T00:00:00Z&to=2026-01-03T00:00:00Z&groupBy.by=NAME".to_owned(),
            json!({ "input": {
                "interval": "DAY", "from": "2026-01-01T00:00:00Z", "to": "2026-01-03T00:00:00Z",
                "groupBy": { "by": "NAME" },
            } }),
        ),
        _ if route.path.contains("{id}") => Asked { path, variables: json!({ "id": id }) },
        _ => Asked { path, variables: json!({}) },
    }
}

/// Without the end of a time that ends when it is asked for.
fn without_now(mut value: Value) -> Value {
    if let Some(object) = value.as_object_mut().filter(|object| object.contains_key("points")) {
        object.remove("to");
    }
    value
}

#[tokio::test]
async fn every_route_that_reads_answers_what_graphql_answers() {
    let rest = Rest::new().await;
    let mut answered = 0;
    for route in routes().iter().filter(|route| route.method == "GET" && !route.path.starts_with("/streams/"))
    {
        let Asked { path, variables } = asked(&rest, route);
        let twin = rest.platform.graphql(Some(&rest.tenant.owner.token), &route.document, variables).await;
        let answer = rest.get(&path).await;
        if let Some(error) = twin.json["errors"].get(0) {
            assert_eq!(answer.json["code"], error["extensions"]["code"], "{path}: {answer:?}");
            assert_eq!(answer.json["detail"], error["message"], "{path}");
            continue;
        }
        let value = route.keys.iter().fold(&twin.json["data"], |value, key| &value[key]);
        if value.is_null() {
            assert_eq!((answer.status.as_u16(), &answer.json["code"]), (404, &json!("NOT_FOUND")), "{path}");
            continue;
        }
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        // The log moves on, and looking at the audit is audited.
        if !["getStreamCursor", "listAuditEvents"].contains(&route.id.as_str()) {
            assert_eq!(without_now(answer.json), without_now(value.clone()), "{path}");
        }
        answered += 1;
    }
    assert!(answered >= 50, "only {answered} routes answered anything");
}

#[tokio::test]
async fn parameters_are_arguments_by_other_names() {
    let rest = Rest::new().await;
    let token = &rest.tenant.owner.token;
    let ask = async |query: &str, variables: Value| rest.platform.data(token, query, variables).await;

    let query = "{ entities(first: 2, filter: { type: \"package\", keys: [\"p1\", \"p2\", \"p3\"], confidence: { min: 0.5 } }, \
                 orderBy: { field: KEY, direction: DESC }) { pageInfo { endCursor } nodes { id key } } }";
    let twin = ask(query, json!({})).await;
    let place =
        "/entities?type=package&keys=p1&keys=p2&keys=p3&confidence.min=0.5&orderBy=-key&first=2&fields=key";
    let answer = rest.get(place).await;
    let keys =
        |nodes: &Value| nodes.as_array().unwrap().iter().map(|node| node["key"].clone()).collect::<Vec<_>>();
    assert_eq!(keys(&answer.json["nodes"]), ["p3", "p2"]);
    assert_eq!(keys(&answer.json["nodes"]), keys(&twin["entities"]["nodes"]));
    assert_eq!(answer.json["pageInfo"]["endCursor"], twin["entities"]["pageInfo"]["endCursor"]);
    assert_eq!(
        answer.json["nodes"][0].as_object().unwrap().keys().collect::<Vec<_>>(),
        ["id", "version", "key"]
    );

    let id = &rest.graph.entities[0];
    let query = "query ($id: ID!) { entity(id: $id) { entityType { name } relationships { nodes { target { key } } } } }";
    let twin = ask(query, json!({ "id": id })).await;
    let answer =
        rest.get(&format!("/entities/{id}?fields=entityType.name&include=relationships.target.key")).await;
    assert_eq!(answer.json["entityType"]["name"], twin["entity"]["entityType"]["name"], "{answer:?}");
    let targets = |value: &Value| {
        let nodes = value["relationships"]["nodes"].as_array().unwrap().iter();
        nodes.map(|node| node["target"]["key"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(targets(&answer.json), targets(&twin["entity"]));
    assert_eq!(targets(&answer.json).len(), 4);

    let answer = rest.get("/entities?include=totalCount&first=1").await;
    assert_eq!(answer.json["totalCount"], 5);
    let answer = rest.get("/organization/members?first=1&fields=email").await;
    assert_eq!(answer.json["edges"][0]["role"], "OWNER", "{answer:?}");
    assert_eq!(answer.json["edges"][0]["node"]["email"], "owner@alpha.example");

    let search = format!("/collections/{}/search", rest.graph.collection);
    let answer = rest.call("POST", &search, &[], &json!({ "vector": [0, 1], "first": 2 })).await;
    assert_eq!(answer.json[0]["distance"], 0.0, "{answer:?}");
    assert_eq!(answer.json.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn pages_are_linked() {
    let rest = Rest::new().await;
    let (mut place, mut seen, mut pages) =
        ("/entities?orderBy=key&first=2&fields=key".to_owned(), Vec::new(), 0);
    let link = |links: &str, relation: &str| -> Option<String> {
        let found = links.split(", ").find(|link| link.ends_with(&format!("rel=\"{relation}\"")))?;
        let address = found.split_once('>')?.0.trim_start_matches('<');
        Some(address.strip_prefix(super::ROOT).unwrap().to_owned())
    };
    let last = loop {
        let answer = rest.get(&place).await;
        let nodes = answer.json["nodes"].as_array().unwrap_or_else(|| panic!("{answer:?}"));
        seen.extend(nodes.iter().map(|node| node["key"].as_str().unwrap().to_owned()));
        pages += 1;
        let links = super::header(&answer, "link").to_owned();
        match link(&links, "next") {
            Some(next) => place = next,
            None => break links,
        }
    };
    assert_eq!((seen, pages), (["p0", "p1", "p2", "p3", "p4"].map(str::to_owned).to_vec(), 3));
    let before = rest.get(&link(&last, "prev").unwrap()).await;
    assert_eq!(before.json["nodes"][1]["key"], "p3", "{before:?}");
    let first = rest.get(&link(&last, "first").unwrap()).await;
    assert_eq!(first.json["nodes"][0]["key"], "p0");
}
