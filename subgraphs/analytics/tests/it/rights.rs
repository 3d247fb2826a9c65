//! What happened to entities that a caller does not see.

use pulse_types::{Caller, Effect, EntityId, Permission, Resource, ResourceKind};
use serde_json::{Value, json};

use crate::stage::{RECORD, Stage, now};

const SEEN: &str = "query ($input: TimeSeriesInput!) {
    events(first: 10) { totalCount nodes { name entity { id } } }
    timeSeries(input: $input) { groups { total entity { id } } } }";

/// The admin, of whom this is said.
fn with(stage: &Stage, effect: Effect, entity: EntityId) -> Caller {
    let thing = Resource::new(ResourceKind::ENTITY, entity.uuid());
    let rights = [(effect, Permission::ENTITY_READ, thing)].into_iter().collect();
    Caller { rights, ..stage.admin.clone() }
}

#[tokio::test]
async fn events_of_an_entity_out_of_sight_are_neither_seen_nor_counted() {
    let stage = Stage::new().await;
    let [open, withheld] = [EntityId::new(now()), EntityId::new(now())];
    let event = |name: &str, entity: Option<EntityId>| json!({ "name": name, "entityId": entity });
    stage
        .record(json!([event("none", None), event("open", Some(open)), event("withheld", Some(withheld))]))
        .await;
    let input = json!({ "input": {
        "from": "2026-03-15T00:00:00Z", "to": "2026-03-16T00:00:00Z", "interval": "DAY", "groupBy": { "by": "ENTITY" } } });
    let seen = async |caller: &Caller| {
        let data = stage.data(caller, SEEN, input.clone()).await;
        let nodes = data["events"]["nodes"].as_array().cloned().unwrap_or_default();
        let mut names: Vec<_> =
            nodes.iter().filter_map(|node| node["name"].as_str()).map(str::to_owned).collect();
        names.sort();
        let groups = data["timeSeries"]["groups"].as_array().cloned().unwrap_or_default();
        let groups: Vec<_> =
            groups.iter().filter_map(|group| group["entity"]["id"].as_str().map(str::to_owned)).collect();
        (names.join(" "), data["events"]["totalCount"].as_i64(), groups)
    };
    let (names, count, groups) = seen(&stage.admin).await;
    assert_eq!((names.as_str(), count, groups.len()), ("none open withheld", Some(3), 2));
    let narrowed = with(&stage, Effect::Deny, withheld);
    let (names, count, groups) = seen(&narrowed).await;
    assert_eq!((names.as_str(), count), ("none open", Some(2)));
    assert_eq!(groups, [open.to_string()]);
    // Whoever records needs not see.
    let events = json!({ "input": { "events": [event("again", Some(withheld))] } });
    let recorded = stage.data(&narrowed, RECORD, events).await;
    assert_eq!(recorded["recordEvents"]["recorded"], 1);
    assert_eq!(seen(&narrowed).await.1, Some(2));
    // Of somebody who sees one entity alone.
    let permissions = [Permission::ANALYTICS_READ].into_iter().collect();
    let one = Caller { permissions, ..with(&stage, Effect::Allow, open) };
    let (names, _, groups) = seen(&one).await;
    assert_eq!((names.as_str(), groups), ("none open", vec![open.to_string()]));
    assert_eq!(
        stage.data(&stage.admin, "{ events { totalCount } }", Value::Null).await["events"]["totalCount"],
        4
    );
}
