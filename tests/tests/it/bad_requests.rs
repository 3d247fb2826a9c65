//! Requests that are wrong whatever the schema holds, and credentials that are no good.

use chrono::TimeDelta;
use insta::assert_snapshot;
use pulse_tokens::{AccessClaims, AccessTokens, SigningKey};
use pulse_types::{OrgId, Role, SessionId};
use serde_json::json;

use crate::Refusals;

#[tokio::test]
async fn documents_that_do_not_fit_the_schema_are_refused_with_the_place() {
    let refusals = Refusals::new().await;
    let none = || json!({});
    assert_snapshot!(refusals.of("{ me { nmae } }", none()).await, @r#"
    400 Bad Request
    {"message":"Cannot query field \"nmae\" on type \"User\".","locations":[{"line":1,"column":8}],"extensions":{"code":"BAD_USER_INPUT","reason":"GRAPHQL_VALIDATION_FAILED"}}
    "#);
    assert_snapshot!(refusals.of("{ entity(id: { a: 1 }) { name } }", none()).await, @r#"
    200 OK
    {"message":"Invalid value for argument \"id\", expected type \"ID\"","path":["entity"],"extensions":{"code":"BAD_USER_INPUT","subgraph":"entities"}}
    "#);
    assert_snapshot!(refusals.of("{ entities(first: \"many\") { totalCount } }", none()).await, @r#"
    400 Bad Request
    {"message":"Expected value of type \"Int\", found \"many\".","extensions":{"code":"BAD_USER_INPUT","reason":"GRAPHQL_VALIDATION_FAILED"}}
    "#);
    assert_snapshot!(refusals.of("{ entities(frist: 1) { totalCount } }", none()).await, @r#"
    400 Bad Request
    {"message":"Unknown argument \"frist\" on field \"Query.entities\".","extensions":{"code":"BAD_USER_INPUT","reason":"GRAPHQL_VALIDATION_FAILED"}}
    "#);
    assert_snapshot!(refusals.of("{ me }", none()).await, @r#"
    400 Bad Request
    {"message":"Field \"me\" of type \"User\" must have a selection of subfields. Did you mean \"me { ... }\"?","locations":[{"line":1,"column":3}],"extensions":{"code":"BAD_USER_INPUT","reason":"GRAPHQL_VALIDATION_FAILED"}}
    "#);
    assert_snapshot!(refusals.of("{ me { name }", none()).await, @r#"
    400 Bad Request
    {"message":"the document is not valid GraphQL: unexpected end of input, expected }","locations":[{"line":1,"column":14}],"extensions":{"code":"BAD_USER_INPUT","reason":"GRAPHQL_PARSE_FAILED"}}
    "#);
    assert_snapshot!(refusals.of("", none()).await, @r#"
    400 Bad Request
    {"message":"the document is not valid GraphQL: unexpected end of input, expected { or query or mutation or subscription or fragment","locations":[{"line":1,"column":1}],"extensions":{"code":"BAD_USER_INPUT","reason":"GRAPHQL_PARSE_FAILED"}}
    "#);
    assert_snapshot!(refusals.of("mutation { signOut { sessionId } } { me { id } }", none()).await, @r#"
    400 Bad Request
    {"message":"the document has 2 operations: each needs a name, and `operationName` names the one to run","extensions":{"code":"BAD_USER_INPUT","reason":"OPERATION_NOT_FOUND"}}
    "#);
}

#[tokio::test]
async fn variables_that_do_not_fit_are_refused_by_name() {
    let refusals = Refusals::new().await;
    let by_id = "query ($id: ID!) { entity(id: $id) { name } }";
    assert_snapshot!(refusals.of(by_id, json!({})).await, @r#"
    400 Bad Request
    {"message":"variable `$id` of the required type `ID!` was not given","extensions":{"code":"BAD_USER_INPUT","reason":"INVALID_VARIABLES"}}
    "#);
    assert_snapshot!(refusals.of(by_id, json!({ "id": null })).await, @r#"
    400 Bad Request
    {"message":"variable `$id` must not be null, its type is `ID!`","extensions":{"code":"BAD_USER_INPUT","reason":"INVALID_VARIABLES"}}
    "#);
    assert_snapshot!(refusals.of(by_id, json!({ "id": [true] })).await, @r#"
    400 Bad Request
    {"message":"variable `$id` must be a string or a whole number (`ID`), found a list [true]","extensions":{"code":"BAD_USER_INPUT","reason":"INVALID_VARIABLES"}}
    "#);
    let create = "mutation ($input: CreateEntityInput!) { createEntity(input: $input) { entity { id } } }";
    let input = json!({ "input": { "key": "k", "type": "t", "name": "n", "confidence": "high" } });
    assert_snapshot!(refusals.of(create, input).await, @r#"
    400 Bad Request
    {"message":"variable `$input.confidence` must be a number (`Float`), found a string \"high\"","extensions":{"code":"BAD_USER_INPUT","reason":"INVALID_VARIABLES"}}
    "#);
    let input = json!({ "input": { "key": "k", "type": "t", "name": "n", "colour": "red" } });
    assert_snapshot!(refusals.of(create, input).await, @r#"
    400 Bad Request
    {"message":"variable `$input` has a field `colour`, but `CreateEntityInput` has only `confidence`, `description`, `idempotencyKey`, `key`, `name`, `properties`, `type`","extensions":{"code":"BAD_USER_INPUT","reason":"INVALID_VARIABLES"}}
    "#);
    assert_snapshot!(refusals.of("query ($first: Int) { me { id } entities { totalCount } }", json!({})).await, @r#"
    400 Bad Request
    {"message":"Variable \"$first\" is never used.","extensions":{"code":"BAD_USER_INPUT","reason":"GRAPHQL_VALIDATION_FAILED"}}
    "#);
}

#[tokio::test]
async fn bombs_are_refused_before_they_are_planned() {
    let refusals = Refusals::new().await;
    let large = format!("{{ me {{ id }} }} # {}", "x".repeat(1 << 20));
    assert_snapshot!(refusals.of(&large, json!({})).await, @r#"
    413 Payload Too Large
    {"message":"request too large: 1048619 bytes, the limit is 1000000 bytes","extensions":{"code":"BAD_USER_INPUT","reason":"PAYLOAD_TOO_LARGE"}}
    "#);
    let tokens = format!("{{ me {{ {} }} }}", "id ".repeat(300_000));
    assert_snapshot!(refusals.of(&tokens, json!({})).await, @r#"
    400 Bad Request
    {"message":"the document has 300005 tokens, the limit is 10000","extensions":{"code":"BAD_USER_INPUT","reason":"GRAPHQL_LIMIT_EXCEEDED"}}
    "#);
    let deep = format!(
        "{{ entities {{ nodes {{ {} id {} }} }} }}",
        "entityType { ".repeat(2_000),
        "} ".repeat(2_000)
    );
    assert_snapshot!(refusals.of(&deep, json!({})).await, @r#"
    400 Bad Request
    {"message":"the document is nested 2003 levels deep, the limit is 48","extensions":{"code":"BAD_USER_INPUT","reason":"GRAPHQL_LIMIT_EXCEEDED"}}
    "#);
    let neighbors = format!("{}id{}", "neighbors { nodes { ".repeat(12), "} } ".repeat(12));
    let deep = format!("{{ entities {{ nodes {{ {neighbors} }} }} }}");
    assert_snapshot!(refusals.of(&deep, json!({})).await, @r#"
    400 Bad Request
    {"message":"query is 27 levels deep, the limit is 20","extensions":{"code":"BAD_USER_INPUT","reason":"GRAPHQL_LIMIT_EXCEEDED"}}
    "#);
    let aliases: Vec<_> = (0..500).map(|n| format!("a{n}: id")).collect();
    let aliases = aliases.join(" ");
    assert_snapshot!(refusals.of(&format!("{{ me {{ {aliases} }} }}"), json!({})).await, @r#"
    400 Bad Request
    {"message":"query uses 500 aliases, the limit is 100","extensions":{"code":"BAD_USER_INPUT","reason":"GRAPHQL_LIMIT_EXCEEDED"}}
    "#);
    let roots: Vec<_> = (0..50).map(|n| format!("a{n}: me {{ id }}")).collect();
    let roots = roots.join(" ");
    assert_snapshot!(refusals.of(&format!("{{ {roots} }}"), json!({})).await, @r#"
    400 Bad Request
    {"message":"query selects 50 root fields, the limit is 30","extensions":{"code":"BAD_USER_INPUT","reason":"GRAPHQL_LIMIT_EXCEEDED"}}
    "#);
    let circle = "{ me { ...A } } fragment A on User { ...B } fragment B on User { ...A }";
    assert_snapshot!(refusals.of(circle, json!({})).await, @r#"
    400 Bad Request
    {"message":"the fragment `A` contains itself","locations":[{"line":1,"column":17}],"extensions":{"code":"BAD_USER_INPUT","reason":"GRAPHQL_VALIDATION_FAILED"}}
    "#);
}

#[tokio::test]
async fn bodies_that_are_no_graphql_request_are_refused() {
    let refusals = Refusals::new().await;
    assert_snapshot!(refusals.of_body(&b"{\"query\": \"{ me { \xff } }\"}"[..]).await, @r#"
    400 Bad Request
    {"message":"the request's body is not UTF-8: byte 18 begins no character","extensions":{"code":"BAD_USER_INPUT","reason":"BAD_REQUEST"}}
    "#);
    assert_snapshot!(refusals.of_body("{\"query\": \"{ me { id } }\"").await, @r#"
    400 Bad Request
    {"message":"the request's body is not valid JSON: expected `,` or `}` at byte 25","extensions":{"code":"BAD_USER_INPUT","reason":"BAD_REQUEST"}}
    "#);
    assert_snapshot!(refusals.of_body("").await, @r#"
    400 Bad Request
    {"message":"the request's body is not valid JSON: expected a value at byte 0","extensions":{"code":"BAD_USER_INPUT","reason":"BAD_REQUEST"}}
    "#);
    assert_snapshot!(refusals.of_body("[]").await, @r#"
    400 Bad Request
    {"message":"the batch is empty: it must have at least one operation","extensions":{"code":"BAD_USER_INPUT","reason":"BATCH_REFUSED"}}
    "#);
    assert_snapshot!(refusals.of_body("{}").await, @r#"
    400 Bad Request
    {"message":"the request has no `query`","extensions":{"code":"BAD_USER_INPUT","reason":"BAD_REQUEST"}}
    "#);
    assert_snapshot!(refusals.of_body("{\"query\": 1}").await, @r#"
    400 Bad Request
    {"message":"`query` must be a string, not a number","extensions":{"code":"BAD_USER_INPUT","reason":"BAD_REQUEST"}}
    "#);
    assert_snapshot!(refusals.of_body("{\"query\": \"{ me { id } }\", \"variables\": []}").await, @r#"
    400 Bad Request
    {"message":"`variables` must be an object, not a list","extensions":{"code":"BAD_USER_INPUT","reason":"BAD_REQUEST"}}
    "#);
    assert_snapshot!(refusals.of_body("{\"query\": \"query A { me { id } }\", \"operationName\": \"B\"}").await, @r#"
    400 Bad Request
    {"message":"the document has no operation `B`, it has `A`","extensions":{"code":"BAD_USER_INPUT","reason":"OPERATION_NOT_FOUND"}}
    "#);
}

#[tokio::test]
async fn credentials_that_are_no_good_are_refused_whatever_is_asked() {
    let refusals = Refusals::new().await;
    let body = "{\"query\": \"{ __typename }\"}";
    let now = refusals.platform.store.clock().now();
    let claims = |made| {
        let user = refusals.tenant.owner.id.parse().unwrap();
        let org: OrgId = refusals.tenant.id.parse().unwrap();
        AccessClaims::new(user, SessionId::new(now), Some((org, &Role::Owner.permissions())), made)
    };
    let expired = claims(now - TimeDelta::hours(1));
    let expired = refusals.platform.tokens.sign(&expired).unwrap().unwrap();
    assert_snapshot!(refusals.of_body_from(Some(&expired), body).await, @r#"
    401 Unauthorized
    {"message":"the token has expired: refresh it","extensions":{"code":"UNAUTHENTICATED"}}
    "#);

    let elsewhere = AccessTokens::signing(SigningKey::from_seed(&[7; 32]).unwrap()).unwrap();
    let forged = elsewhere.sign(&claims(now)).unwrap().unwrap();
    assert_snapshot!(refusals.of_body_from(Some(&forged), body).await, @r#"
    401 Unauthorized
    {"message":"the token's signature is not valid","extensions":{"code":"UNAUTHENTICATED"}}
    "#);

    // The claims of one token under the signature of another.
    let owners: Vec<_> = refusals.tenant.owner.token.split('.').collect();
    let viewers: Vec<_> = refusals.tenant.viewer.token.split('.').collect();
    let mixed = [viewers[0], owners[1], viewers[2]].join(".");
    assert_snapshot!(refusals.of_body_from(Some(&mixed), body).await, @r#"
    401 Unauthorized
    {"message":"the token's signature is not valid","extensions":{"code":"UNAUTHENTICATED"}}
    "#);

    assert_snapshot!(refusals.of_body_from(Some("nonsense"), body).await, @r#"
    401 Unauthorized
    {"message":"the token is malformed","extensions":{"code":"UNAUTHENTICATED"}}
    "#);
    assert_snapshot!(refusals.of_body_from(Some(""), body).await, @r#"
    401 Unauthorized
    {"message":"the Authorization header is not `Bearer <access token or API key>`","extensions":{"code":"UNAUTHENTICATED"}}
    "#);
}
