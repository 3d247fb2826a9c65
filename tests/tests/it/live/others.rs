//! What was done, what concerns oneself, what a metric comes to.

use pulse_tests::{Said, Stream, Tenant, TestPlatform, Transport};
use serde_json::{Value, json};

use super::work::{FAILS_ONCE, Work, cursor, enqueue};

struct Stage {
    platform: TestPlatform,
    alpha: Tenant,
}

impl Stage {
    async fn new() -> Self {
        let platform = TestPlatform::start().await;
        let alpha = Tenant::found(&platform, "alpha").await;
        Self { platform, alpha }
    }

    async fn open(&self, token: &str, query: &str, variables: Value) -> Stream {
        Transport::Events.open(&self.platform, token, query, variables).await
    }

    async fn ask(&self, token: &str, query: &str) -> Value {
        self.platform.data(token, query, json!({})).await
    }
}

/// The code of the error with which a stream is refused.
async fn refusal(stream: &mut Stream) -> String {
    match stream.next().await {
        Said::Next(answer) => answer["errors"][0]["extensions"]["code"].as_str().unwrap().to_owned(),
        Said::End(reason) => panic!("{reason}"),
    }
}

const AUDIT: &str =
    "subscription ($filter: AuditEventFilter, $after: String) { auditEvent(filter: $filter, after: $after) {
    facts { action subject key version items } actorId cursor } }";

#[tokio::test]
async fn everything_that_is_audited_is_heard_of_once() {
    let stage = Stage::new().await;
    let (admin, owner) = (&stage.alpha.admin.token, &stage.alpha.owner);
    let start = cursor(&stage.platform, &stage.alpha).await;
    let mut stream = stage.open(admin, AUDIT, json!({ "filter": { "actions": ["entity-type:create", "entity:upsert", "event:record"] }, "after": start })).await;
    stage
        .ask(&owner.token, "mutation { createEntityType(input: { name: \"package\" }) { __typename } }")
        .await;
    // One fact of several events.
    let upsert = "mutation { upsertEntities(input: { items: [
        { key: \"a\", type: \"package\", name: \"a\" }, { key: \"b\", type: \"package\", name: \"b\" }] }) { created } }";
    stage.ask(&owner.token, upsert).await;
    stage
        .ask(&owner.token, "mutation { recordEvents(input: { events: [{ name: \"x\" }] }) { recorded } }")
        .await;
    let mut heard = Vec::new();
    for _ in 0..3 {
        heard.push(stream.data().await["auditEvent"].take());
    }
    let mut connection = stage.platform.database.connect().await.unwrap();
    let sql = "SELECT action || ' ' || subject || ' ' || items FROM platform.audit
                WHERE action IN ('entity-type:create', 'entity:upsert', 'event:record') ORDER BY id";
    let stored: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut connection).await.unwrap();
    let line = |fact: &Value| {
        format!(
            "{} {} {}",
            fact["action"].as_str().unwrap(),
            fact["subject"].as_str().unwrap(),
            fact["items"]
        )
    };
    let told: Vec<_> = heard.iter().flat_map(|event| event["facts"].as_array().unwrap()).map(line).collect();
    assert_eq!(told, stored);
    assert!(heard.iter().all(|event| event["actorId"] == owner.id.as_str()));
    // Who comes back hears the rest, also from the log, and nothing of the same writes again.
    let other = stage.platform.another().await;
    let filter = json!({ "actorIds": [owner.id] });
    let mut back = Transport::Events
        .open(&other, admin, AUDIT, json!({ "filter": filter, "after": heard[0]["cursor"] }))
        .await;
    assert_eq!(back.data().await["auditEvent"], heard[1]);
    assert_eq!(back.data().await["auditEvent"], heard[2]);
}

#[tokio::test]
async fn only_admins_of_the_organization_hear_what_is_done_in_it() {
    let stage = Stage::new().await;
    let start = cursor(&stage.platform, &stage.alpha).await;
    let mut refused = stage.open(&stage.alpha.member.token, AUDIT, json!({})).await;
    assert_eq!(refusal(&mut refused).await, "FORBIDDEN");
    let beta = Tenant::found(&stage.platform, "beta").await;
    let filter = json!({ "actions": ["organization:update"] });
    let mut theirs = stage.open(&beta.admin.token, AUDIT, json!({ "filter": filter, "after": start })).await;
    for tenant in [&stage.alpha, &beta] {
        let update = "mutation { updateOrganization(input: { name: \"Renamed\" }) { __typename } }";
        stage.ask(&tenant.owner.token, update).await;
    }
    assert_eq!(theirs.data().await["auditEvent"]["facts"][0]["key"], beta.id.as_str());
}

/// The next that is no news of how the organization came to its members, just before the test.
async fn beyond_joining(stream: &mut Stream) -> Value {
    loop {
        let heard = stream.data().await["notification"].take();
        if heard["kind"] != "MEMBERSHIP_CHANGED" {
            return heard;
        }
    }
}

