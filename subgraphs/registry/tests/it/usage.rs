//! What is reported of use, and what is said of it.

use chrono::TimeDelta;
use pulse_types::Role;
use serde_json::{Value, json};

use crate::stage::{REPORT, Stage, caller_of, now};

fn used(change: &Value) -> Value {
    let mut used = json!({
        "signature": "b".repeat(64), "name": "Me", "kind": "QUERY", "clientName": "web", "clientVersion": "1.0", "at": now(),
        "requests": 4, "errors": 1, "coordinates": ["Query", "Query.me"],
    });
    used.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    used
}

const ASK: &str =
    "query ($filter: SchemaUsageFilter!) { schemaUsage(filter: $filter) { requests operationCount
    users { operationName clientName clientVersion requests } } }";

#[tokio::test]
async fn reports_add_up_by_day_operation_and_client() {
    let stage = Stage::new().await;
    let first = json!([
        used(&json!({})),
        used(&json!({})),
        used(
            &json!({ "clientVersion": "2.0", "coordinates": ["Query", "Query.me", "Status.OLD", "@include"] })
        ),
        used(&json!({ "name": "Other", "at": now() - TimeDelta::days(2) })),
    ]);
    assert_eq!(stage.report(&stage.admin, "production", first).await, json!({ "recorded": 4, "leftOut": 0 }));
    stage.report(&stage.admin, "production", json!([used(&json!({ "requests": 2 }))])).await;
    let counts = "SELECT concat_ws(' ', day, name, client_version, requests, errors) FROM registry.usage
        JOIN registry.operations USING (org_id) WHERE operation_id = operations.id ORDER BY 1";
    let expected = ["2026-03-13 Other 1.0 4 1", "2026-03-15 Me 1.0 10 3", "2026-03-15 Me 2.0 4 1"];
    assert_eq!(stage.texts(counts).await, expected);
    let asked = async |caller, coordinate: &str, days: i32| {
        let filter = json!({ "environment": "production", "coordinate": coordinate, "days": days });
        stage.data(caller, ASK, json!({ "filter": filter })).await["schemaUsage"].take()
    };
    let all = asked(&stage.admin, "Query.me", 30).await;
    assert_eq!((&all["requests"], &all["operationCount"]), (&json!(18), &json!(2)));
    assert_eq!(
        all["users"][0],
        json!({ "operationName": "Me", "clientName": "web", "clientVersion": "1.0", "requests": 10 })
    );
    assert_eq!(asked(&stage.admin, "Query.me", 1).await["operationCount"], 1);
    assert_eq!(asked(&stage.admin, "Status.OLD", 30).await["operationCount"], 1);
    assert_eq!(asked(&stage.admin, "Status.NEW", 30).await["requests"], 0);
    assert_eq!(asked(&stage.stranger, "Query.me", 30).await["requests"], 0);
}

#[tokio::test]
async fn what_is_wrong_with_a_report_is_named_and_nothing_is_recorded() {
    let stage = Stage::new().await;
    let cases = [
        (json!([]), "input.operations"),
        (json!(vec![used(&json!({})); 501]), "input.operations"),
        (json!([used(&json!({ "coordinates": vec!["Query"; 20_001] }))]), "input.operations"),
        (json!([used(&json!({ "signature": "B".repeat(64) }))]), "input.operations[0].signature"),
        (json!([used(&json!({})), used(&json!({ "name": "n".repeat(201) }))]), "input.operations[1].name"),
        (json!([used(&json!({ "clientName": "n".repeat(201) }))]), "input.operations[0].clientName"),
        (json!([used(&json!({ "clientVersion": "n".repeat(101) }))]), "input.operations[0].clientVersion"),
        (json!([used(&json!({ "coordinates": ["n".repeat(301)] }))]), "input.operations[0].coordinates"),
        (json!([used(&json!({ "requests": 0 }))]), "input.operations[0].requests"),
        (json!([used(&json!({ "errors": 5 }))]), "input.operations[0].requests"),
        (json!([used(&json!({ "at": now() - TimeDelta::days(32) }))]), "input.operations[0].at"),
        (json!([used(&json!({ "at": now() + TimeDelta::days(2) }))]), "input.operations[0].at"),
    ];
    for (operations, field) in cases {
        let input = json!({ "input": { "environment": "production", "operations": operations } });
        let (code, named, text) = stage.refusal(&stage.admin, REPORT, input).await;
        assert_eq!((code.as_str(), named.as_str()), ("BAD_USER_INPUT", field), "{text}");
    }
    assert_eq!(stage.count("SELECT count(*) FROM registry.operations").await, 0);
    let viewer = caller_of(stage.admin.org.unwrap(), Role::Viewer);
    let input = json!({ "input": { "environment": "production", "operations": [used(&json!({}))] } });
    assert_eq!(stage.refusal(&viewer, REPORT, input).await.0, "FORBIDDEN");
    let days = json!({ "filter": { "environment": "production", "coordinate": "Query", "days": 0 } });
    assert_eq!(stage.refusal(&stage.admin, ASK, days).await.1, "filter.days");
}

#[tokio::test]
async fn reports_that_come_at_the_same_time_all_count() {
    let stage = Stage::new().await;
    let report = |n: i32| {
        let mut operations: Vec<Value> =
            (0..10).map(|k| used(&json!({ "name": format!("O{k}"), "requests": 1, "errors": 0 }))).collect();
        if n % 2 == 1 {
            operations.reverse();
        }
        stage.report(&stage.admin, "production", json!(operations))
    };
    tokio::join!(report(1), report(2), report(3), report(4));
    assert_eq!(stage.count("SELECT sum(requests)::bigint FROM registry.usage").await, 40);
}
