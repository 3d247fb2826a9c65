//! Admins see who listens to what, and end it.

use std::time::Duration;

use pulse_tests::Transport;
use serde_json::{Value, json};
use tokio::time::{Instant, interval};

use super::{CHANGES, Stage, ending};

const LIST: &str =
    "query ($filter: LiveStreamFilter) { liveStreams(filter: $filter, first: 100) { totalCount nodes {
    id userId kind transport operationName operationHash } } }";
const END: &str = "mutation ($input: EndLiveStreamsInput!) { endLiveStreams(input: $input) { ended } }";

/// What clients hear last, over each transport.
const ENDED: [&str; 3] = [
    r#"[{"message":"this stream was ended by an administrator: ended on request","extensions":{"code":"FORBIDDEN","reason":"STREAM_ENDED"}}]"#,
    "FORBIDDEN STREAM_ENDED",
    "FORBIDDEN STREAM_ENDED",
];

/// What is listed, once it is so many: gateways report about once a second.
async fn listed(stage: &Stage, token: &str, filter: Value, count: usize) -> Vec<Value> {
    let (began, mut again) = (Instant::now(), interval(Duration::from_millis(50)));
    loop {
        let data = stage.platform.data(token, LIST, json!({ "filter": filter })).await;
        let nodes = data["liveStreams"]["nodes"].as_array().unwrap();
        if nodes.len() == count {
            assert_eq!(data["liveStreams"]["totalCount"], count);
            return nodes.clone();
        }
        assert!(began.elapsed() < Duration::from_mins(1), "{count} are not listed: {data}");
        again.tick().await;
    }
}

#[tokio::test]
async fn an_admin_lists_the_streams_of_the_tenant_and_ends_those_of_a_person() {
    let stage = Stage::new().await;
    let (owner, member) = (&stage.alpha.owner, &stage.alpha.member);
    let cursor = stage.cursor().await;
    stage.package("seen", "first").await;
    let mut theirs = Vec::new();
    for transport in Transport::ALL {
        let mut stream = stage.follow(transport, &member.token, json!({ "after": cursor })).await;
        stream.data().await;
        theirs.push(stream);
    }
    let mut owners = stage.follow(Transport::Events, &owner.token, json!({ "after": cursor })).await;
    owners.data().await;
    let foreign = &stage.beta.owner;
    let _foreign = stage.follow(Transport::Events, &foreign.token, json!({})).await;

    let all = listed(&stage, &owner.token, json!({}), 4).await;
    let mut transports: Vec<_> = all.iter().map(|stream| stream["transport"].as_str().unwrap()).collect();
    transports.sort_unstable();
    assert_eq!(transports, ["multipart", "sse", "sse", "websocket"]);
    assert!(all.iter().all(|stream| stream["kind"] == "SUBSCRIPTION"));
    assert_eq!(listed(&stage, &foreign.token, json!({}), 1).await[0]["userId"], foreign.id);
    let of_member = listed(&stage, &owner.token, json!({ "userId": member.id }), 3).await;

    // Another tenant's admin ends nothing here, whatever is named.
    let input = json!({ "input": { "userId": member.id } });
    let ended = stage.platform.data(&foreign.token, END, input.clone()).await;
    assert_eq!(ended["endLiveStreams"]["ended"], 0);
    let refused = stage.platform.graphql(Some(&member.token), END, input.clone()).await;
    assert_eq!(refused.code(), Some("FORBIDDEN"));

    let ended = stage.platform.data(&owner.token, END, input).await;
    assert_eq!(ended["endLiveStreams"]["ended"], 3);
    for (stream, expected) in theirs.iter_mut().zip(ENDED) {
        assert_eq!(ending(stream).await, expected);
    }
    let left = listed(&stage, &owner.token, json!({}), 1).await;
    assert!(of_member.iter().all(|stream| stream["id"] != left[0]["id"]));
    stage.package("seen", "second").await;
    assert_eq!(owners.data().await["entityChanged"]["kind"], "UPDATED");
}

#[tokio::test]
async fn streams_are_ended_by_id_and_by_operation_in_each_process() {
    let stage = Stage::new().await;
    let another = stage.platform.another().await;
    let owner = &stage.alpha.owner;
    let named = CHANGES.replacen("subscription", "subscription Watch", 1);
    let mut streams = Vec::new();
    for platform in [&stage.platform, &another] {
        streams.push(Transport::Events.open(platform, &owner.token, &named, json!({})).await);
    }
    let mut other = stage.follow(Transport::Events, &owner.token, json!({})).await;
    let watching = listed(&stage, &owner.token, json!({ "operationName": "Watch" }), 2).await;
    assert!(watching.iter().all(|stream| stream["operationName"] == "Watch"));
    let input = json!({ "input": { "operationName": "Watch", "reason": "too much" } });
    assert_eq!(stage.platform.data(&owner.token, END, input).await["endLiveStreams"]["ended"], 2);
    for stream in &mut streams {
        assert_eq!(ending(stream).await, "FORBIDDEN STREAM_ENDED");
    }
    let left = listed(&stage, &owner.token, json!({}), 1).await;
    let input = json!({ "input": { "streamId": left[0]["id"] } });
    assert_eq!(stage.platform.data(&owner.token, END, input).await["endLiveStreams"]["ended"], 1);
    assert_eq!(ending(&mut other).await, "FORBIDDEN STREAM_ENDED");
    listed(&stage, &owner.token, json!({}), 0).await;
}
