//! What could not be done.

use pulse_types::Role;
use serde_json::json;

use crate::jobs::{enqueue, fail};
use crate::stage::{Stage, caller_of};

const LIST: &str = "query ($input: DeadLetterFilter) { deadLetters(filter: $input) { totalCount nodes {
    id source name attempts error isRetrying job { status } event { subject kind } } } }";
const RETRY: &str = "mutation ($input: RetryDeadLetterInput!) { retryDeadLetter(input: $input) {
    deadLetter { id isRetrying } job { id status attempts } } }";
const DISCARD: &str =
    "mutation ($input: DiscardDeadLetterInput!) { discardDeadLetter(input: $input) { id } }";

const EVENT: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

/// An event that its group gave up on, and a failed job of the first tenant; the job's id.
async fn buried(stage: &Stage) -> String {
    let org = stage.admin.org.unwrap();
    let event = json!({
        "position": 1, "tenant": org, "kind": "created", "subject": "entities.entity",
        "key": EVENT, "version": 1, "changed": [], "attributes": {}, "actor": null, "request": null,
        "at": "2026-03-15T12:00:00Z",
    });
    let sql = format!(
        "INSERT INTO platform.dead_letters (id, consumer, position, tenant, event, attempts, error, at)
         VALUES ('{EVENT}', 'test.group', 1, '{org}', '{event}', 5, 'no place', now())"
    );
    stage.sql(&sql).await;
    let job = enqueue(stage, &stage.admin, None).await;
    fail(stage, &job).await;
    job
}

#[tokio::test]
async fn events_and_jobs_that_could_not_be_done_are_in_one_list() {
    let stage = Stage::new().await;
    let job = buried(&stage).await;
    let of_event = json!({
        "id": EVENT, "source": "EVENT", "name": "test.group", "attempts": 5, "error": "no place", "isRetrying": false,
        "job": null, "event": { "subject": "entities.entity", "kind": "CREATED" },
    });
    let of_job = json!({
        "id": job, "source": "JOB", "name": "test.job", "attempts": 3, "error": "no such file", "isRetrying": false,
        "job": { "status": "FAILED" }, "event": null,
    });
    let all = stage.data(&stage.admin, LIST, json!({})).await;
    assert_eq!(all, json!({ "totalCount": 2, "nodes": [of_job, of_event] }));
    let events = stage.data(&stage.admin, LIST, json!({ "source": "EVENT", "name": "test.group" })).await;
    assert_eq!(events, json!({ "totalCount": 1, "nodes": [of_event] }));
    assert_eq!(stage.data(&stage.stranger, LIST, json!({})).await["totalCount"], 0);
}

#[tokio::test]
async fn a_dead_letter_is_tried_again() {
    let stage = Stage::new().await;
    let job = buried(&stage).await;
    let retried = stage.data(&stage.admin, RETRY, json!({ "id": EVENT })).await;
    assert_eq!(retried, json!({ "deadLetter": { "id": EVENT, "isRetrying": true }, "job": null }));
    let retried = stage.data(&stage.admin, RETRY, json!({ "id": job })).await;
    let waiting = json!({ "deadLetter": null, "job": { "id": job, "status": "PENDING", "attempts": 0 } });
    assert_eq!(retried, waiting);
    assert_eq!(stage.data(&stage.admin, RETRY, json!({ "id": job })).await, waiting);
    assert_eq!(stage.audited("dead_letter:retry").await, 2);
}

#[tokio::test]
async fn a_dead_letter_is_discarded() {
    let stage = Stage::new().await;
    let job = buried(&stage).await;
    for id in [EVENT, &job] {
        assert_eq!(stage.data(&stage.admin, DISCARD, json!({ "id": id })).await["id"], *id);
        for mutation in [DISCARD, RETRY] {
            let (code, field, _) = stage.refusal(&stage.admin, mutation, json!({ "id": id })).await;
            assert_eq!((code.as_str(), field.as_str()), ("NOT_FOUND", "input.id"));
        }
    }
    assert_eq!(stage.data(&stage.admin, LIST, json!({})).await["totalCount"], 0);
    assert_eq!(stage.audited("dead_letter:discard").await, 2);
}

#[tokio::test]
async fn only_admins_of_its_tenant_do_something_about_it() {
    let stage = Stage::new().await;
    let job = buried(&stage).await;
    let org = stage.admin.org.unwrap();
    let (member, viewer) = (caller_of(org, Role::Member), caller_of(org, Role::Viewer));
    assert_eq!(stage.refusal(&viewer, LIST, json!({})).await.0, "FORBIDDEN");
    for mutation in [RETRY, DISCARD] {
        for id in [EVENT, &job] {
            assert_eq!(stage.refusal(&stage.stranger, mutation, json!({ "id": id })).await.0, "NOT_FOUND");
            assert_eq!(stage.refusal(&member, mutation, json!({ "id": id })).await.0, "FORBIDDEN");
        }
    }
    assert_eq!(stage.data(&member, LIST, json!({})).await["totalCount"], 2);
}
