//! What is wrong, and how it is said.

use serde_json::{Value, json};

use super::{Rest, header};
use crate::redact;

#[tokio::test]
async fn what_is_wrong_is_named_with_what_would_be_right() {
    let rest = Rest::new().await;
    let _redacted = redact();
    let place = format!("/entities/{}", rest.graph.entities[0]);
    let said = async |method: &str, path: &str, headers: &[(&str, &str)], body: Value| {
        let answer = rest.call(method, path, headers, &body).await;
        assert_eq!(header(&answer, "content-type"), "application/problem+json", "{answer:?}");
        assert_eq!(answer.json["status"], answer.status.as_u16());
        assert_eq!(answer.json["requestId"], header(&answer, "x-request-id"));
        format!("{} {}: {}", answer.status, answer.json["code"], answer.json["detail"].as_str().unwrap())
    };
    let mut lines = Vec::new();
    for path in [
        "/nothing",
        "/entities?type=a&colour=red",
        "/entities?first=many",
        "/entities?first=1&first=2",
        "/entities?first=1000",
        "/entities?orderBy=colour",
        "/jobs?statuses=DONE",
        "/entities?fields=colour",
        "/relationships?fields=source.colour",
        "/entities?fields=name,",
        "/entities?include=entityType.name.first",
        "/stream-cursor?fields=a",
        "/paths?from=x",
        "/entities/none",
        "/explain",
        // A filter of which nothing is given is one all the same.
        "/entity-facets?properties=%5B%7B%22name%22%3A%22a%22%7D%5D",
        "/entities/upsert",
        "/batch",
    ] {
        lines.push(format!("{path} {}", said("GET", path, &[], Value::Null).await));
    }
    for (method, path, body) in [
        ("POST", "/entities", json!({ "key": "a" })),
        ("POST", "/entities", json!({ "key": "a", "name": "a", "type": "package", "colour": "red" })),
        ("POST", "/entities", json!({ "key": "p0", "name": "a", "type": "package" })),
        ("POST", "/entities", json!([1])),
        ("POST", "/entities", json!({ "key": 1.5, "name": "a", "type": "package" })),
        ("PUT", "/entities", json!({})),
    ] {
        lines.push(format!("{method} {path} {}", said(method, path, &[], body).await));
    }
    for header in [("if-match", "7"), ("if-match", "\"x\"")] {
        lines.push(format!("{header:?} {}", said("PATCH", &place, &[header], json!({ "name": "a" })).await));
    }
    for header in [("if-match", "\"1\""), ("idempotency-key", "a")] {
        let pause = format!("/webhooks/{}/pause", rest.graph.webhook);
        lines.push(format!("{header:?} {}", said("POST", &pause, &[header], Value::Null).await));
    }
    let least = [("prefer", "return=minimal")];
    let changed = json!({ "name": "a" });
    let place = format!("{place}?include=colour");
    lines.push(format!("{least:?} {}", said("PATCH", &place, &least, changed).await));
    insta::assert_snapshot!(lines.join("\n"));
}

#[tokio::test]
async fn who_may_not_is_told_so_by_the_status() {
    let rest = Rest::new().await;
    let new = json!({ "key": "a", "name": "a", "type": "package" });
    let nobody = rest.call_as(None, ("GET", "/entities"), &[], &Value::Null).await;
    assert_eq!((nobody.status.as_u16(), header(&nobody, "www-authenticate")), (401, "Bearer"), "{nobody:?}");
    for place in ["/me", "/me/sessions"] {
        let nobody = rest.call_as(None, ("GET", place), &[], &Value::Null).await;
        assert_eq!(
            (nobody.status.as_u16(), header(&nobody, "www-authenticate")),
            (401, "Bearer"),
            "{nobody:?}"
        );
    }
    let forged = rest.call_as(Some("forged"), ("GET", "/entities"), &[], &Value::Null).await;
    assert_eq!(
        (forged.status.as_u16(), &forged.json["code"]),
        (401, &json!("UNAUTHENTICATED")),
        "{forged:?}"
    );
    let viewer = rest.call_as(Some(&rest.tenant.viewer.token), ("POST", "/entities"), &[], &new).await;
    assert_eq!((viewer.status.as_u16(), &viewer.json["code"]), (403, &json!("FORBIDDEN")), "{viewer:?}");
    let elsewhere = pulse_tests::Tenant::found(&rest.platform, "beta").await;
    let place = format!("/entities/{}", rest.graph.entities[0]);
    let hidden = rest.call_as(Some(&elsewhere.owner.token), ("GET", &place), &[], &Value::Null).await;
    assert_eq!(hidden.status, 404, "{hidden:?}");
}

#[tokio::test]
async fn requests_are_bounded() {
    let rest = Rest::new().await;
    let token = Some(rest.tenant.owner.token.as_str());
    let send = async |body: &str, kind: &str| {
        let headers = [("content-type", kind)];
        rest.platform.call(("POST", "/api/v1/entities"), token, &headers, body.to_owned()).await
    };
    let plain = send("{}", "text/plain").await;
    assert_eq!(plain.status, 415, "{plain:?}");
    let broken = send("{", "application/json").await;
    assert_eq!((broken.status.as_u16(), &broken.json["code"]), (400, &json!("BAD_USER_INPUT")), "{broken:?}");
    let large = send(&format!("{{\"key\":\"{}\"}}", "x".repeat(20_000_000)), "application/json").await;
    assert_eq!(large.status, 413, "{large:?}");
    let long = rest.get(&format!("/entities?namePrefix={}", "x".repeat(9_000))).await;
    assert_eq!(long.status, 414, "{long:?}");
    let many = (0..101).map(|number| format!("f{number}")).collect::<Vec<_>>().join(",");
    let many = rest.get(&format!("/entities?fields={many}")).await;
    assert_eq!(many.json["detail"], "101 fields are asked for, the limit is 100");
    let options = rest.call("OPTIONS", "/entities", &[], &Value::Null).await;
    assert_eq!(
        (options.status.as_u16(), header(&options, "allow")),
        (204, "GET, POST, HEAD, OPTIONS"),
        "{options:?}"
    );
}
