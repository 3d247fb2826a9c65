//! Jobs: reading, cancelling and retrying them.

use std::sync::Arc;
use std::time::Duration;

use pulse_store::{AuditFact, NewJob};
use pulse_types::{Caller, Role};
use serde_json::{Value, json};

use crate::stage::{Stage, caller_of};

const JOB: &str = "query ($input: ID!) { job(id: $input) {
    id kind status progress attempts maxAttempts error uniqueKey cancelRequested actorId version endedAt } }";
const JOBS: &str = "query ($input: JobFilter) { jobs(filter: $input) { totalCount nodes { id status } } }";
const CANCEL: &str = "mutation ($input: CancelJobInput!) { cancelJob(input: $input) {
    job { id status cancelRequested version } } }";
const RETRY: &str = "mutation ($input: RetryJobInput!) { retryJob(input: $input) {
    job { id status attempts progress error version } } }";

/// Enqueues a job as `caller`; its id.
pub(crate) async fn enqueue(stage: &Stage, caller: &Caller, unique_key: Option<&str>) -> String {
    let mut write = stage.store().session(Arc::new(caller.clone())).write().await.unwrap();
    write.enqueue(NewJob {
        kind: "test.job",
        payload: json!({}),
        priority: 0,
        max_attempts: 3,
        delay: Duration::ZERO,
        unique_key: unique_key.map(str::to_owned),
    });
    let fact = AuditFact { action: "test:run", subject: "test.thing", key: None, version: None, items: 1 };
    write.commit(fact).await.unwrap();
    let found = stage.data(caller, JOBS, json!({ "statuses": ["PENDING"] })).await;
    found["nodes"][0]["id"].as_str().unwrap().to_owned()
}

/// Has a job that waits fail for good, or run.
pub(crate) async fn fail(stage: &Stage, id: &str) {
    stage
        .sql(&format!(
            "WITH gone AS (DELETE FROM platform.jobs WHERE id = '{id}' RETURNING *)
             INSERT INTO platform.jobs_ended (id, tenant, kind, payload, status, priority, attempts, max_attempts, run_at,
                 progress, unique_key, error, actor, claims, version, schedule, created_at, started_at, finished_at)
             SELECT id, tenant, kind, payload, 'failed', priority, 3, 3, run_at, 40, unique_key, 'no such file', actor, 3, 7,
                    schedule, created_at, created_at, created_at FROM gone"
        ))
        .await;
}

async fn run(stage: &Stage, id: &str) {
    stage.sql(&format!("UPDATE platform.jobs SET status = 'processing', claims = 1, version = 2, attempts = 1 WHERE id = '{id}'")).await;
}

#[tokio::test]
async fn a_job_is_seen_by_its_tenant_alone() {
    let stage = Stage::new().await;
    let id = enqueue(&stage, &stage.admin, Some("key")).await;
    let seen = stage.data(&stage.admin, JOB, json!(id)).await;
    let expected = json!({
        "id": id, "kind": "test.job", "status": "PENDING", "progress": 0, "attempts": 0, "maxAttempts": 3,
        "error": null, "uniqueKey": "key", "cancelRequested": false,
        "actorId": stage.admin.user().unwrap().to_string(), "version": 1, "endedAt": null,
    });
    assert_eq!(seen, expected);
    assert_eq!(stage.data(&stage.stranger, JOB, json!(id)).await, json!(null));
    let theirs = stage.data(&stage.stranger, JOBS, json!(null)).await;
    assert_eq!(theirs, json!({ "totalCount": 0, "nodes": [] }));
    for query in [CANCEL, RETRY] {
        let (code, field, _) = stage.refusal(&stage.stranger, query, json!({ "id": id })).await;
        assert_eq!((code.as_str(), field.as_str()), ("NOT_FOUND", "input.id"));
    }
    assert_eq!(stage.data(&stage.admin, JOB, json!(id)).await, expected);
}

#[tokio::test]
async fn a_job_that_waits_is_cancelled_once() {
    let stage = Stage::new().await;
    let id = enqueue(&stage, &stage.admin, None).await;
    let cancelled = stage.data(&stage.admin, CANCEL, json!({ "id": id })).await;
    let job = json!({ "id": id, "status": "CANCELLED", "cancelRequested": true, "version": 2 });
    assert_eq!(cancelled["job"], job);
    assert_eq!(stage.data(&stage.admin, CANCEL, json!({ "id": id })).await["job"], job);
    assert_eq!(stage.audited("job:cancel").await, 1);
    assert_eq!(stage.told("platform.job").await.last().unwrap()["status"], "cancelled");
}

