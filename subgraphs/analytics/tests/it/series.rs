use pulse_types::{Caller, EntityId, RequestId};
use serde_json::{Value, json};

use crate::stage::{Stage, now};

const SERIES: &str = "query ($input: TimeSeriesInput!) { timeSeries(input: $input) {
    timeZone omittedGroups groups { key total entity { id } points { at value } } } }";

async fn groups(stage: &Stage, input: Value) -> Value {
    stage.data(&stage.admin, SERIES, json!({ "input": input })).await["timeSeries"]["groups"].take()
}

fn points(group: &Value) -> Vec<(&str, f64)> {
    let points = group["points"].as_array().expect("points");
    points
        .iter()
        .map(|point| (point["at"].as_str().expect("a time"), point["value"].as_f64().expect("a number")))
        .collect()
}

#[tokio::test]
async fn events_are_counted_and_summed_with_zeros_between() {
    let stage = Stage::new().await;
    stage
        .record(json!([
            { "name": "a", "at": "2026-03-01T00:30:00Z", "value": 1.5 },
            { "name": "a", "at": "2026-03-01T00:59:59Z", "value": 2 },
            { "name": "b", "at": "2026-03-01T02:00:00Z" },
            { "name": "b", "at": "2026-03-01T04:00:00Z", "value": 7 },
        ]))
        .await;
    let range = |aggregate: &str| json!({ "from": "2026-03-01T00:00:00Z", "to": "2026-03-01T04:00:00Z", "interval": "HOUR", "aggregate": aggregate });
    let counted = groups(&stage, range("COUNT")).await;
    let hours = ["00", "01", "02", "03"].map(|hour| format!("2026-03-01T{hour}:00:00Z"));
    let expected = json!([{ "key": null, "total": 3.0, "entity": null, "points": [
        { "at": hours[0], "value": 2.0 }, { "at": hours[1], "value": 0.0 },
        { "at": hours[2], "value": 1.0 }, { "at": hours[3], "value": 0.0 },
    ] }]);
    assert_eq!(counted, expected);
    let summed = groups(&stage, range("SUM")).await;
    assert_eq!(points(&summed[0]).iter().map(|(_, value)| *value).collect::<Vec<_>>(), [3.5, 0.0, 0.0, 0.0]);
    let mut one = range("COUNT");
    one["names"] = json!(["b"]);
    assert_eq!(groups(&stage, one).await[0]["total"], 1.0);
    let none = json!({ "input": range("COUNT") });
    let none = stage.data(&stage.stranger, SERIES, none).await;
    assert_eq!(none["timeSeries"]["groups"][0]["total"], 0.0);
    assert_eq!(none["timeSeries"]["groups"][0]["points"].as_array().map(Vec::len), Some(4));
}

#[tokio::test]
async fn days_are_those_of_the_time_zone_also_where_clocks_change() {
    let stage = Stage::new().await;
    // Berlin's clocks go forward on 2025-03-30 at 01:00 UTC and back on 2025-10-26 at 01:00 UTC.
    stage
        .record(json!([
            { "name": "a", "at": "2025-03-29T22:59:59Z" },
            { "name": "a", "at": "2025-03-29T23:00:00Z" },
            { "name": "a", "at": "2025-03-30T21:59:59Z" },
            { "name": "a", "at": "2025-03-30T22:00:00Z" },
            { "name": "b", "at": "2025-10-26T00:30:00Z" },
            { "name": "b", "at": "2025-10-26T01:30:00Z" },
            { "name": "b", "at": "2025-10-26T01:40:00Z" },
        ]))
        .await;
    let days = json!({ "from": "2025-03-28T23:00:00Z", "to": "2025-03-31T22:00:00Z", "interval": "DAY",
        "timeZone": "Europe/Berlin", "names": ["a"] });
    let days = groups(&stage, days).await;
    let expected =
        [("2025-03-28T23:00:00Z", 1.0), ("2025-03-29T23:00:00Z", 2.0), ("2025-03-30T22:00:00Z", 1.0)];
    assert_eq!(points(&days[0]), expected, "the 30th has 23 hours");
    let hours = json!({ "from": "2025-10-25T23:00:00Z", "to": "2025-10-26T03:00:00Z", "interval": "HOUR",
        "timeZone": "Europe/Berlin", "names": ["b"] });
    let hours = groups(&stage, hours).await;
    let counts: Vec<f64> = points(&hours[0]).into_iter().map(|(_, value)| value).collect();
    assert_eq!(counts, [0.0, 1.0, 2.0, 0.0], "02:30 happens twice");
    let day = json!({ "from": "2025-10-25T22:00:00Z", "to": "2025-10-26T23:00:00Z", "interval": "DAY",
        "timeZone": "Europe/Berlin", "names": ["b"] });
    assert_eq!(points(&groups(&stage, day).await[0]), [("2025-10-25T22:00:00Z", 3.0)], "25 hours, one day");
    let months = json!({ "from": "2025-02-28T23:00:00Z", "to": "2025-04-30T22:00:00Z", "interval": "MONTH",
        "timeZone": "Europe/Berlin", "names": ["a"] });
    let expected = [("2025-02-28T23:00:00Z", 4.0), ("2025-03-31T22:00:00Z", 0.0)];
    assert_eq!(points(&groups(&stage, months).await[0]), expected);
    // Midnight of 2018-11-04 does not exist in São Paulo; the days after it begin at midnight again.
    let sparse = json!({ "from": "2018-11-03T03:00:00Z", "to": "2018-11-06T02:00:00Z", "interval": "DAY",
        "timeZone": "America/Sao_Paulo" });
    let begins: Vec<String> =
        points(&groups(&stage, sparse).await[0]).into_iter().map(|(at, _)| at.to_owned()).collect();
    assert_eq!(begins, ["2018-11-03T03:00:00Z", "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"]);
}

