//! What is heard of changes, and by whom.

use pulse_tests::Transport;
use serde_json::{Value, json};

use super::{Stage, text};

/// What a stream says of some changes in a row.
async fn heard(stream: &mut pulse_tests::Stream, count: usize) -> Vec<(String, String, i64)> {
    let mut heard = Vec::with_capacity(count);
    for _ in 0..count {
        let change = stream.data().await["entityChanged"].take();
        heard.push((text(&change["kind"]), text(&change["id"]), change["version"].as_i64().unwrap()));
    }
    heard
}

#[tokio::test]
async fn each_change_is_heard_once_and_in_order_over_each_transport() {
    let stage = Stage::new().await;
    let cursor = stage.cursor().await;
    let mut streams = Vec::new();
    for transport in Transport::ALL {
        let viewer = &stage.alpha.viewer.token;
        streams.push(stage.follow(transport, viewer, json!({ "after": cursor })).await);
        // The second client shares the stream of the first.
        streams.push(stage.follow(transport, viewer, json!({ "after": cursor })).await);
    }
    let mut expected = Vec::new();
    for n in 0..5 {
        let one = json!({ "key": "one", "type": "package", "name": format!("name {n}") });
        let other = json!({ "key": format!("other {n}"), "type": "person", "name": "somebody" });
        let ids = stage.upsert(&stage.alpha, json!([one, other])).await;
        let kind = if n == 0 { "CREATED" } else { "UPDATED" };
        expected.push((kind.to_owned(), ids[0].clone(), n + 1));
        expected.push(("CREATED".to_owned(), ids[1].clone(), 1));
    }
    for stream in &mut streams {
        let mut heard = heard(stream, expected.len()).await;
        // Those of one commit are in no order among each other.
        for (pair, expected) in heard.chunks_mut(2).zip(expected.chunks(2)) {
            pair.sort_by_key(|change| change.1 != expected[0].1);
        }
        assert_eq!(heard, expected);
    }
}

#[tokio::test]
async fn another_tenant_hears_of_its_own_alone() {
    let stage = Stage::new().await;
    let theirs = &stage.beta.owner.token;
    let mut stream = stage.follow(Transport::Events, theirs, json!({})).await;
    let cursor = stage.cursor().await;
    let mut behind = stage.follow(Transport::WebSocket, theirs, json!({ "after": cursor })).await;
    stage.package("a", "of alpha").await;
    let item = json!({ "key": "b", "type": "package", "name": "of beta" });
    let id = stage.upsert(&stage.beta, json!([item])).await.remove(0);
    for stream in [&mut stream, &mut behind] {
        assert_eq!(heard(stream, 1).await, [("CREATED".to_owned(), id.clone(), 1)]);
    }
}

#[tokio::test]
async fn a_filter_lets_through_what_is_or_was_meant() {
    let stage = Stage::new().await;
    let filters = [
        json!({ "types": ["person"] }),
        json!({ "kinds": ["DELETED"] }),
        json!({ "kinds": ["UPDATED"], "changedFields": ["name"] }),
    ];
    let mut streams = Vec::new();
    for filter in filters {
        let variables = json!({ "filter": filter });
        streams.push(stage.follow(Transport::Events, &stage.alpha.viewer.token, variables).await);
    }
    let item = |kind: &str, name: &str| json!([{ "key": "x", "type": kind, "name": name }]);
    let id = stage.upsert(&stage.alpha, item("package", "a")).await.remove(0);
    stage.upsert(&stage.alpha, item("person", "a")).await;
    stage.upsert(&stage.alpha, item("person", "b")).await;
    stage.upsert(&stage.alpha, item("package", "b")).await;
    stage.upsert(&stage.alpha, item("package", "c")).await;
    let delete = "mutation ($id: ID!) { deleteEntity(input: { id: $id }) { __typename } }";
    stage.platform.data(&stage.alpha.owner.token, delete, json!({ "id": id })).await;
    // One more that all of them hear.
    let last =
        stage.upsert(&stage.alpha, json!([{ "key": "y", "type": "person", "name": "a" }])).await.remove(0);
    stage.upsert(&stage.alpha, json!([{ "key": "y", "type": "person", "name": "b" }])).await;
    stage.platform.data(&stage.alpha.owner.token, delete, json!({ "id": last })).await;

    let of = |kind: &str, id: &str, version: i64| (kind.to_owned(), id.to_owned(), version);
    let types = [
        of("UPDATED", &id, 2),
        of("UPDATED", &id, 3),
        of("UPDATED", &id, 4),
        of("CREATED", &last, 1),
        of("UPDATED", &last, 2),
        of("DELETED", &last, 3),
    ];
    assert_eq!(heard(&mut streams[0], types.len()).await, types);
    assert_eq!(heard(&mut streams[1], 2).await, [of("DELETED", &id, 6), of("DELETED", &last, 3)]);
    let names = [of("UPDATED", &id, 3), of("UPDATED", &id, 5), of("UPDATED", &last, 2)];
    assert_eq!(heard(&mut streams[2], names.len()).await, names);
}

