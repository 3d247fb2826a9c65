//! API keys, through the gateway: what they are good for, from where, how often, and until when.

use std::time::{Duration, Instant};

use pulse_tests::{ApiKey, Said, Stream, Tenant, TestPlatform, Transport};
use serde_json::{Value, json};

const READ: &str = "{ entityTypes { totalCount } }";
const WRITE: &str = "mutation { createEntityType(input: { name: \"made-by-a-key\" }) { entityType { id } } }";
const CHANGES: &str = "subscription Follow($after: String) { entityChanged(after: $after) { kind cursor } }";

struct Stage {
    platform: TestPlatform,
    alpha: Tenant,
}

impl Stage {
    async fn new() -> Self {
        let platform = TestPlatform::start().await;
        let alpha = Tenant::found(&platform, "alpha").await;
        let create = "mutation { createEntityType(input: { name: \"package\" }) { __typename } }";
        platform.data(&alpha.owner.token, create, json!({})).await;
        Self { platform, alpha }
    }

    async fn key(&self, more: Value) -> ApiKey {
        let mut input = json!({ "name": "A key", "scopes": ["entity:read"] });
        let fields = more.as_object().unwrap().clone();
        input.as_object_mut().unwrap().extend(fields);
        ApiKey::create(&self.platform, &self.alpha.owner.token, input).await
    }

    /// Status, code and reason of what a key gets.
    async fn ask(&self, key: &ApiKey, query: &str) -> (u16, String, String) {
        ask(&self.platform, &key.secret, query).await
    }

    async fn package(&self, key: &str) {
        let upsert = "mutation ($items: [UpsertEntityItem!]!) { upsertEntities(input: { items: $items }) { created } }";
        let items = json!([{ "key": key, "type": "package", "name": key }]);
        self.platform.data(&self.alpha.owner.token, upsert, json!({ "items": items })).await;
    }

    /// A stream of the key over each transport, each of which has begun.
    async fn streams(&self, key: &ApiKey) -> Vec<Stream> {
        let cursor = self.platform.data(&self.alpha.owner.token, "{ streamCursor }", json!({})).await;
        let variables = json!({ "after": cursor["streamCursor"] });
        self.package(&format!("p{}", self.platform.store.clock().now().timestamp_micros())).await;
        let mut streams = Vec::new();
        for transport in Transport::ALL {
            let mut stream = transport.open(&self.platform, &key.secret, CHANGES, variables.clone()).await;
            stream.data().await;
            streams.push(stream);
        }
        streams
    }
}

async fn ask(platform: &TestPlatform, secret: &str, query: &str) -> (u16, String, String) {
    let answer = platform.graphql(Some(secret), query, json!({})).await;
    let extensions = &answer.json["errors"][0]["extensions"];
    let text = |name: &str| extensions[name].as_str().unwrap_or_default().to_owned();
    (answer.status.as_u16(), text("code"), text("reason"))
}

fn good() -> (u16, String, String) {
    (200, String::new(), String::new())
}

fn refused(status: u16, code: &str, reason: &str) -> (u16, String, String) {
    (status, code.to_owned(), reason.to_owned())
}

/// Why a stream has ended, as clients are told over each transport.
async fn ending(stream: &mut Stream) -> String {
    match stream.next().await {
        Said::End(reason) => reason,
        Said::Next(answer) => {
            let extensions = &answer["errors"][0]["extensions"];
            format!("{} {}", extensions["code"].as_str().unwrap(), extensions["reason"].as_str().unwrap())
        }
    }
}

#[tokio::test]
async fn a_key_may_what_its_scopes_say_and_comes_in_either_header() {
    let stage = Stage::new().await;
    let key = stage.key(json!({})).await;
    assert_eq!(stage.ask(&key, READ).await, good());
    assert_eq!(stage.ask(&key, WRITE).await, refused(200, "FORBIDDEN", ""));
    let post = async |headers: &[(&str, &str)]| {
        let json = [("content-type", "application/json"), ("accept", "application/graphql-response+json")];
        let headers: Vec<_> = json.into_iter().chain(headers.iter().copied()).collect();
        let body = json!({ "query": READ }).to_string();
        stage.platform.post_to("/graphql", &headers, body).await
    };
    assert_eq!(post(&[("x-api-key", &key.secret)]).await.json["data"]["entityTypes"]["totalCount"], 1);
    let bearer = format!("Bearer {}", key.secret);
    let both = post(&[("x-api-key", &key.secret), ("authorization", &bearer)]).await;
    assert_eq!(
        (both.status.as_u16(), both.message()),
        (401, "send either Authorization or X-API-Key, not both")
    );
    let cut = post(&[("x-api-key", &key.secret[..50])]).await;
    let text = "this is not a whole API key or client secret: a part is missing or mistyped";
    assert_eq!((cut.status.as_u16(), cut.message()), (401, text));
}

