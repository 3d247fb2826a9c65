//! Jobs through the API: how they go, cancelling and retrying them.

use pulse_tests::{Said, Stream, Tenant, TestPlatform, Transport};
use serde_json::{Value, json};

use super::work::{FAILS_ONCE, STEPS, WAITS, Work, cursor, enqueue};

const PROGRESS: &str = "subscription ($filter: JobProgressFilter, $after: String) {
    jobProgress(filter: $filter, after: $after) { id jobKind status progress version hasResult cursor } }";

struct Stage {
    platform: TestPlatform,
    alpha: Tenant,
    work: Work,
}

impl Stage {
    async fn new() -> Self {
        let platform = TestPlatform::start().await;
        let alpha = Tenant::found(&platform, "alpha").await;
        let work = Work::begin(&platform);
        Self { platform, alpha, work }
    }

    async fn follow(&self, filter: Value, after: &Value) -> Stream {
        let token = &self.alpha.member.token;
        let variables = json!({ "filter": filter, "after": after });
        Transport::Events.open(&self.platform, token, PROGRESS, variables).await
    }
}

/// What is heard until a job has this status.
async fn heard_until(stream: &mut Stream, status: &str) -> Vec<Value> {
    let mut heard = Vec::new();
    loop {
        let change = stream.data().await["jobProgress"].take();
        let is_last = change["status"] == status;
        heard.push(change);
        if is_last {
            return heard;
        }
    }
}

fn steps(heard: &[Value]) -> Vec<String> {
    heard
        .iter()
        .map(|change| format!("{} {}", change["status"].as_str().unwrap(), change["progress"]))
        .collect()
}

#[tokio::test]
async fn each_step_of_a_job_is_heard_once_also_by_who_comes_back() {
    let stage = Stage::new().await;
    let start = cursor(&stage.platform, &stage.alpha).await;
    let id = enqueue(&stage.platform, &stage.alpha, &stage.alpha.member, STEPS).await;
    let mut stream = stage.follow(json!({ "ids": [id] }), &start).await;
    stage.work.steps.add_permits(9);
    let heard = heard_until(&mut stream, "COMPLETED").await;
    let tens = (1..=9).map(|step| format!("PROCESSING {}", step * 10));
    let expected: Vec<_> = ["PENDING 0".to_owned(), "PROCESSING 0".to_owned()]
        .into_iter()
        .chain(tens)
        .chain(["COMPLETED 100".to_owned()])
        .collect();
    assert_eq!(steps(&heard), expected);
    let mut back = stage.follow(json!({ "kinds": [STEPS], "mine": true }), &heard[4]["cursor"]).await;
    assert_eq!(heard_until(&mut back, "COMPLETED").await, heard[5..]);
    let mut ends = stage.follow(json!({ "statuses": ["COMPLETED"] }), &start).await;
    assert_eq!(ends.data().await["jobProgress"], heard[11]);
    // That it has brought something is told with its end, and what it is can be asked for.
    let told: Vec<_> = heard.iter().map(|change| change["hasResult"] == true).collect();
    assert_eq!(told, [[false; 11].as_slice(), &[true]].concat());
    let query = "query ($id: ID!) { job(id: $id) { result } }";
    let job = stage.platform.data(&stage.alpha.member.token, query, json!({ "id": id })).await;
    assert_eq!(job["job"]["result"], json!({ "steps": 9 }));
}

#[tokio::test]
async fn a_job_that_runs_in_another_process_is_cancelled_at_once() {
    let stage = Stage::new().await;
    let start = cursor(&stage.platform, &stage.alpha).await;
    let id = enqueue(&stage.platform, &stage.alpha, &stage.alpha.member, WAITS).await;
    let mut stream = stage.follow(json!({ "ids": [id] }), &start).await;
    heard_until(&mut stream, "PROCESSING").await;
    let cancel = "mutation ($id: ID!) { cancelJob(input: { id: $id }) { job { status cancelRequested } } }";
    let asked = stage.platform.data(&stage.alpha.admin.token, cancel, json!({ "id": id })).await;
    assert_eq!(asked["cancelJob"]["job"], json!({ "status": "PROCESSING", "cancelRequested": true }));
    let heard = heard_until(&mut stream, "CANCELLED").await;
    assert_eq!(steps(&heard), ["PROCESSING 0", "CANCELLED 0"]);
    let read = "query ($id: ID!) { job(id: $id) { status endedAt } }";
    let job = stage.platform.data(&stage.alpha.member.token, read, json!({ "id": id })).await;
    assert_eq!(job["job"]["status"], "CANCELLED");
    assert!(job["job"]["endedAt"].is_string());
}

#[tokio::test]
async fn a_failed_job_is_among_the_dead_letters_until_it_is_retried() {
    let stage = Stage::new().await;
    let start = cursor(&stage.platform, &stage.alpha).await;
    let id = enqueue(&stage.platform, &stage.alpha, &stage.alpha.member, FAILS_ONCE).await;
    let mut stream = stage.follow(json!({ "ids": [id] }), &start).await;
    heard_until(&mut stream, "FAILED").await;
    let admin = &stage.alpha.admin.token;
    let letters = "{ deadLetters { nodes { id source error } } }";
    let dead = stage.platform.data(admin, letters, json!({})).await;
    let letter = json!({ "id": id, "source": "JOB", "error": "there is no such file" });
    assert_eq!(dead["deadLetters"]["nodes"], json!([letter]));
    let retry = "mutation ($id: ID!) { retryJob(input: { id: $id }) { job { attempts } } }";
    stage.platform.data(admin, retry, json!({ "id": id })).await;
    let heard = heard_until(&mut stream, "COMPLETED").await;
    assert_eq!(steps(&heard), ["PENDING 0", "PROCESSING 0", "COMPLETED 100"]);
    let dead = stage.platform.data(admin, letters, json!({})).await;
    assert_eq!(dead["deadLetters"]["nodes"], json!([]));
}

#[tokio::test]
async fn nobody_hears_of_jobs_without_the_right_or_of_others() {
    let stage = Stage::new().await;
    let start = cursor(&stage.platform, &stage.alpha).await;
    let viewer = &stage.alpha.viewer.token;
    let mut refused = Transport::Events.open(&stage.platform, viewer, PROGRESS, json!({})).await;
    match refused.next().await {
        Said::Next(answer) => assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN"),
        Said::End(reason) => panic!("{reason}"),
    }
    let beta = Tenant::found(&stage.platform, "beta").await;
    let mut theirs =
        Transport::Events.open(&stage.platform, &beta.owner.token, PROGRESS, json!({ "after": start })).await;
    enqueue(&stage.platform, &stage.alpha, &stage.alpha.member, WAITS).await;
    let own = enqueue(&stage.platform, &beta, &beta.owner, WAITS).await;
    assert_eq!(theirs.data().await["jobProgress"]["id"], own.as_str());
}