#[tokio::test]
async fn groups_come_the_largest_first_and_no_more_than_fifty() {
    let stage = Stage::new().await;
    let entity = EntityId::new(now());
    let at = "2026-03-01T00:00:00Z";
    let mut events = vec![
        json!({ "name": "a", "at": at, "entityId": entity, "properties": { "color": "red" } }),
        json!({ "name": "a", "at": at, "properties": { "color": "red" } }),
        json!({ "name": "b", "at": at, "properties": { "color": 7 } }),
    ];
    let input = |group: Value| json!({ "from": at, "to": "2026-03-01T01:00:00Z", "interval": "HOUR", "groupBy": group });
    stage.record(json!(events)).await;
    let keys = |groups: &Value| -> Vec<(Value, f64)> {
        let groups = groups.as_array().expect("groups");
        groups
            .iter()
            .map(|group| (group["key"].clone(), group["total"].as_f64().expect("a number")))
            .collect()
    };
    let by_name = groups(&stage, input(json!({ "by": "NAME" }))).await;
    assert_eq!(keys(&by_name), [(json!("a"), 2.0), (json!("b"), 1.0)]);
    let by_entity = groups(&stage, input(json!({ "by": "ENTITY" }))).await;
    assert_eq!(keys(&by_entity), [(Value::Null, 2.0), (json!(entity), 1.0)]);
    assert_eq!((&by_entity[0]["entity"], &by_entity[1]["entity"]), (&Value::Null, &json!({ "id": entity })));
    let by_color = groups(&stage, input(json!({ "by": "PROPERTY", "property": "color" }))).await;
    assert_eq!(keys(&by_color), [(json!("red"), 2.0), (json!("7"), 1.0)]);
    events = (0..60).map(|n| json!({ "name": format!("n{n}"), "at": at })).collect();
    stage.record(json!(events)).await;
    let asked = json!({ "input": input(json!({ "by": "NAME" })) });
    let (statements, data) = stage.statements(stage.data(&stage.admin, SERIES, asked)).await;
    assert_eq!(data["timeSeries"]["groups"].as_array().map(Vec::len), Some(50));
    assert_eq!(data["timeSeries"]["omittedGroups"], 12);
    assert_eq!(statements, 1);
    let empty = json!({ "from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z", "interval": "DAY", "groupBy": { "by": "NAME" } });
    assert_eq!(groups(&stage, empty).await, json!([]));
}

#[tokio::test]
async fn what_makes_no_series_is_refused() {
    let stage = Stage::new().await;
    let (from, to) = ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z");
    for (input, field, text) in [
        (
            json!({ "from": from, "to": to, "interval": "DAY", "timeZone": "Mars/Olympus" }),
            "timeZone",
            "\"Mars/Olympus\" is not a time zone: give an IANA name such as Europe/Berlin or UTC",
        ),
        (json!({ "from": to, "to": from, "interval": "DAY" }), "to", "`to` must be later than `from`"),
        (
            json!({ "from": from, "to": to, "interval": "MINUTE" }),
            "interval",
            "about 44641 points: allowed are 1000; choose a longer interval or a shorter range",
        ),
        (
            json!({ "from": from, "to": to, "interval": "DAY", "groupBy": { "by": "PROPERTY" } }),
            "groupBy.property",
            "`property` belongs to grouping by PROPERTY, and has 1 to 200 characters",
        ),
        (
            json!({ "from": from, "to": to, "interval": "DAY", "names": [] }),
            "names",
            "0 names: allowed is 1 to 50",
        ),
    ] {
        let refusal = stage.refusal(&stage.admin, SERIES, json!({ "input": input })).await;
        assert_eq!(refusal, ("BAD_USER_INPUT".to_owned(), field.to_owned(), text.to_owned()));
    }
    let anonymous = Caller::anonymous(RequestId::new(now()));
    let valid = json!({ "input": { "from": from, "to": to, "interval": "DAY" } });
    assert_eq!(stage.refusal(&anonymous, SERIES, valid).await.0, "UNAUTHENTICATED");
}
