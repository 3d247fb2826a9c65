//! What gateways report of their streams, and what admins see of it.

use pulse_operations::{OpenedStream, StreamReport, report_streams};
use pulse_types::{Caller, ProcessId, Role, StreamId};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::stage::{Stage, caller_of};

const LIST: &str = "query ($input: LiveStreamFilter) { liveStreams(filter: $input, first: 2) {
    totalCount pageInfo { hasNextPage } nodes { id userId kind operationName } } }";
const END: &str = "mutation ($input: EndLiveStreamsInput!) { endLiveStreams(input: $input) { ended } }";

fn stream(stage: &Stage, caller: &Caller, name: &str) -> OpenedStream {
    OpenedStream {
        id: StreamId::new(stage.time()),
        tenant: caller.org.unwrap(),
        user: caller.user(),
        machine: caller.machine(),
        session: None,
        is_live_query: name == "Live",
        transport: "sse".to_owned(),
        operation: Some(name.to_owned()),
        hash: "0".repeat(64),
        since: stage.time(),
    }
}

fn report(gateway: Uuid, anew: bool, opened: &[OpenedStream], ended: &[StreamId]) -> StreamReport {
    StreamReport { gateway, anew, opened: opened.to_vec(), ended: ended.to_vec() }
}

async fn ids(stage: &Stage, caller: &Caller, filter: Value) -> Vec<String> {
    let data = stage.data(caller, LIST, filter).await;
    let nodes = data["nodes"].as_array().unwrap();
    nodes.iter().map(|node| node["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn streams_are_listed_as_their_gateways_last_said() {
    let stage = Stage::new().await;
    let gateway = ProcessId::new(stage.time()).uuid();
    let streams = [
        stream(&stage, &stage.admin, "Watch"),
        stream(&stage, &stage.admin, "Live"),
        stream(&stage, &stage.admin, "Watch"),
        stream(&stage, &stage.stranger, "Watch"),
    ];
    let store = stage.store();
    // A gateway that nothing is known of has to say everything.
    assert!(!report_streams(store, &report(gateway, false, &streams, &[])).await.unwrap());
    assert!(ids(&stage, &stage.admin, json!(null)).await.is_empty());
    assert!(report_streams(store, &report(gateway, true, &streams, &[])).await.unwrap());
    let page = stage.data(&stage.admin, LIST, json!(null)).await;
    assert_eq!((&page["totalCount"], &page["pageInfo"]["hasNextPage"]), (&json!(3), &json!(true)));
    assert_eq!(ids(&stage, &stage.stranger, json!(null)).await, [streams[3].id.to_string()]);
    let live = stage.data(&stage.admin, LIST, json!({ "kind": "LIVE_QUERY" })).await;
    assert_eq!(live["nodes"][0]["operationName"], "Live");
    // What is said twice, or was known to be over, does no harm.
    let ended = [streams[0].id, StreamId::new(stage.time())];
    for _ in 0..2 {
        assert!(report_streams(store, &report(gateway, false, &streams[1..2], &ended)).await.unwrap());
    }
    assert_eq!(
        ids(&stage, &stage.admin, json!({ "operationName": "Watch" })).await,
        [streams[2].id.to_string()]
    );
    // Another gateway's report says nothing of this one's.
    let other = ProcessId::new(stage.time()).uuid();
    assert!(report_streams(store, &report(other, true, &[], &[streams[1].id])).await.unwrap());
    assert_eq!(ids(&stage, &stage.admin, json!(null)).await.len(), 2);
    assert!(report_streams(store, &report(gateway, true, &[], &[])).await.unwrap());
    assert!(ids(&stage, &stage.admin, json!(null)).await.is_empty());
}

#[tokio::test]
async fn streams_of_a_gateway_that_says_nothing_more_are_not_there() {
    let stage = Stage::new().await;
    let gateway = ProcessId::new(stage.time()).uuid();
    let streams = [stream(&stage, &stage.admin, "Watch")];
    report_streams(stage.store(), &report(gateway, true, &streams, &[])).await.unwrap();
    assert_eq!(ids(&stage, &stage.admin, json!(null)).await.len(), 1);
    let mut connection = stage.database.connect().await.unwrap();
    let sql = "UPDATE operations.gateways SET lease_until = now() - interval '1 second'";
    sqlx::query(sql).execute(&mut connection).await.unwrap();
    assert!(ids(&stage, &stage.admin, json!(null)).await.is_empty());
    // It comes back, and has to say everything again.
    assert!(!report_streams(stage.store(), &report(gateway, false, &[], &[])).await.unwrap());
}

#[tokio::test]
async fn ending_streams_is_for_admins_who_say_which() {
    let stage = Stage::new().await;
    let member = caller_of(stage.admin.org.unwrap(), Role::Member);
    let (code, ..) = stage.refusal(&member, LIST, json!(null)).await;
    assert_eq!(code, "FORBIDDEN");
    let (code, ..) = stage.refusal(&member, END, json!({ "operationName": "Watch" })).await;
    assert_eq!(code, "FORBIDDEN");
    let (code, field, text) = stage.refusal(&stage.admin, END, json!({})).await;
    assert_eq!((code.as_str(), field.as_str()), ("BAD_USER_INPUT", "input"));
    assert_eq!(text, "say which streams to end: give streamId, userId, machineId, session or operationName");
    let long = json!({ "operationName": "Watch", "reason": "x".repeat(201) });
    let (_, field, text) = stage.refusal(&stage.admin, END, long).await;
    assert_eq!(
        (field.as_str(), text.as_str()),
        ("input.reason", "a reason has at most 200 characters, this one has 201")
    );
    let (_, field, _) = stage.refusal(&stage.admin, END, json!({ "operationName": "x".repeat(201) })).await;
    assert_eq!(field, "input.operationName");

    let gateway = ProcessId::new(stage.time()).uuid();
    let streams = [stream(&stage, &stage.admin, "Watch"), stream(&stage, &stage.stranger, "Watch")];
    report_streams(stage.store(), &report(gateway, true, &streams, &[])).await.unwrap();
    let ended =
        stage.data(&stage.admin, END, json!({ "operationName": "Watch", "reason": "too much" })).await;
    assert_eq!(ended["ended"], 1);
    let mut connection = stage.database.connect().await.unwrap();
    let (tenant, attributes, action): (Uuid, Value, String) = sqlx::query_as(
        "SELECT o.tenant, o.attributes, a.action FROM platform.outbox o, platform.audit a
          WHERE o.subject = 'operations.stream' AND a.subject = 'operations.stream'",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert_eq!((tenant, action.as_str()), (stage.admin.org.unwrap().uuid(), "stream:end"));
    assert_eq!((&attributes["operation"], &attributes["reason"]), (&json!("Watch"), &json!("too much")));
}
