use pulse_types::{Caller, RequestId};
use serde_json::{Value, json};

use crate::stage::{Stage, now};

const ACTIVITY: &str = "query ($representations: [_Any!]!, $days: Int, $zone: String! = \"UTC\") {
    _entities(representations: $representations) { ... on Organization { id
        activity(days: $days, timeZone: $zone) { from to total points { at value } } } } }";

fn organization(caller: &Caller) -> Value {
    json!([{ "__typename": "Organization", "id": caller.org }])
}

#[tokio::test]
async fn an_organization_has_the_activity_of_its_last_days() {
    let stage = Stage::new().await;
    stage
        .record(json!([
            { "name": "a" }, { "name": "b", "at": "2026-03-13T23:30:00Z" }, { "name": "c", "at": "2026-03-01T00:00:00Z" },
        ]))
        .await;
    let own = organization(&stage.admin);
    let data = stage.data(&stage.admin, ACTIVITY, json!({ "representations": own, "days": 3 })).await;
    let activity = json!({ "from": "2026-03-13T00:00:00Z", "to": "2026-03-15T12:00:00.001Z", "total": 2.0, "points": [
        { "at": "2026-03-13T00:00:00Z", "value": 1.0 },
        { "at": "2026-03-14T00:00:00Z", "value": 0.0 },
        { "at": "2026-03-15T00:00:00Z", "value": 1.0 },
    ] });
    assert_eq!(data, json!({ "_entities": [{ "id": stage.admin.org, "activity": activity }] }));
    let berlin = json!({ "representations": own, "days": 2, "zone": "Europe/Berlin" });
    let data = stage.data(&stage.admin, ACTIVITY, berlin).await;
    let points = json!([{ "at": "2026-03-13T23:00:00Z", "value": 1.0 }, { "at": "2026-03-14T23:00:00Z", "value": 1.0 }]);
    assert_eq!(data["_entities"][0]["activity"]["points"], points);
}

#[tokio::test]
async fn another_organization_is_not_there() {
    let stage = Stage::new().await;
    stage.record(json!([{ "name": "a" }])).await;
    let mut both = organization(&stage.admin);
    both.as_array_mut()
        .expect("a list")
        .extend(organization(&stage.stranger).as_array().cloned().unwrap_or_default());
    let data = stage.data(&stage.stranger, ACTIVITY, json!({ "representations": both, "days": 1 })).await;
    assert_eq!(data["_entities"][0], Value::Null);
    assert_eq!(data["_entities"][1]["activity"]["total"], 0.0);
    let anonymous = Caller::anonymous(RequestId::new(now()));
    let data = stage.data(&anonymous, ACTIVITY, json!({ "representations": both })).await;
    assert_eq!(data, json!({ "_entities": [null, null] }));
}

#[tokio::test]
async fn several_ranges_are_read_by_one_statement() {
    let stage = Stage::new().await;
    let query = "query ($representations: [_Any!]!) { _entities(representations: $representations) {
        ... on Organization { week: activity(days: 7) { total } month: activity { total }
            hours: activity(from: \"2026-03-15T00:00:00Z\", to: \"2026-03-16T00:00:00Z\", interval: HOUR) { total } } } }";
    let ask = stage.data(&stage.admin, query, json!({ "representations": organization(&stage.admin) }));
    let (statements, data) = stage.statements(ask).await;
    assert_eq!(statements, 1);
    assert_eq!(
        data["_entities"][0],
        json!({ "week": { "total": 0.0 }, "month": { "total": 0.0 }, "hours": { "total": 0.0 } })
    );
    let bad = "query ($representations: [_Any!]!) { _entities(representations: $representations) {
        ... on Organization { id activity(days: 3, to: \"2026-03-16T00:00:00Z\") { total } } } }";
    let response =
        stage.ask(&stage.admin, bad, json!({ "representations": organization(&stage.admin) })).await;
    assert_eq!(response["data"]["_entities"][0], json!({ "id": stage.admin.org, "activity": null }));
    assert_eq!(response["errors"][0]["message"], "give either `days`, or `from` and `to`");
    assert_eq!(response["errors"][0]["extensions"], json!({ "code": "BAD_USER_INPUT", "field": "days" }));
}
