//! Several requests in one.

use serde_json::{Value, json};

use super::Rest;

#[tokio::test]
async fn each_request_of_a_batch_is_answered_as_if_it_had_come_alone() {
    let rest = Rest::new().await;
    let place = format!("/entities/{}", rest.graph.entities[0]);
    let (read, list) = (rest.get(&place).await, rest.get("/entities?first=2").await);
    let tag = super::header(&read, "etag");
    let requests = json!({ "requests": [
        { "method": "GET", "path": place },
        { "method": "GET", "path": place, "headers": { "If-None-Match": tag } },
        { "method": "GET", "path": "/entities?first=2" },
        { "method": "GET", "path": "/nothing" },
    ] });
    let batch = rest.call("POST", "/batch", &[], &requests).await;
    let responses = batch.json["responses"].as_array().unwrap_or_else(|| panic!("{batch:?}"));
    let statuses: Vec<&Value> = responses.iter().map(|response| &response["status"]).collect();
    assert_eq!(statuses, [200, 304, 200, 404]);
    assert_eq!((&responses[0]["body"], &responses[0]["headers"]["etag"]), (&read.json, &json!(tag)));
    assert_eq!(responses[2]["body"], list.json);
    assert_eq!(responses[3]["body"]["code"], "NOT_FOUND");
}

#[tokio::test]
async fn what_a_batch_changes_is_seen_by_what_comes_after_it() {
    let rest = Rest::new().await;
    let place = format!("/entities/{}", rest.graph.entities[0]);
    let requests = json!({ "requests": [
        { "method": "PATCH", "path": place, "headers": { "If-Match": "\"1\"" }, "body": { "name": "first" } },
        { "method": "PATCH", "path": place, "headers": { "If-Match": "\"1\"" }, "body": { "name": "second" } },
        { "method": "GET", "path": place },
    ] });
    let batch = rest.call("POST", "/batch", &[], &requests).await;
    let responses = batch.json["responses"].as_array().unwrap_or_else(|| panic!("{batch:?}"));
    let statuses: Vec<&Value> = responses.iter().map(|response| &response["status"]).collect();
    assert_eq!(statuses, [200, 412, 200]);
    assert_eq!(responses[2]["body"]["name"], "first");
}

#[tokio::test]
async fn a_batch_has_limits() {
    let rest = Rest::new().await;
    let one = json!({ "method": "GET", "path": "/me" });
    for (requests, detail) in [
        (json!(vec![one.clone(); 11]), "the batch has 11 requests, the limit is 10"),
        (json!([{ "method": "POST", "path": "/batch" }]), "/batch cannot be part of a batch"),
        (
            json!([{ "method": "GET", "path": "/streams/entity-changed" }]),
            "/streams/entity-changed cannot be part of a batch",
        ),
        (
            json!([{ "method": "TRACE", "path": "/me" }]),
            "the method is one of GET, POST, PUT, PATCH, DELETE, not \"TRACE\"",
        ),
        (json!([{ "method": "GET", "path": "me" }]), "\"me\" is no path; write it like /entities?first=5"),
        (
            json!([{ "method": "GET", "path": "/me", "headers": { "authorization": "Bearer x" } }]),
            "a request of a batch has the headers if-match, if-none-match, idempotency-key, prefer alone, not \"authorization\"",
        ),
    ] {
        let refused = rest.call("POST", "/batch", &[], &json!({ "requests": requests })).await;
        assert_eq!((refused.status.as_u16(), &refused.json["detail"]), (400, &json!(detail)));
    }
    let nobody = rest
        .call_as(
            None,
            ("POST", "/batch"),
            &[],
            &json!({ "requests": [{ "method": "GET", "path": "/entities" }] }),
        )
        .await;
    assert_eq!(nobody.json["responses"][0]["status"], 401, "{nobody:?}");
}