// Dropping the database waits for connections that the second process has just begun, which need a thread to end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_key_is_refused_within_a_second_in_two_processes_and_its_streams_end() {
    let stage = Stage::new().await;
    let other = stage.platform.another().await;
    let (key, stays) = (stage.key(json!({})).await, stage.key(json!({})).await);
    let mut theirs = stage.streams(&key).await;
    for platform in [&stage.platform, &other] {
        for key in [&key, &stays] {
            assert_eq!(ask(platform, &key.secret, READ).await, good());
        }
    }
    key.revoke(&stage.platform, &stage.alpha.owner.token).await;
    let began = Instant::now();
    for platform in [&stage.platform, &other] {
        while ask(platform, &key.secret, READ).await != refused(401, "UNAUTHENTICATED", "") {
            assert!(began.elapsed() < Duration::from_secs(1), "it is still good");
        }
        assert_eq!(ask(platform, &stays.secret, READ).await, good());
    }
    let expected = [
        "4403 your credential was revoked; sign in again",
        "UNAUTHENTICATED CREDENTIAL_REVOKED",
        "UNAUTHENTICATED CREDENTIAL_REVOKED",
    ];
    for (stream, expected) in theirs.iter_mut().zip(expected) {
        assert_eq!(ending(stream).await, expected);
    }
}

#[tokio::test]
async fn what_changes_of_a_key_is_true_at_once_and_ends_its_streams() {
    let stage = Stage::new().await;
    let key = stage.key(json!({ "scopes": ["entity:read", "entity-type:manage"] })).await;
    let mut theirs = stage.streams(&key).await;
    let update = "mutation ($input: UpdateApiKeyInput!) { updateApiKey(input: $input) { apiKey { id } } }";
    let owner = &stage.alpha.owner.token;
    let name = json!({ "input": { "id": key.id, "name": "Another name" } });
    stage.platform.data(owner, update, name).await;
    let narrow = json!({ "input": { "id": key.id, "scopes": ["entity:read"] } });
    stage.platform.data(owner, update, narrow).await;
    let began = Instant::now();
    while stage.ask(&key, WRITE).await != refused(200, "FORBIDDEN", "") {
        assert!(began.elapsed() < Duration::from_secs(1), "it may still what it might");
    }
    assert_eq!(stage.ask(&key, READ).await, good());
    let expected = [
        "4403 your rights in this organization have changed; connect again with a new credential",
        "UNAUTHENTICATED RIGHTS_CHANGED",
        "UNAUTHENTICATED RIGHTS_CHANGED",
    ];
    for (stream, expected) in theirs.iter_mut().zip(expected) {
        assert_eq!(ending(stream).await, expected);
    }
}

#[tokio::test]
async fn a_key_ends_with_the_membership_of_its_maker() {
    let stage = Stage::new().await;
    let input = json!({ "name": "The admin's", "scopes": ["entity:read", "entity-type:manage"] });
    let key = ApiKey::create(&stage.platform, &stage.alpha.admin.token, input).await;
    let mut theirs = stage.streams(&key).await;
    let owner = &stage.alpha.owner.token;
    let role =
        "mutation ($id: ID!) { changeMemberRole(input: { userId: $id, role: VIEWER }) { __typename } }";
    stage.platform.data(owner, role, json!({ "id": stage.alpha.admin.id })).await;
    for stream in &mut theirs {
        let ending = ending(stream).await;
        assert!(ending.contains("rights") || ending.ends_with("RIGHTS_CHANGED"), "{ending}");
    }
    assert_eq!(stage.ask(&key, WRITE).await, refused(200, "FORBIDDEN", ""));
    assert_eq!(stage.ask(&key, READ).await, good());
    let remove = "mutation ($id: ID!) { removeMember(input: { userId: $id }) { userId } }";
    stage.platform.data(owner, remove, json!({ "id": stage.alpha.admin.id })).await;
    let began = Instant::now();
    while stage.ask(&key, READ).await != refused(401, "UNAUTHENTICATED", "") {
        assert!(began.elapsed() < Duration::from_secs(1), "it outlives the membership");
    }
}

