//! Guessing gets slower, and keeps nobody else out.

use std::sync::Arc;

use insta::assert_snapshot;
use pulse_types::{Caller, Origin};
use serde_json::{Value, json};

use crate::harness::{Accounts, PASSWORD, email, show};

const SIGN_IN: &str = "mutation ($email: String!, $password: String!) {
    signIn(input: { email: $email, password: $password }) { accessToken } }";

fn from(accounts: &Accounts, address: &str) -> Caller {
    let origin = Origin::new(Some(address.parse().unwrap()), None);
    Caller { origin: Some(Arc::new(origin)), ..accounts.anonymous() }
}

async fn sign_in(accounts: &Accounts, address: &str, name: &str, password: &str) -> Value {
    let variables = json!({ "email": email(name), "password": password });
    accounts.run(&from(accounts, address), SIGN_IN, variables).await
}

/// Guesses a password, from an address.
async fn guess(accounts: &Accounts, address: &str, name: &str) -> String {
    let response = sign_in(accounts, address, name, "not the password").await;
    response["errors"][0]["extensions"]["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn guessing_from_one_place_takes_ever_longer_and_says_how_long() {
    let accounts = Accounts::new().await;
    accounts.register("Ada").await;
    for name in ["Ada", "Nobody"] {
        for _ in 0..6 {
            assert_eq!(guess(&accounts, "192.0.2.1", name).await, "UNAUTHENTICATED");
        }
    }
    let expected = r#"{"errors":[{"message":"too many attempts: try again in 1 s","extensions":{"code":"RATE_LIMITED"},"path":["signIn"]}],"data":null}"#;
    // The right password is not looked at, and nobody's address says the same.
    let known = sign_in(&accounts, "192.0.2.1", "Ada", PASSWORD).await;
    assert_eq!(show(&known), expected);
    assert_eq!(show(&sign_in(&accounts, "192.0.2.1", "Nobody", PASSWORD).await), expected);
    accounts.pass(1);
    assert_eq!(guess(&accounts, "192.0.2.1", "Ada").await, "UNAUTHENTICATED");
    let longer = sign_in(&accounts, "192.0.2.1", "Ada", PASSWORD).await;
    assert_eq!(longer["errors"][0]["message"], "too many attempts: try again in 2 s");
    accounts.pass(2);
    assert_eq!(sign_in(&accounts, "192.0.2.1", "Ada", PASSWORD).await.get("errors"), None);
    // Whoever got in begins anew.
    assert_eq!(guess(&accounts, "192.0.2.1", "Ada").await, "UNAUTHENTICATED");
    assert_eq!(sign_in(&accounts, "192.0.2.1", "Ada", PASSWORD).await.get("errors"), None);
}

#[tokio::test]
async fn somebody_else_guessing_does_not_keep_the_person_out() {
    let accounts = Accounts::new().await;
    accounts.register("Ada").await;
    assert_eq!(sign_in(&accounts, "198.51.100.1", "Ada", PASSWORD).await.get("errors"), None);
    // From many places, a few times each: no place is slowed down, the guessing is.
    for place in 1..=7 {
        for _ in 0..3 {
            guess(&accounts, &format!("192.0.2.{place}"), "Ada").await;
        }
    }
    assert_eq!(guess(&accounts, "192.0.2.99", "Ada").await, "RATE_LIMITED");
    assert_eq!(sign_in(&accounts, "198.51.100.1", "Ada", PASSWORD).await.get("errors"), None);
    // Elsewhere the person waits for a minute at most.
    accounts.pass(60);
    assert_eq!(sign_in(&accounts, "203.0.113.5", "Ada", PASSWORD).await.get("errors"), None);
}

#[tokio::test]
async fn one_place_guesses_many_peoples_passwords_for_a_while_alone() {
    let accounts = Accounts::new().await;
    for number in 0..51 {
        assert_eq!(guess(&accounts, "192.0.2.1", &format!("p{number}")).await, "UNAUTHENTICATED");
    }
    assert_eq!(guess(&accounts, "192.0.2.1", "another").await, "RATE_LIMITED");
    assert_eq!(guess(&accounts, "192.0.2.2", "another").await, "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_hundred_right_sign_ins_at_once_are_all_right() {
    let accounts = Accounts::new().await;
    accounts.register("Ada").await;
    let all = (0..100).map(|_| sign_in(&accounts, "192.0.2.1", "Ada", PASSWORD));
    for response in futures::future::join_all(all).await {
        assert_eq!(response.get("errors"), None, "{response}");
    }
}

#[tokio::test]
async fn of_many_guesses_at_once_few_are_answered() {
    let accounts = Accounts::new().await;
    accounts.register("Ada").await;
    let all = (0..40).map(|_| guess(&accounts, "192.0.2.1", "Ada"));
    futures::future::join_all(all).await;
    // The right one among them would have been told to wait too.
    let right = sign_in(&accounts, "192.0.2.1", "Ada", PASSWORD).await;
    assert_eq!(right["errors"][0]["extensions"]["code"], "RATE_LIMITED");
}

#[tokio::test]
async fn letters_to_one_address_are_few() {
    let accounts = Accounts::new().await;
    let ask = "mutation { requestPasswordReset(input: { email: \"nobody@example.com\" }) { accepted } }";
    for _ in 0..4 {
        accounts.data(&accounts.anonymous(), ask, json!({})).await;
    }
    assert_snapshot!(show(&accounts.run(&accounts.anonymous(), ask, json!({})).await), @r#"{"errors":[{"message":"too many attempts: try again in 60 s","extensions":{"code":"RATE_LIMITED"},"path":["requestPasswordReset"]}],"data":null}"#);
    let jobs = "SELECT count(*) FROM platform.jobs WHERE kind = 'accounts.mail'";
    assert_eq!(accounts.count(jobs).await, 4);
}

#[tokio::test]
async fn an_open_session_guesses_no_password() {
    let accounts = Accounts::new().await;
    let ada = accounts.register("Ada").await;
    let change = "mutation ($old: String!) {
        changePassword(input: { password: $old, newPassword: \"quite another password\" }) { changed } }";
    for _ in 0..6 {
        accounts.run(&ada.caller, change, json!({ "old": "not the password" })).await;
    }
    let response = accounts.run(&ada.caller, change, json!({ "old": PASSWORD })).await;
    assert_eq!(response["errors"][0]["extensions"]["code"], "RATE_LIMITED");
}

#[tokio::test]
async fn what_is_counted_says_nothing_about_whom() {
    let accounts = Accounts::new().await;
    guess(&accounts, "192.0.2.1", "Ada").await;
    let mut connection = accounts.database.connect().await.unwrap();
    let dump: String = sqlx::query_scalar("SELECT string_agg(t::text, ' ') FROM accounts.throttles t")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert!(!dump.contains("ada") && !dump.contains("192.0.2.1"), "{dump}");
    let facts = "SELECT count(*) FROM platform.audit WHERE action = 'session:refuse'";
    assert_eq!(accounts.count(facts).await, 1);
}