#[tokio::test]
async fn people_hear_of_what_concerns_them_and_nobody_elses() {
    const MINE: &str =
        "subscription ($after: String) { notification(after: $after) { kind title subject { type id } } }";
    let stage = Stage::new().await;
    let _work = Work::begin(&stage.platform);
    let start = cursor(&stage.platform, &stage.alpha).await;
    let (admin, member) = (&stage.alpha.admin, &stage.alpha.member);
    let mut of_member = stage.open(&member.token, MINE, json!({ "after": start })).await;
    let mut of_admin = stage.open(&admin.token, MINE, json!({ "after": start })).await;
    let id = enqueue(&stage.platform, &stage.alpha, member, FAILS_ONCE).await;
    let heard = beyond_joining(&mut of_member).await;
    let subject = json!({ "type": "Job", "id": id });
    let title = "Your job test.fails_once has failed.";
    assert_eq!(heard, json!({ "kind": "JOB_ENDED", "title": title, "subject": subject }));
    let create = "mutation { createWebhook(input: { url: \"https://hooks.invalid/\", filter: { subjects: [\"no.such\"] } }) { webhook { id } } }";
    let made = stage.ask(&stage.alpha.owner.token, create).await;
    let webhook = made["createWebhook"]["webhook"]["id"].as_str().unwrap();
    let pause = format!("mutation {{ pauseWebhook(input: {{ id: \"{webhook}\" }}) {{ __typename }} }}");
    stage.ask(&stage.alpha.owner.token, &pause).await;
    for stream in [&mut of_member, &mut of_admin] {
        let heard = beyond_joining(stream).await;
        assert_eq!(heard["kind"], "WEBHOOK_PAUSED");
        assert_eq!(heard["subject"], json!({ "type": "Webhook", "id": webhook }));
    }
    let change = format!(
        "mutation {{ changeMemberRole(input: {{ userId: \"{}\", role: ADMIN }}) {{ __typename }} }}",
        member.id
    );
    stage.ask(&stage.alpha.owner.token, &change).await;
    let heard = of_member.data().await["notification"].take();
    let subject = json!({ "type": "User", "id": member.id });
    let title = "Your role in the organization is admin now.";
    assert_eq!(heard, json!({ "kind": "MEMBERSHIP_CHANGED", "title": title, "subject": subject }));
}

#[tokio::test]
async fn a_metric_is_told_as_it_is_after_the_events_that_changed_it() {
    const METRIC: &str = "subscription ($after: String) { metricChanged(metric: { name: \"sales\", interval: MONTH }, after: $after) {
        name count sum cursor } }";
    let stage = Stage::new().await;
    let start = cursor(&stage.platform, &stage.alpha).await;
    let mut stream = stage.open(&stage.alpha.viewer.token, METRIC, json!({ "after": start })).await;
    let record = |name: &str, value: f64| {
        format!(
            "mutation {{ recordEvents(input: {{ events: [{{ name: \"{name}\", value: {value:?} }}] }}) {{ recorded }} }}"
        )
    };
    let owner = &stage.alpha.owner.token;
    stage.ask(owner, &record("other", 5.0)).await;
    stage.ask(owner, &record("sales", 2.5)).await;
    let first = stream.data().await["metricChanged"].take();
    assert_eq!((&first["count"], &first["sum"]), (&json!(1), &json!(2.5)));
    for _ in 0..20 {
        stage.ask(owner, &record("sales", 1.0)).await;
    }
    // As many as it can keep up with; the last one says all.
    let mut told = 0;
    loop {
        let change = stream.data().await["metricChanged"].take();
        let count = change["count"].as_i64().unwrap();
        assert!(count > told, "{change}");
        told = count;
        if count == 21 {
            assert_eq!(change["sum"], json!(22.5));
            break;
        }
    }
    let theirs = Tenant::found(&stage.platform, "beta").await;
    let mut back = stage.open(&theirs.viewer.token, METRIC, json!({ "after": start })).await;
    stage.ask(&theirs.owner.token, &record("sales", 7.0)).await;
    let change = back.data().await["metricChanged"].take();
    assert_eq!((&change["count"], &change["sum"]), (&json!(1), &json!(7.0)));
}

#[tokio::test]
async fn what_is_read_with_a_cursor_and_what_is_heard_behind_it_leave_no_gap() {
    let stage = Stage::new().await;
    let owner = &stage.alpha.owner.token;
    stage.ask(owner, "mutation { createEntityType(input: { name: \"package\" }) { __typename } }").await;
    let writing = async {
        for n in 0..30 {
            let upsert = format!(
                "mutation {{ upsertEntities(input: {{ items: [{{ key: \"k{n}\", type: \"package\", name: \"n\" }}] }}) {{ created }} }}"
            );
            stage.ask(owner, &upsert).await;
        }
    };
    let reading = async {
        let mut seen = std::collections::BTreeSet::new();
        let read = "{ streamCursor entities(first: 100) { nodes { key } } }";
        let answer = stage.ask(&stage.alpha.viewer.token, read).await;
        for node in answer["entities"]["nodes"].as_array().unwrap() {
            seen.insert(node["key"].as_str().unwrap().to_owned());
        }
        let follow = "subscription ($after: String) { entityChanged(after: $after) { entity { key } } }";
        let mut stream =
            stage.open(&stage.alpha.viewer.token, follow, json!({ "after": answer["streamCursor"] })).await;
        while seen.len() < 30 {
            let change = stream.data().await;
            seen.insert(change["entityChanged"]["entity"]["key"].as_str().unwrap().to_owned());
        }
    };
    tokio::join!(writing, reading);
    let answer = stage.platform.graphql(None, "{ streamCursor }", json!({})).await;
    assert_eq!(answer.code(), Some("UNAUTHENTICATED"));
}
