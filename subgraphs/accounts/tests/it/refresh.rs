use insta::assert_snapshot;
use pulse_types::Role;
use serde_json::{Value, json};

use crate::harness::{Accounts, Person, show};

const REFRESH: &str = "mutation ($token: String!) { refreshSession(input: { refreshToken: $token }) {
    accessToken accessTokenExpiresAt refreshToken user { name } organization { slug viewerRole } } }";
const ENDED: &str = "SELECT count(*) FROM accounts.sessions WHERE end_reason = 'token_reused'";

async fn refresh(accounts: &Accounts, token: &str) -> Value {
    accounts.run(&accounts.anonymous(), REFRESH, json!({ "token": token })).await
}

fn refreshed(accounts: &Accounts, response: &Value) -> Person {
    assert_eq!(response.get("errors"), None);
    accounts.person(&response["data"]["refreshSession"])
}

#[tokio::test]
async fn a_refresh_token_is_exchanged_for_the_next_one() {
    let accounts = Accounts::new().await;
    let person = accounts.register("Ada").await;
    let (org, person) = accounts.found(&person, "acme").await;
    accounts.pass(600);
    let response = refresh(&accounts, &person.refresh_token).await;
    assert_snapshot!(show(&response), @r#"{"data":{"refreshSession":{"accessToken":"[access token]","accessTokenExpiresAt":"2027-01-15T08:25:01+00:00","refreshToken":"[refresh token]","user":{"name":"Ada"},"organization":{"slug":"acme","viewerRole":"OWNER"}}}}"#);
    let next = refreshed(&accounts, &response);
    assert_ne!(next.refresh_token, person.refresh_token);
    assert_eq!((next.caller.org, next.caller.session), (Some(org), person.caller.session));
    let stored =
        "SELECT count(*) FROM accounts.refresh_tokens WHERE position('pulse_rt_'::bytea IN hash) > 0";
    assert_eq!(accounts.count(stored).await, 0);
    refreshed(&accounts, &refresh(&accounts, &next.refresh_token).await);
}

#[tokio::test]
async fn an_exchanged_token_that_comes_again_ends_its_session() {
    let accounts = Accounts::new().await;
    let person = accounts.register("Ada").await;
    let other = accounts.register("Bea").await;
    let next = refreshed(&accounts, &refresh(&accounts, &person.refresh_token).await);
    accounts.pass(10);
    assert_snapshot!(show(&refresh(&accounts, &person.refresh_token).await), @r#"{"errors":[{"message":"this refresh token was exchanged before, so its session was ended: sign in again","extensions":{"code":"UNAUTHENTICATED","field":"input.refreshToken"},"path":["refreshSession"]}],"data":null}"#);
    assert_eq!(accounts.count(ENDED).await, 1);
    let events =
        "SELECT count(*) FROM platform.outbox WHERE subject = 'accounts.session' AND kind = 'deleted'";
    assert_eq!(accounts.count(events).await, 1);
    assert_snapshot!(show(&refresh(&accounts, &next.refresh_token).await), @r#"{"errors":[{"message":"this refresh token is not valid any more: sign in again","extensions":{"code":"UNAUTHENTICATED","field":"input.refreshToken"},"path":["refreshSession"]}],"data":null}"#);
    refreshed(&accounts, &refresh(&accounts, &other.refresh_token).await);
}

#[tokio::test]
async fn a_race_of_two_refreshes_has_one_winner_and_ends_nothing() {
    let accounts = Accounts::new().await;
    let person = accounts.register("Ada").await;
    let (one, other) =
        tokio::join!(refresh(&accounts, &person.refresh_token), refresh(&accounts, &person.refresh_token));
    let (winner, loser) = if one.get("errors").is_none() { (one, other) } else { (other, one) };
    let winner = refreshed(&accounts, &winner);
    assert_snapshot!(show(&loser), @r#"{"errors":[{"message":"this refresh token was exchanged a moment ago: use the one that it was exchanged for","extensions":{"code":"CONFLICT","field":"input.refreshToken"},"path":["refreshSession"]}],"data":null}"#);
    assert_eq!(accounts.count(ENDED).await, 0);
    refreshed(&accounts, &refresh(&accounts, &winner.refresh_token).await);
}

#[tokio::test]
async fn unknown_and_expired_tokens_are_refused() {
    let accounts = Accounts::new().await;
    let person = accounts.register("Ada").await;
    let unknown = refresh(&accounts, "pulse_rt_unknown").await;
    assert_snapshot!(show(&unknown), @r#"{"errors":[{"message":"this refresh token is not valid any more: sign in again","extensions":{"code":"UNAUTHENTICATED","field":"input.refreshToken"},"path":["refreshSession"]}],"data":null}"#);
    assert_eq!(refresh(&accounts, "").await, unknown);
    accounts.pass(30 * 24 * 60 * 60);
    assert_eq!(refresh(&accounts, &person.refresh_token).await, unknown);
}

#[tokio::test]
async fn a_session_that_was_signed_out_is_not_refreshed() {
    let accounts = Accounts::new().await;
    let person = accounts.register("Ada").await;
    accounts.data(&person.caller, "mutation { signOut { sessionId } }", json!({})).await;
    assert_snapshot!(show(&refresh(&accounts, &person.refresh_token).await), @r#"{"errors":[{"message":"this refresh token is not valid any more: sign in again","extensions":{"code":"UNAUTHENTICATED","field":"input.refreshToken"},"path":["refreshSession"]}],"data":null}"#);
}

#[tokio::test]
async fn a_refresh_gives_the_rights_of_now() {
    let accounts = Accounts::new().await;
    let owner = accounts.register("Bea").await;
    let (org, owner) = accounts.found(&owner, "acme").await;
    let member = accounts.member(&owner, "Ada", "MEMBER").await;
    let change = "mutation ($id: ID!) { changeMemberRole(input: { userId: $id, role: VIEWER }) { membership { role } } }";
    accounts.data(&owner.caller, change, json!({ "id": member.id.to_string() })).await;
    let now_viewer = refreshed(&accounts, &refresh(&accounts, &member.refresh_token).await);
    assert_eq!(
        (now_viewer.caller.org, now_viewer.caller.permissions),
        (Some(org), Role::Viewer.permissions())
    );
    let remove = "mutation ($id: ID!) { removeMember(input: { userId: $id }) { userId } }";
    accounts.data(&owner.caller, remove, json!({ "id": member.id.to_string() })).await;
    let response = refresh(&accounts, &now_viewer.refresh_token).await;
    assert_snapshot!(show(&response), @r#"{"data":{"refreshSession":{"accessToken":"[access token]","accessTokenExpiresAt":"2027-01-15T08:15:02+00:00","refreshToken":"[refresh token]","user":{"name":"Ada"},"organization":null}}}"#);
    assert_eq!(refreshed(&accounts, &response).caller.org, None);
}

#[tokio::test]
async fn tokens_whose_time_is_over_are_forgotten() {
    let accounts = Accounts::new().await;
    let person = accounts.register("Ada").await;
    accounts.pass(20 * 24 * 60 * 60);
    let next = refreshed(&accounts, &refresh(&accounts, &person.refresh_token).await);
    accounts.pass(20 * 24 * 60 * 60);
    refreshed(&accounts, &refresh(&accounts, &next.refresh_token).await);
    assert_eq!(accounts.count("SELECT count(*) FROM accounts.refresh_tokens").await, 2);
}
