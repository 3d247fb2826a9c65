//! What a request's head says: validators, versions, keys against repetition, preferences.

use serde_json::{Value, json};

use super::{Rest, header};

#[tokio::test]
async fn what_a_client_has_is_not_sent_again() {
    let rest = Rest::new().await;
    let place = format!("/entities/{}", rest.graph.entities[0]);
    let first = rest.get(&place).await;
    let tag = header(&first, "etag").to_owned();
    assert!(tag.starts_with("\"1."), "{tag}");
    assert_eq!(header(&first, "cache-control"), "private, no-cache");
    let again = rest.call("GET", &place, &[("if-none-match", &tag)], &Value::Null).await;
    assert_eq!((again.status.as_u16(), &again.json), (304, &json!("")));
    assert_eq!(header(&again, "etag"), tag);
    // Another selection is another answer.
    let other =
        rest.call("GET", &format!("{place}?fields=name"), &[("if-none-match", &tag)], &Value::Null).await;
    assert_eq!(other.status, 200);

    let changed = rest.call("PATCH", &place, &[("if-match", &tag)], &json!({ "name": "other" })).await;
    assert_eq!((changed.status.as_u16(), &changed.json["version"]), (200, &json!(2)), "{changed:?}");
    let newer = rest.call("GET", &place, &[("if-none-match", &tag)], &Value::Null).await;
    assert_eq!((newer.status.as_u16(), &newer.json["name"]), (200, &json!("other")));

    let list = rest.get("/entities?first=3").await;
    let again = rest
        .call("GET", "/entities?first=3", &[("if-none-match", header(&list, "etag"))], &Value::Null)
        .await;
    assert_eq!(again.status, 304);
    assert_eq!(header(&again, "link"), header(&list, "link"));
}

#[tokio::test]
async fn what_has_changed_meanwhile_is_not_changed() {
    let rest = Rest::new().await;
    let place = format!("/entities/{}", rest.graph.entities[0]);
    let read = rest.get(&place).await;
    let tag = header(&read, "etag").to_owned();
    let changed = rest.call("PATCH", &place, &[], &json!({ "name": "first" })).await;
    assert_eq!(header(&changed, "etag"), "\"2\"");
    for (method, body) in [("PATCH", json!({ "name": "second" })), ("DELETE", Value::Null)] {
        let refused = rest.call(method, &place, &[("if-match", &tag)], &body).await;
        assert_eq!(
            (refused.status.as_u16(), &refused.json["code"]),
            (412, &json!("CONFLICT")),
            "{refused:?}"
        );
    }
    let deleted = rest.call("DELETE", &place, &[("if-match", "\"2\"")], &Value::Null).await;
    assert_eq!(deleted.status, 200, "{deleted:?}");
    assert_eq!(rest.get(&place).await.status, 404);
    let missing = rest.call("DELETE", &place, &[("if-match", "*")], &Value::Null).await;
    assert_eq!(missing.status, 404, "{missing:?}");
}

#[tokio::test]
async fn a_repeated_creation_is_made_once() {
    let rest = Rest::new().await;
    let key = [("idempotency-key", "\"once\"")];
    let new = json!({ "key": "new", "name": "New", "type": "package" });
    let made = rest.call("POST", "/entities", &key, &new).await;
    assert_eq!(made.status, 201, "{made:?}");
    let again = rest.call("POST", "/entities", &key, &new).await;
    assert_eq!((again.status.as_u16(), &again.json), (201, &made.json));
    assert_eq!(header(&again, "location"), header(&made, "location"));
    let other =
        rest.call("POST", "/entities", &key, &json!({ "key": "x", "name": "X", "type": "package" })).await;
    assert_eq!((other.status.as_u16(), &other.json["code"]), (409, &json!("CONFLICT")), "{other:?}");
}

#[tokio::test]
async fn who_wants_no_answer_gets_none() {
    let rest = Rest::new().await;
    let prefer = [("prefer", "return=minimal")];
    let made = rest
        .call("POST", "/entities", &prefer, &json!({ "key": "new", "name": "New", "type": "package" }))
        .await;
    assert_eq!((made.status.as_u16(), &made.json), (201, &json!("")), "{made:?}");
    assert_eq!((header(&made, "preference-applied"), header(&made, "etag")), ("return=minimal", "\"1\""));
    let place = header(&made, "location").strip_prefix(super::ROOT).unwrap().to_owned();
    assert_eq!(rest.get(&place).await.json["name"], "New");
    let changed = rest.call("PATCH", &place, &prefer, &json!({ "name": "Newer" })).await;
    assert_eq!((changed.status.as_u16(), &changed.json), (204, &json!("")));
    assert_eq!(rest.get(&place).await.json["name"], "Newer");
}