#[tokio::test]
async fn a_rotated_key_is_good_for_the_overlap_and_no_longer() {
    let stage = Stage::new().await;
    let key = stage.key(json!({})).await;
    assert_eq!(stage.ask(&key, READ).await, good());
    let rotate = "mutation ($input: RotateApiKeyInput!) { rotateApiKey(input: $input) { secret } }";
    let rotated = async |overlap: i32| {
        let input = json!({ "input": { "id": key.id, "overlapSeconds": overlap } });
        let data = stage.platform.data(&stage.alpha.owner.token, rotate, input).await;
        let secret = data["rotateApiKey"]["secret"].as_str().unwrap().to_owned();
        ApiKey { id: key.id.clone(), secret }
    };
    let second = rotated(2).await;
    let began = Instant::now();
    assert_eq!(stage.ask(&second, READ).await, good());
    assert_eq!(stage.ask(&key, READ).await, good(), "both are good");
    while stage.ask(&key, READ).await == good() {
        assert!(began.elapsed() < Duration::from_secs(4), "the old one does not end");
    }
    assert!(began.elapsed() > Duration::from_secs(1), "it had two seconds");
    let third = rotated(0).await;
    let began = Instant::now();
    while stage.ask(&second, READ).await == good() {
        assert!(began.elapsed() < Duration::from_secs(1), "the old one does not end");
    }
    assert_eq!(stage.ask(&third, READ).await, good());
}

#[tokio::test]
async fn a_key_is_held_to_its_networks_operations_rate_and_expiry() {
    let stage = Stage::new().await;
    let elsewhere = stage.key(json!({ "networks": ["192.0.2.0/24"] })).await;
    assert_eq!(stage.ask(&elsewhere, READ).await, refused(401, "UNAUTHENTICATED", ""));
    let here = stage.key(json!({ "networks": ["192.0.2.0/24", "127.0.0.1"] })).await;
    assert_eq!(stage.ask(&here, READ).await, good());

    let one = stage.key(json!({ "operations": ["Count"] })).await;
    assert_eq!(stage.ask(&one, "query Count { entityTypes { totalCount } }").await, good());
    let other = stage.ask(&one, "query List { entityTypes { nodes { name } } }").await;
    assert_eq!(other, refused(403, "FORBIDDEN", "OPERATION_NOT_ALLOWED"));

    let slow = stage.key(json!({ "requestsPerMinute": 3 })).await;
    for _ in 0..3 {
        assert_eq!(stage.ask(&slow, READ).await, good());
    }
    assert_eq!(stage.ask(&slow, READ).await, refused(429, "RATE_LIMITED", "RATE_LIMIT"));

    let soon = stage.platform.store.clock().now() + chrono::TimeDelta::milliseconds(1500);
    let short = stage.key(json!({ "expiresAt": soon })).await;
    let began = Instant::now();
    while stage.ask(&short, READ).await == good() {
        assert!(began.elapsed() < Duration::from_secs(3), "it does not expire");
    }
    assert_eq!(stage.ask(&short, READ).await, refused(401, "UNAUTHENTICATED", ""));
}

#[tokio::test]
async fn streams_of_a_key_are_listed_and_ended_by_it() {
    let stage = Stage::new().await;
    let (key, other) = (stage.key(json!({})).await, stage.key(json!({})).await);
    let (mut theirs, mut stay) = (stage.streams(&key).await, stage.streams(&other).await);
    let owner = &stage.alpha.owner.token;
    let list = "query ($key: ID!) { liveStreams(filter: { machineId: $key }) { nodes { machineId userId operationName } } }";
    let began = Instant::now();
    loop {
        let listed = stage.platform.data(owner, list, json!({ "key": key.id })).await;
        let nodes = listed["liveStreams"]["nodes"].as_array().unwrap().clone();
        if nodes.len() == 3 {
            let expected = json!({ "machineId": key.id, "userId": null, "operationName": "Follow" });
            assert!(nodes.iter().all(|node| *node == expected), "{nodes:?}");
            break;
        }
        assert!(began.elapsed() < Duration::from_mins(1), "they are not listed: {listed}");
    }
    let end = "mutation ($key: ID!) { endLiveStreams(input: { machineId: $key, reason: \"tidying up\" }) { ended } }";
    let ended = stage.platform.data(owner, end, json!({ "key": key.id })).await;
    assert_eq!(ended["endLiveStreams"]["ended"], 3);
    for stream in &mut theirs {
        // What was made for the other key's streams comes before.
        let ending = loop {
            match stream.next().await {
                Said::Next(answer) if answer.get("errors").is_none() => {}
                other => break format!("{other:?}"),
            }
        };
        assert!(ending.contains("tidying up"), "{ending}");
    }
    stage.package("later").await;
    for stream in &mut stay {
        stream.data().await;
    }
}
