use pulse_types::{Caller, EntityId, RequestId, Role, UserId};
use serde_json::{Value, json};
use sqlx::Executor;

use crate::stage::{RECORD, Stage, caller_of, now};

const EVENTS: &str = "query ($first: Int, $after: String, $filter: AnalyticsEventFilter) {
    events(first: $first, after: $after, filter: $filter) {
        totalCount nodes { name at value entity { id } actorId properties } pageInfo { hasNextPage endCursor } } }";

#[tokio::test]
async fn events_are_recorded_and_read_the_latest_first() {
    let stage = Stage::new().await;
    let (entity, actor) = (EntityId::new(now()), UserId::new(now()));
    let done = stage
        .record(json!([
            { "name": "page.viewed", "at": "2026-03-14T10:00:00+01:00", "value": 2.5, "entityId": entity,
              "actorId": actor, "properties": { "path": "/" } },
            { "name": "signed.in" },
        ]))
        .await;
    assert_eq!(done, json!({ "recorded": 2, "duplicates": 0 }));
    let viewed = json!({ "name": "page.viewed", "at": "2026-03-14T09:00:00Z", "value": 2.5, "entity": { "id": entity },
        "actorId": actor, "properties": { "path": "/" } });
    let signed_in = json!({ "name": "signed.in", "at": "2026-03-15T12:00:00Z", "value": null, "entity": null,
        "actorId": null, "properties": {} });
    let first = stage.data(&stage.admin, EVENTS, json!({ "first": 1 })).await;
    assert_eq!((&first["events"]["totalCount"], &first["events"]["nodes"]), (&json!(2), &json!([signed_in])));
    let after = first["events"]["pageInfo"]["endCursor"].clone();
    let next = stage.data(&stage.admin, EVENTS, json!({ "first": 1, "after": after })).await;
    assert_eq!(next["events"]["nodes"], json!([viewed]));
    assert_eq!(next["events"]["pageInfo"]["hasNextPage"], false);
    for filter in [
        json!({ "name": "page.viewed" }),
        json!({ "entityId": entity }),
        json!({ "to": "2026-03-15T00:00:00Z" }),
        json!({ "from": "2026-03-14T09:00:00Z", "to": "2026-03-14T09:00:01Z" }),
    ] {
        let found = stage.data(&stage.admin, EVENTS, json!({ "filter": filter })).await;
        assert_eq!(
            (&found["events"]["totalCount"], &found["events"]["nodes"]),
            (&json!(1), &json!([viewed])),
            "{filter}"
        );
    }
    let told = "SELECT count(*) FROM platform.outbox WHERE subject = 'analytics.events'";
    assert_eq!(stage.count(told).await, 1, "one platform event for the batch");
}

#[tokio::test]
async fn an_event_sent_again_counts_once() {
    let stage = Stage::new().await;
    let event = json!({ "name": "a", "at": "2026-03-15T00:00:00Z", "dedupeKey": "1" });
    let other = json!({ "name": "a", "at": "2026-03-15T00:00:00Z", "dedupeKey": "2" });
    assert_eq!(stage.record(json!([event, event])).await, json!({ "recorded": 1, "duplicates": 1 }));
    assert_eq!(stage.record(json!([event, other])).await, json!({ "recorded": 1, "duplicates": 1 }));
    let batch = |name: &str| json!({ "input": { "idempotencyKey": "k", "events": [{ "name": name }] } });
    let first = stage.data(&stage.admin, RECORD, batch("b")).await;
    assert_eq!(stage.data(&stage.admin, RECORD, batch("b")).await, first);
    assert_eq!(stage.refusal(&stage.admin, RECORD, batch("c")).await.0, "CONFLICT");
    assert_eq!(stage.count("SELECT count(*) FROM analytics.events").await, 3);
}