#[tokio::test]
async fn what_is_read_with_a_change_is_as_it_is_after_it() {
    let stage = Stage::new().await;
    let query = "subscription { entityChanged(filter: { types: [\"package\"] }) {
        kind type previousType actorId changedFields
        entity { name type similar(first: 1) { score } } previous { version type name } } }";
    let mut stream =
        Transport::Events.open(&stage.platform, &stage.alpha.viewer.token, query, json!({})).await;
    stage.package("a", "old").await;
    let mut seen = vec![stream.data().await["entityChanged"].take()];
    let id = stage.package("a", "new").await;
    seen.push(stream.data().await["entityChanged"].take());
    stage.upsert(&stage.alpha, json!([{ "key": "a", "type": "person", "name": "new" }])).await;
    seen.push(stream.data().await["entityChanged"].take());
    stage.upsert(&stage.alpha, json!([{ "key": "a", "type": "package", "name": "new" }])).await;
    seen.push(stream.data().await["entityChanged"].take());
    let delete = "mutation ($id: ID!) { deleteEntity(input: { id: $id }) { __typename } }";
    stage.platform.data(&stage.alpha.owner.token, delete, json!({ "id": id })).await;
    seen.push(stream.data().await["entityChanged"].take());
    let owner = &stage.alpha.owner.id;
    for change in &mut seen {
        assert_eq!(change.as_object_mut().unwrap().remove("actorId"), Some(Value::from(owner.as_str())));
    }
    let lines: Vec<_> = seen.iter().map(Value::to_string).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    {"kind":"CREATED","type":"package","previousType":null,"previous":null,"changedFields":["key","type","name","description","confidence","properties"],"entity":{"name":"old","type":"package","similar":[]}}
    {"kind":"UPDATED","type":"package","previousType":null,"previous":{"version":1,"type":"package","name":"old"},"changedFields":["name"],"entity":{"name":"new","type":"package","similar":[]}}
    {"kind":"UPDATED","type":"person","previousType":"package","previous":{"version":2,"type":"package","name":"new"},"changedFields":["type"],"entity":{"name":"new","type":"person","similar":[]}}
    {"kind":"UPDATED","type":"package","previousType":"person","previous":{"version":3,"type":"person","name":"new"},"changedFields":["type"],"entity":{"name":"new","type":"package","similar":[]}}
    {"kind":"DELETED","type":"package","previousType":null,"previous":{"version":4,"type":"package","name":"new"},"changedFields":[],"entity":null}
    "#);
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "each of them")]
async fn each_subgraph_tells_of_its_changes() {
    let stage = Stage::new().await;
    let (platform, token) = (&stage.platform, &stage.alpha.owner.token);
    let documents = [
        "subscription { relationshipChanged { kind type sourceId relationship { target { key } } } }",
        "subscription { entityTypeChanged(filter: { kinds: [CREATED] }) { kind entityType { name } } }",
        "subscription { organizationChanged { kind changedFields organization { name } } }",
        "subscription { memberChanged { kind role previousRole user { name } } }",
        "subscription { unitChanged(filter: { unitKinds: [TEAM] }) { kind changedFields parentId unit { name } } }",
        "subscription { unitMemberChanged { kind unit { name memberCount } user { name } } }",
        "subscription { settingsChanged { kind changedFields unitId } }",
        "subscription { preferencesChanged { kind changedFields namespace } }",
        "subscription { collectionChanged { kind collection { name } } }",
        "subscription { itemsChanged { revision collection { name itemCount } } }",
        "subscription { eventsRecorded(filter: { names: [\"alpha.viewed\"] }) { names } }",
    ];
    let mut streams = Vec::new();
    for document in documents {
        streams.push(Transport::Events.open(platform, token, document, json!({})).await);
    }
    let update = "mutation { updateOrganization(input: { name: \"Alpha!\" }) { __typename } }";
    platform.data(token, update, json!({})).await;
    let change =
        "mutation ($id: ID!) { changeMemberRole(input: { userId: $id, role: MEMBER }) { __typename } }";
    platform.data(token, change, json!({ "id": stage.alpha.admin.id })).await;
    let create =
        "mutation ($kind: UnitKind!) { createUnit(input: { kind: $kind, name: \"blue\" }) { unit { id } } }";
    platform.data(token, &create.replace("blue", "north"), json!({ "kind": "ORGANIZATION" })).await;
    let made = platform.data(token, create, json!({ "kind": "TEAM" })).await;
    let belong = "mutation ($input: AddUnitMembersInput!) { addUnitMembers(input: $input) { addedIds } }";
    let input = json!({ "id": made["createUnit"]["unit"]["id"], "userIds": [stage.alpha.viewer.id] });
    platform.data(token, belong, json!({ "input": input })).await;
    let settings = "mutation { updateSettings(input: { timeZone: \"Europe/Vienna\" }) { __typename } }";
    platform.data(token, settings, json!({})).await;
    // Nobody hears of what others prefer.
    for (person, zone) in [(&stage.alpha.member.token, "UTC"), (token, "Europe/Vienna")] {
        let prefer =
            "mutation ($zone: String!) { updatePreferences(input: { timeZone: $zone }) { __typename } }";
        platform.data(person, prefer, json!({ "zone": zone })).await;
    }
    let client = "mutation { patchClientPreferences(input: { namespace: \"web\", patch: { wide: true } }) { __typename } }";
    platform.data(token, client, json!({})).await;
    let create_type = "mutation { createEntityType(input: { name: \"thing\" }) { __typename } }";
    platform.data(token, create_type, json!({})).await;
    let ids = stage
        .upsert(
            &stage.alpha,
            json!([
        { "key": "a", "type": "package", "name": "a" }, { "key": "b", "type": "package", "name": "b" }]),
        )
        .await;
    let relate = "mutation { upsertRelationships(input: { items: [
        { sourceKey: \"a\", type: \"needs\", targetKey: \"b\" }] }) { created } }";
    platform.data(token, relate, json!({})).await;
    let create = "mutation { createCollection(input: { name: \"names\", dimension: 2, metric: EUCLIDEAN }) { collection { id } } }";
    let made = platform.data(token, create, json!({})).await;
    let put = "mutation ($input: UpsertItemsInput!) { upsertItems(input: $input) { created } }";
    let collection = &made["createCollection"]["collection"]["id"];
    let items = json!({ "collectionId": collection, "items": [{ "key": "a", "vector": [1, 2] }] });
    platform.data(token, put, json!({ "input": items })).await;
    for name in ["other", "alpha.viewed"] {
        let record =
            "mutation ($name: String!) { recordEvents(input: { events: [{ name: $name }] }) { recorded } }";
        platform.data(token, record, json!({ "name": name })).await;
    }
    let mut lines = Vec::new();
    for stream in &mut streams {
        lines.push(stream.data().await.to_string().replace(&ids[0], "[a]"));
    }
    insta::assert_snapshot!(lines.join("\n"), @r#"
    {"relationshipChanged":{"kind":"CREATED","type":"needs","sourceId":"[a]","relationship":{"target":{"key":"b"}}}}
    {"entityTypeChanged":{"kind":"CREATED","entityType":{"name":"thing"}}}
    {"organizationChanged":{"kind":"UPDATED","changedFields":["name"],"organization":{"name":"Alpha!"}}}
    {"memberChanged":{"kind":"UPDATED","role":"MEMBER","previousRole":"ADMIN","user":{"name":"admin@alpha.example"}}}
    {"unitChanged":{"kind":"CREATED","changedFields":["kind","name","parent"],"parentId":null,"unit":{"name":"blue"}}}
    {"unitMemberChanged":{"kind":"CREATED","unit":{"name":"blue","memberCount":1},"user":{"name":"viewer@alpha.example"}}}
    {"settingsChanged":{"kind":"CREATED","changedFields":["timeZone"],"unitId":null}}
    {"preferencesChanged":{"kind":"CREATED","changedFields":[],"namespace":null}}
    {"collectionChanged":{"kind":"CREATED","collection":{"name":"names"}}}
    {"itemsChanged":{"revision":1,"collection":{"name":"names","itemCount":1}}}
    {"eventsRecorded":{"names":["alpha.viewed"]}}
    "#);
}
