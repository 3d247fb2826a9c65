//! Where somebody is signed in.

use std::sync::Arc;

use insta::assert_snapshot;
use pulse_types::{Caller, Origin};
use serde_json::{Value, json};

use crate::harness::{Accounts, PASSWORD, Person, email, show};

const SESSIONS: &str = "{ me { sessions { totalCount nodes {
    isCurrent createdAt lastUsedAt userAgent address organizationId } } } }";
const END: &str = "mutation ($id: ID!) { endSession(input: { sessionId: $id }) { sessionId } }";
const REFRESH: &str = "mutation ($token: String!) {
    refreshSession(input: { refreshToken: $token }) { accessToken refreshToken } }";

/// Nobody, who asks from there.
fn from(accounts: &Accounts, address: &str, user_agent: &str) -> Caller {
    let origin = Origin::new(address.parse().ok(), Some(user_agent));
    Caller { origin: Some(Arc::new(origin)), ..accounts.anonymous() }
}

async fn sign_in(accounts: &Accounts, caller: &Caller) -> Person {
    let query = "mutation ($email: String!, $password: String!) {
        signIn(input: { email: $email, password: $password }) { accessToken refreshToken } }";
    let variables = json!({ "email": email("Ada"), "password": PASSWORD });
    accounts.person(&accounts.data(caller, query, variables).await["signIn"])
}

async fn refresh(accounts: &Accounts, caller: &Caller, token: &str) -> Value {
    accounts.run(caller, REFRESH, json!({ "token": token })).await
}

fn session(person: &Person) -> String {
    person.caller.session.unwrap().to_string()
}

#[tokio::test]
async fn sessions_say_where_they_were_begun_and_last_used() {
    let accounts = Accounts::new().await;
    let ada = accounts.register("Ada").await;
    accounts.pass(60);
    let phone = sign_in(&accounts, &from(&accounts, "::ffff:192.0.2.7", "Phone/1")).await;
    accounts.pass(60);
    refresh(&accounts, &from(&accounts, "2001:db8::1", "Phone/2"), &phone.refresh_token).await;
    assert_snapshot!(show(&accounts.run(&ada.caller, SESSIONS, json!({})).await), @r#"{"data":{"me":{"sessions":{"totalCount":2,"nodes":[{"isCurrent":true,"createdAt":"2027-01-15T08:00:01+00:00","lastUsedAt":"2027-01-15T08:00:01+00:00","userAgent":null,"address":null,"organizationId":null},{"isCurrent":false,"createdAt":"2027-01-15T08:01:01+00:00","lastUsedAt":"2027-01-15T08:02:01+00:00","userAgent":"Phone/2","address":"2001:db8::1","organizationId":null}]}}}}"#);
}

#[tokio::test]
async fn a_session_that_cannot_go_on_is_not_listed() {
    let accounts = Accounts::new().await;
    let ada = accounts.register("Ada").await;
    accounts.pass(31 * 24 * 3600);
    sign_in(&accounts, &accounts.anonymous()).await;
    let seen = accounts.data(&ada.caller, SESSIONS, json!({})).await;
    assert_eq!(seen["me"]["sessions"]["totalCount"], 1);
}

#[tokio::test]
async fn an_ended_session_is_told_of_and_cannot_be_refreshed() {
    let accounts = Accounts::new().await;
    let ada = accounts.register("Ada").await;
    let phone = sign_in(&accounts, &accounts.anonymous()).await;
    let id = session(&phone);
    for _ in 0..2 {
        let ended = accounts.data(&ada.caller, END, json!({ "id": id })).await;
        assert_eq!(ended["endSession"]["sessionId"], id);
    }
    let told = "SELECT count(*) FROM platform.outbox WHERE subject = 'accounts.session' AND kind = 'deleted'";
    assert_eq!(accounts.count(told).await, 1);
    let facts = "SELECT count(*) FROM platform.audit WHERE action = 'session:end'";
    assert_eq!(accounts.count(facts).await, 1);
    let refused = refresh(&accounts, &accounts.anonymous(), &phone.refresh_token).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_session_of_somebody_else_looks_missing_and_goes_on() {
    let accounts = Accounts::new().await;
    let ada = accounts.register("Ada").await;
    let eve = accounts.register("Eve").await;
    let response = accounts.run(&eve.caller, END, json!({ "id": session(&ada) })).await;
    assert_snapshot!(show(&response), @r#"{"errors":[{"message":"you have no such session","extensions":{"code":"NOT_FOUND","field":"input.sessionId"},"path":["endSession"]}],"data":null}"#);
    assert_eq!(refresh(&accounts, &accounts.anonymous(), &ada.refresh_token).await.get("errors"), None);
}

#[tokio::test]
async fn all_other_sessions_end_at_once() {
    let accounts = Accounts::new().await;
    let ada = accounts.register("Ada").await;
    let (one, other) =
        (sign_in(&accounts, &accounts.anonymous()).await, sign_in(&accounts, &accounts.anonymous()).await);
    let ended = accounts.data(&ada.caller, "mutation { endOtherSessions { sessionIds } }", json!({})).await;
    let mut ids: Vec<_> = ended["endOtherSessions"]["sessionIds"].as_array().unwrap().clone();
    ids.sort_by_key(Value::to_string);
    let mut expected = [session(&one), session(&other)];
    expected.sort();
    assert_eq!(ids, expected);
    let seen = accounts.data(&ada.caller, SESSIONS, json!({})).await;
    assert_eq!(seen["me"]["sessions"]["totalCount"], 1);
    assert_eq!(refresh(&accounts, &accounts.anonymous(), &ada.refresh_token).await.get("errors"), None);
}

#[tokio::test]
async fn nobody_sees_where_somebody_else_is_signed_in() {
    let accounts = Accounts::new().await;
    let owner = accounts.register("Bea").await;
    let (_, owner) = accounts.found(&owner, "acme").await;
    let query = "{ organization { members(first: 1) { nodes { name sessions { totalCount } } } } }";
    let ada = accounts.member(&owner, "Ada", "VIEWER").await;
    let response = accounts.run(&ada.caller, query, json!({})).await;
    assert_eq!(response["errors"][0]["message"], "only the person may see where it is signed in");
    assert_eq!(response["errors"][0]["extensions"]["code"], "FORBIDDEN");
}
