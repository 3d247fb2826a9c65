//! What is kept of former answers is as good as what would be read.

use async_graphql::Request;
use pulse_testkit::RedisServer;
use pulse_types::Role;
use serde_json::{Value, json};

use crate::kept_processes::{Process, Processes};
use crate::person;

const LIST: &str =
    "query ($type: String!) { entities(filter: { type: $type }) { nodes { key name } totalCount } }";

/// Fields that are answered from every kind of read that is kept.
const EVERYTHING: &str = r#"{ a: entity(key: "a") { id key description entityType { name version }
    relationships(direction: OUTGOING) { nodes { type target { key name } } totalCount }
    neighbors { nodes { key } totalCount } }
    entities(filter: { type: "package" }) { nodes { key name } totalCount } }"#;

async fn keys(
    process: &Process,
    caller: &std::sync::Arc<pulse_types::Caller>,
    of_type: &str,
) -> (Vec<String>, i64) {
    let data = process.ask(caller, LIST, json!({ "type": of_type })).await;
    let nodes = data["entities"]["nodes"].as_array().unwrap();
    let mut keys: Vec<_> = nodes.iter().map(|node| node["key"].as_str().unwrap().to_owned()).collect();
    // Those that were made in the same millisecond come in any order.
    keys.sort();
    (keys, data["entities"]["totalCount"].as_i64().unwrap())
}

#[tokio::test]
async fn who_writes_through_one_process_reads_it_through_another_that_has_not_heard_of_it() {
    let mut processes = Processes::two(None).await;
    let (writer, reader) = (processes.person(Role::Admin), processes.person(Role::Viewer));
    let [here, there] = &processes.all[..] else { unreachable!() };
    assert_eq!(there.name_of(&writer, "a").await, "package a");
    here.upsert(&writer, json!([{ "key": "a", "type": "package", "name": "new" }])).await;
    assert_eq!(there.name_of(&writer, "a").await, "new", "there they have written, and it is not in the log");
    assert_eq!(
        there.name_of(&reader, "a").await,
        "package a",
        "others read what was kept until it is heard of"
    );
    assert_eq!(here.name_of(&reader, "a").await, "new", "here it is known from the commit on");
    processes.settle().await;
    let [here, there] = &processes.all[..] else { unreachable!() };
    for caller in [&writer, &reader] {
        assert_eq!(there.name_of(caller, "a").await, "new");
        assert_eq!(here.name_of(caller, "a").await, "new");
    }
}

