//! Being sent to issuers, and coming back with what is no answer, gets slower where it is done too often.

use serde_json::json;

use super::browser::Callback;
use super::fake::FakeIssuer;
use super::{PAGE, START, complete, payload, platform, start};

/// So many are free.
const FREE: usize = 50;

#[tokio::test]
async fn whoever_is_sent_to_an_issuer_and_never_comes_back_has_to_wait() {
    let issuer = FakeIssuer::start().await;
    let platform = platform(&issuer.url, |_| {}).await;
    for _ in 0..FREE {
        start(&platform, "main").await;
    }
    // Who comes back is no stranger.
    let begun = start(&platform, "main").await;
    let answer = complete(&platform, &issuer.answer(&begun, &json!({})), &begun.secret).await;
    payload(&answer, "completeSignIn");
    let mut waits = 0;
    for nth in 0..=FREE + 1 {
        let input = json!({ "input": { "providerId": "main", "redirectUri": PAGE } });
        let answer = platform.graphql(None, START, input).await;
        if answer.code() == Some("RATE_LIMITED") {
            assert!(nth > FREE, "{nth}");
            waits += 1;
        }
    }
    assert_eq!(waits, 1);
}

#[tokio::test]
async fn whoever_comes_back_with_what_is_no_answer_has_to_wait() {
    let issuer = FakeIssuer::start().await;
    let platform = platform(&issuer.url, |_| {}).await;
    let made_up = Callback { code: "guessed".to_owned(), state: "guessed".to_owned(), issuer: None };
    for _ in 0..=FREE {
        assert_eq!(complete(&platform, &made_up, "guessed").await.code(), Some("BAD_USER_INPUT"));
    }
    assert_eq!(complete(&platform, &made_up, "guessed").await.code(), Some("RATE_LIMITED"));
}