#[tokio::test]
async fn bad_events_are_named_and_nothing_is_recorded() {
    let stage = Stage::new().await;
    let good = json!({ "name": "a" });
    let many: Vec<Value> = (0..1001).map(|_| good.clone()).collect();
    for (events, field, text) in [
        (
            json!([good, { "name": "" }]),
            "input.events[1].name",
            "a name has 1 to 200 characters, this one has 0",
        ),
        (
            json!([good, { "name": "a", "at": "2026-03-16T12:00:01Z" }]),
            "input.events[1].at",
            "2026-03-16 12:00:01 UTC is more than a day ahead: check the clock and the time zone of the sender",
        ),
        (
            json!([{ "name": "a", "at": "1970-01-01T00:00:00Z" }]),
            "input.events[0].at",
            "1970-01-01 00:00:00 UTC is more than 3653 days ago: events are kept for ten years",
        ),
        (
            json!([{ "name": "a", "dedupeKey": "" }]),
            "input.events[0].dedupeKey",
            "a dedupe key has 1 to 255 characters, this one has 0",
        ),
        (
            json!([{ "name": "a", "properties": { "x": "y".repeat(20_000) } }]),
            "input.events[0].properties",
            "the properties have 20008 bytes as JSON, allowed are 16384",
        ),
        (json!([]), "input.events", "0 events at once: allowed is 1 to 1000"),
        (json!(many), "input.events", "1001 events at once: allowed is 1 to 1000"),
    ] {
        let refusal = stage.refusal(&stage.admin, RECORD, json!({ "input": { "events": events } })).await;
        assert_eq!(refusal, ("BAD_USER_INPUT".to_owned(), field.to_owned(), text.to_owned()));
    }
    assert_eq!(stage.count("SELECT count(*) FROM analytics.events").await, 0);
    assert_eq!(stage.count("SELECT count(*) FROM platform.audit").await, 0);
}

#[tokio::test]
async fn strangers_see_nothing_and_who_lacks_the_permission_is_refused() {
    let stage = Stage::new().await;
    stage.record(json!([{ "name": "a", "dedupeKey": "1", "at": "2026-03-15T00:00:00Z" }])).await;
    let none = stage.data(&stage.stranger, EVENTS, json!({})).await;
    assert_eq!((&none["events"]["totalCount"], &none["events"]["nodes"]), (&json!(0), &json!([])));
    // Another tenant's dedupe keys are its own.
    let same =
        json!({ "input": { "events": [{ "name": "a", "dedupeKey": "1", "at": "2026-03-15T00:00:00Z" }] } });
    let done = stage.data(&stage.stranger, RECORD, same.clone()).await;
    assert_eq!(done["recordEvents"]["recorded"], 1);
    let viewer = caller_of(stage.admin.org.expect("an organization"), Role::Viewer);
    let anonymous = Caller::anonymous(RequestId::new(now()));
    assert_eq!(stage.refusal(&viewer, RECORD, same.clone()).await.0, "FORBIDDEN");
    assert_eq!(stage.refusal(&anonymous, RECORD, same).await.0, "UNAUTHENTICATED");
    assert_eq!(stage.refusal(&anonymous, EVENTS, json!({})).await.0, "UNAUTHENTICATED");
    assert_eq!(stage.count("SELECT count(*) FROM analytics.events").await, 2);
}

#[tokio::test]
async fn old_events_get_the_partition_of_their_month() {
    let stage = Stage::new().await;
    let events = json!([
        { "name": "a", "at": "2020-02-29T23:59:59Z" },
        { "name": "a", "at": "2020-02-01T00:00:00Z" },
        { "name": "a", "at": "2021-07-04T00:00:00Z" },
    ]);
    // Both find no partition, make it, and record.
    tokio::join!(stage.record(events.clone()), stage.record(events));
    assert_eq!(stage.count("SELECT count(*) FROM analytics.events_2020_02").await, 4);
    assert_eq!(stage.count("SELECT count(*) FROM analytics.events_2021_07").await, 2);
    let all = stage.data(&stage.admin, EVENTS, json!({})).await;
    assert_eq!(all["events"]["totalCount"], 6);
    assert_eq!(stage.count("SELECT count(*) FROM platform.audit").await, 2);
}

#[tokio::test]
async fn a_partition_cannot_be_read_past_the_wall() {
    let stage = Stage::new().await;
    stage.record(json!([{ "name": "a" }])).await;
    let mut connection = stage.database.connect().await.expect("a connection");
    connection.execute("SET ROLE pulse_app").await.expect("a role");
    let count = sqlx::query_scalar("SELECT count(*) FROM analytics.events");
    let seen: i64 = count.fetch_one(&mut connection).await.expect("no error");
    assert_eq!(seen, 0, "the app without a tenant sees no row");
    for sql in ["SELECT * FROM analytics.events_2026_03", "SELECT analytics.make_month('2020-01-01')"] {
        assert!(connection.execute(sql).await.is_err(), "{sql}");
    }
}