#[tokio::test]
async fn what_is_kept_is_read_once_by_everybody_in_the_tenant_and_by_nobody_else() {
    let processes = Processes::two(None).await;
    let process = &processes.all[0];
    let (first, second) = (processes.person(Role::Viewer), processes.person(Role::Viewer));
    let answer = process.ask(&first, EVERYTHING, Value::Null).await;
    let loads = process.cache.statistics().loads();
    assert_eq!(process.ask(&second, EVERYTHING, Value::Null).await, answer);
    assert_eq!(process.cache.statistics().loads(), loads, "nothing was read again");
    let stranger = person(
        &process.store,
        pulse_types::OrgId::new(process.store.clock().now()),
        Role::Owner.permissions(),
    );
    let theirs = process.ask(&stranger, EVERYTHING, Value::Null).await;
    assert_eq!(theirs, json!({ "a": null, "entities": { "nodes": [], "totalCount": 0 } }));
    let nobody = person(&process.store, processes.org, pulse_types::Permissions::none());
    let refused = process.respond(&nobody, Request::new(r#"{ entity(key: "a") { key } }"#)).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN");
}

#[tokio::test]
async fn what_comes_goes_or_moves_changes_lists_and_counts_everywhere() {
    let mut processes = Processes::two(None).await;
    let (writer, reader) = (processes.person(Role::Admin), processes.person(Role::Viewer));
    for process in &processes.all {
        assert_eq!(keys(process, &reader, "package").await, (vec!["a".into(), "b".into(), "c".into()], 3));
        assert_eq!(keys(process, &reader, "section").await, (vec![], 0));
    }
    let item = |key: &str, of_type: &str| json!({ "key": key, "type": of_type, "name": key });
    processes.all[0].upsert(&writer, json!([item("d", "package"), item("a", "section")])).await;
    processes.settle().await;
    for process in &processes.all {
        assert_eq!(keys(process, &reader, "package").await, (vec!["b".into(), "c".into(), "d".into()], 3));
        assert_eq!(keys(process, &reader, "section").await, (vec!["a".into()], 1));
    }
    let id =
        processes.all[0].ask(&writer, r#"{ entity(key: "d") { id } }"#, Value::Null).await["entity"]["id"]
            .take();
    let delete = "mutation ($id: ID!) { deleteEntity(input: { id: $id }) { id } }";
    processes.all[1].ask(&writer, delete, json!({ "id": id })).await;
    processes.settle().await;
    for process in &processes.all {
        assert_eq!(keys(process, &reader, "package").await, (vec!["b".into(), "c".into()], 2));
        assert_eq!(process.name_of(&reader, "d").await, "");
    }
}

#[tokio::test]
async fn relationships_and_those_at_their_ends_are_never_old() {
    let mut processes = Processes::two(None).await;
    let writer = processes.person(Role::Admin);
    let reader = processes.person(Role::Viewer);
    let related = |answer: &Value| answer["a"]["relationships"].clone();
    for process in &processes.all {
        let answer = process.ask(&reader, EVERYTHING, Value::Null).await;
        assert_eq!(related(&answer), json!({ "nodes": [], "totalCount": 0 }));
    }
    let upsert = "mutation ($items: [UpsertRelationshipItem!]!) { upsertRelationships(input: { items: $items }) { created } }";
    let items = json!([{ "sourceKey": "a", "type": "needs", "targetKey": "b" }]);
    processes.all[0].ask(&writer, upsert, json!({ "items": items })).await;
    processes.settle().await;
    for process in &processes.all {
        let answer = process.ask(&reader, EVERYTHING, Value::Null).await;
        let node = json!({ "type": "needs", "target": { "key": "b", "name": "package b" } });
        assert_eq!(related(&answer), json!({ "nodes": [node], "totalCount": 1 }));
        assert_eq!(answer["a"]["neighbors"], json!({ "nodes": [{ "key": "b" }], "totalCount": 1 }));
    }
    processes.all[1].upsert(&writer, json!([{ "key": "b", "type": "package", "name": "renamed" }])).await;
    processes.settle().await;
    for process in &processes.all {
        let answer = process.ask(&reader, EVERYTHING, Value::Null).await;
        assert_eq!(related(&answer)["nodes"][0]["target"]["name"], "renamed");
    }
}

#[tokio::test]
async fn an_answer_that_was_kept_says_what_it_is_made_of_as_one_that_was_read_does() {
    let processes = Processes::two(None).await;
    let (process, reader) = (&processes.all[0], processes.person(Role::Viewer));
    let asked = async || {
        let mut request = Request::new(EVERYTHING);
        let wanted = async_graphql::Value::from_json(json!({ "tags": true })).unwrap();
        request.extensions.insert("pulse".to_owned(), wanted);
        process.respond(&reader, request).await["extensions"]["tags"].take()
    };
    let read = asked().await;
    assert!(read.as_array().unwrap().len() >= 4, "{read}");
    let loads = process.cache.statistics().loads();
    assert_eq!(asked().await, read);
    assert_eq!(process.cache.statistics().loads(), loads);
}

/// Callers who write through any process and read through any other, while events move to the log at their own pace.
async fn nobody_reads_behind_their_own_writes(redis: Option<&RedisServer>) {
    const CALLERS: usize = 8;
    const ROUNDS: usize = 12;
    let processes = Processes::two(redis).await;
    let _sequencing = processes.sequence();
    let callers: Vec<_> = (0..CALLERS).map(|_| processes.person(Role::Admin)).collect();
    let processes = &processes;
    let work = callers.iter().enumerate().map(|(number, caller)| async move {
        // Each key is written by one caller and read by all.
        let key = |number: usize| format!("key {number}");
        for round in 1..=ROUNDS {
            let (here, there) =
                (&processes.all[(number + round) % 2], &processes.all[(number + round / 2) % 2]);
            let name = format!("{round:04}");
            here.upsert(caller, json!([{ "key": key(number), "type": "package", "name": name }])).await;
            for process in [there, here] {
                assert!(
                    process.name_of(caller, &key(number)).await >= name,
                    "older than the caller's own write"
                );
            }
            there.name_of(caller, &key((number + round) % CALLERS)).await;
            let list = there.ask(caller, LIST, json!({ "type": "package" })).await;
            let node = |node: &&Value| node["key"] == key(number).as_str();
            let found = list["entities"]["nodes"].as_array().unwrap().iter().find(node).unwrap();
            assert!(found["name"].as_str().unwrap() >= name.as_str(), "a list is no older either");
        }
    });
    futures::future::join_all(work).await;
    let hits: u64 = processes.all.iter().map(|process| process.cache.statistics().memory_hits()).sum();
    assert!(hits > 0, "something was kept");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_reads_behind_their_own_writes_whatever_process_they_come_to() {
    nobody_reads_behind_their_own_writes(None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_reads_behind_their_own_writes_with_redis_between() {
    let redis = RedisServer::start().await.unwrap();
    nobody_reads_behind_their_own_writes(Some(&redis)).await;
}
