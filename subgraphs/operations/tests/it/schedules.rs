//! Schedules of a tenant.

use pulse_types::Role;
use serde_json::json;

use crate::stage::{Stage, caller_of};

const SCHEDULE: &str = "query ($input: ID!) { schedule(id: $input) {
    name jobKind cron timeZone missedRuns isPaused nextRunAt lastRunAt version } }";
const LIST: &str = "{ schedules { totalCount nodes { name } } }";
const PAUSE: &str = "mutation ($input: PauseScheduleInput!) { pauseSchedule(input: $input) { schedule { isPaused nextRunAt version } } }";
const RESUME: &str = "mutation ($input: ResumeScheduleInput!) { resumeSchedule(input: $input) { schedule { isPaused nextRunAt version } } }";
const RUN: &str = "mutation ($input: RunScheduleInput!) { runSchedule(input: $input) { schedule { name } job { id kind status scheduleId } } }";

const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

/// One of the first tenant, and one of Pulse itself.
async fn stage() -> Stage {
    let stage = Stage::new().await;
    let org = stage.admin.org.unwrap();
    for (id, tenant, name) in [
        (ID, format!("'{org}'"), "nightly"),
        ("01890a5d-ac96-774b-bcce-b302099a8058", "NULL".to_owned(), "upkeep"),
    ] {
        stage
            .sql(&format!(
                "INSERT INTO platform.schedules (id, tenant, name, kind, cron, zone, payload, priority, missed, enabled,
                     next_run, version, created_at, updated_at)
                 VALUES ('{id}', {tenant}, '{name}', 'test.job', '30 3 * * *', 'Europe/Berlin', '{{}}', 0, 'once', true,
                     '2026-03-16T02:30:00Z', 1, now(), now())"
            ))
            .await;
    }
    stage
}

#[tokio::test]
async fn a_schedule_says_when_it_fires_and_what_is_made_up_for() {
    let stage = stage().await;
    let seen = stage.data(&stage.admin, SCHEDULE, json!(ID)).await;
    let expected = json!({
        "name": "nightly", "jobKind": "test.job", "cron": "30 3 * * *", "timeZone": "Europe/Berlin",
        "missedRuns": "ONCE", "isPaused": false, "nextRunAt": "2026-03-16T02:30:00+00:00", "lastRunAt": null, "version": 1,
    });
    assert_eq!(seen, expected);
    let list = stage.data(&stage.admin, LIST, json!(null)).await;
    assert_eq!(list, json!({ "totalCount": 1, "nodes": [{ "name": "nightly" }] }));
}

#[tokio::test]
async fn a_paused_schedule_goes_on_from_its_next_time() {
    let stage = stage().await;
    let paused = stage.data(&stage.admin, PAUSE, json!({ "id": ID })).await;
    let expected = json!({ "isPaused": true, "nextRunAt": null, "version": 2 });
    assert_eq!(paused["schedule"], expected);
    assert_eq!(stage.data(&stage.admin, PAUSE, json!({ "id": ID })).await["schedule"], expected);
    stage.forward(std::time::Duration::from_hours(72));
    let resumed = stage.data(&stage.admin, RESUME, json!({ "id": ID })).await;
    let expected = json!({ "isPaused": false, "nextRunAt": "2026-03-19T02:30:00+00:00", "version": 3 });
    assert_eq!(resumed["schedule"], expected);
    assert_eq!(stage.audited("schedule:pause").await + stage.audited("schedule:resume").await, 2);
}

#[tokio::test]
async fn a_schedule_is_run_beside_its_times_once_at_a_time() {
    let stage = stage().await;
    let run = stage.data(&stage.admin, RUN, json!({ "id": ID })).await;
    assert_eq!(run["schedule"]["name"], "nightly");
    assert_eq!((&run["job"]["status"], &run["job"]["scheduleId"]), (&json!("PENDING"), &json!(ID)));
    assert_eq!(stage.data(&stage.admin, RUN, json!({ "id": ID })).await, run);
    assert_eq!(stage.audited("schedule:run").await, 1);
}

#[tokio::test]
async fn schedules_of_others_are_as_if_there_were_none() {
    let stage = stage().await;
    let member = caller_of(stage.admin.org.unwrap(), Role::Member);
    assert_eq!(stage.data(&stage.stranger, SCHEDULE, json!(ID)).await, json!(null));
    assert_eq!(stage.data(&stage.stranger, LIST, json!(null)).await["totalCount"], 0);
    for mutation in [PAUSE, RESUME, RUN] {
        for id in [ID, "01890a5d-ac96-774b-bcce-b302099a8058"] {
            assert_eq!(stage.refusal(&stage.stranger, mutation, json!({ "id": id })).await.0, "NOT_FOUND");
        }
        assert_eq!(stage.refusal(&member, mutation, json!({ "id": ID })).await.0, "FORBIDDEN");
    }
}