#[tokio::test]
async fn a_job_that_runs_is_asked_to_end() {
    let stage = Stage::new().await;
    let id = enqueue(&stage, &stage.admin, None).await;
    run(&stage, &id).await;
    let asked = stage.data(&stage.admin, CANCEL, json!({ "id": id })).await;
    let job = json!({ "id": id, "status": "PROCESSING", "cancelRequested": true, "version": 3 });
    assert_eq!(asked["job"], job);
    assert_eq!(stage.data(&stage.admin, CANCEL, json!({ "id": id })).await["job"], job);
    assert_eq!(stage.audited("job:cancel").await, 1);
}

#[tokio::test]
async fn a_failed_job_is_retried_with_fresh_attempts() {
    let stage = Stage::new().await;
    let id = enqueue(&stage, &stage.admin, None).await;
    fail(&stage, &id).await;
    let (code, _, message) = stage.refusal(&stage.admin, CANCEL, json!({ "id": id })).await;
    assert_eq!(code, "CONFLICT");
    assert_eq!(message, format!("the job {id} has failed already: there is nothing to cancel"));
    let input = json!({ "id": id, "idempotencyKey": "once" });
    let retried = stage.data(&stage.admin, RETRY, input.clone()).await;
    let job =
        json!({ "id": id, "status": "PENDING", "attempts": 0, "progress": 0, "error": null, "version": 8 });
    assert_eq!(retried["job"], job);
    // It waits already.
    assert_eq!(stage.data(&stage.admin, RETRY, json!({ "id": id })).await["job"], job);
    fail(&stage, &id).await;
    // The first request, sent again, has been done.
    assert_eq!(stage.data(&stage.admin, RETRY, input).await["job"]["status"], "FAILED");
    assert_eq!(stage.audited("job:retry").await, 1);
}

#[tokio::test]
async fn a_job_whose_work_another_one_does_is_not_retried() {
    let stage = Stage::new().await;
    let id = enqueue(&stage, &stage.admin, Some("same")).await;
    fail(&stage, &id).await;
    enqueue(&stage, &stage.admin, Some("same")).await;
    let (code, _, message) = stage.refusal(&stage.admin, RETRY, json!({ "id": id })).await;
    assert_eq!(code, "CONFLICT");
    assert_eq!(message, format!("another job does the same as {id} already: wait for it"));
    assert_eq!(stage.data(&stage.admin, JOB, json!(id)).await["status"], "FAILED");
}

/// Has a job that waits be done, with this to say.
async fn complete(stage: &Stage, id: &str, result: &Value) {
    stage
        .sql(&format!(
            "WITH gone AS (DELETE FROM platform.jobs WHERE id = '{id}' RETURNING *)
             INSERT INTO platform.jobs_ended (id, tenant, kind, payload, status, priority, attempts, max_attempts, run_at,
                 progress, claims, version, created_at, finished_at, result)
             SELECT id, tenant, kind, payload, 'completed', priority, 1, 3, run_at, 100, 1, 3, created_at, created_at,
                    nullif('{result}'::jsonb, 'null')
               FROM gone"
        ))
        .await;
}

#[tokio::test]
async fn what_jobs_brought_is_seen_with_them_and_read_together() {
    let stage = Stage::new().await;
    let results = [json!({ "items": 12, "of": ["a", "b"] }), json!(null)];
    for result in &results {
        stage.forward(Duration::from_secs(1));
        let id = enqueue(&stage, &stage.admin, None).await;
        complete(&stage, &id, result).await;
    }
    stage.forward(Duration::from_secs(1));
    let failed = enqueue(&stage, &stage.admin, None).await;
    fail(&stage, &failed).await;
    let list = "{ jobs(orderBy: { field: CREATED_AT, direction: ASC }) { nodes { id result } } }";
    let before = stage.store().statistics().statements();
    let found = stage.data(&stage.admin, list, json!(null)).await;
    // The page and the results, and the transaction around them.
    assert!(stage.store().statistics().statements() - before <= 3);
    let nodes = found["nodes"].as_array().unwrap();
    let brought: Vec<_> = nodes.iter().map(|job| job["result"].clone()).collect();
    assert_eq!(brought, [results[0].clone(), Value::Null, Value::Null]);
    let one = "query ($input: ID!) { job(id: $input) { result } }";
    let viewer = caller_of(stage.admin.org.unwrap(), Role::Viewer);
    assert_eq!(stage.refusal(&viewer, one, nodes[0]["id"].clone()).await.0, "FORBIDDEN");
    assert_eq!(stage.data(&stage.stranger, one, nodes[0]["id"].clone()).await, json!(null));
}

#[tokio::test]
async fn jobs_are_listed_by_status_and_kind_page_by_page() {
    let stage = Stage::new().await;
    let mut ids = Vec::new();
    for n in 0..5 {
        stage.forward(Duration::from_secs(1));
        ids.push(enqueue(&stage, &stage.admin, None).await);
        if n % 2 == 0 {
            fail(&stage, &ids[n]).await;
        }
    }
    let page = "query ($input: String) { jobs(first: 2, after: $input, orderBy: { field: CREATED_AT, direction: ASC }) {
        nodes { id } pageInfo { hasNextPage endCursor } } }";
    let (mut seen, mut after) = (Vec::new(), Value::Null);
    loop {
        let found = stage.data(&stage.admin, page, after).await;
        seen.extend(
            found["nodes"].as_array().unwrap().iter().map(|job| job["id"].as_str().unwrap().to_owned()),
        );
        after = found["pageInfo"]["endCursor"].clone();
        if found["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(seen, ids);
    let failed = stage.data(&stage.admin, JOBS, json!({ "statuses": ["FAILED"], "kind": "test.job" })).await;
    assert_eq!(failed["totalCount"], 3);
    assert_eq!(failed["nodes"][0]["id"], ids[4].as_str());
    assert_eq!(stage.data(&stage.admin, JOBS, json!({ "kind": "test.other" })).await["totalCount"], 0);
    let (code, field, _) = stage.refusal(&stage.admin, JOBS, json!({ "kind": "" })).await;
    assert_eq!((code.as_str(), field.as_str()), ("BAD_USER_INPUT", "filter.kind"));
    let wrong = "query ($input: String) { jobs(after: $input) { nodes { id } } }";
    let (code, ..) = stage.refusal(&stage.admin, wrong, after).await;
    assert_eq!(code, "BAD_USER_INPUT");
}

#[tokio::test]
async fn members_look_and_admins_manage() {
    let stage = Stage::new().await;
    let id = enqueue(&stage, &stage.admin, None).await;
    let org = stage.admin.org.unwrap();
    let (member, viewer) = (caller_of(org, Role::Member), caller_of(org, Role::Viewer));
    assert_eq!(stage.data(&member, JOB, json!(id)).await["status"], "PENDING");
    let input = json!({ "id": id });
    for (caller, query, input) in [
        (&viewer, JOB, json!(id)),
        (&viewer, JOBS, json!(null)),
        (&member, CANCEL, input.clone()),
        (&member, RETRY, input.clone()),
    ] {
        assert_eq!(stage.refusal(caller, query, input).await.0, "FORBIDDEN", "{query}");
    }
}

#[tokio::test]
async fn many_jobs_are_looked_up_by_one_statement() {
    let stage = Stage::new().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        stage.forward(Duration::from_secs(1));
        ids.push(enqueue(&stage, &stage.admin, None).await);
    }
    fail(&stage, &ids[0]).await;
    let representations: Vec<_> = ids.iter().map(|id| json!({ "__typename": "Job", "id": id })).collect();
    let query =
        "query ($input: [_Any!]!) { _entities(representations: $input) { ... on Job { id status } } }";
    let before = stage.store().statistics().statements();
    let found = stage.data(&stage.admin, query, json!(representations)).await;
    // The statement and the transaction around it.
    assert!(stage.store().statistics().statements() - before <= 2);
    assert_eq!(found[0], json!({ "id": ids[0], "status": "FAILED" }));
    assert_eq!(found.as_array().unwrap().len(), 3);
}
