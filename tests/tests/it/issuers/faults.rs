//! What an issuer that lies, is somebody else or is not there brings about: nothing.

use axum::http::StatusCode;
use pulse_types::Clock;
use serde_json::{Value, json};

use super::fake::FakeIssuer;
use super::{CLIENT, complete, counts, payload, platform, refusal, start};

#[tokio::test]
async fn an_id_token_that_is_not_for_us_now_and_this_request_signs_nobody_in() {
    let issuer = FakeIssuer::start().await;
    let platform = platform(&issuer.url, |_| {}).await;
    let now = Clock::system().now().timestamp();
    let cases: [(&str, Value); 11] = [
        ("it answers another request", json!({ "nonce": "another" })),
        ("it answers another request", json!({ "nonce": null })),
        ("it is for another client", json!({ "aud": "another" })),
        ("it is for another client", json!({ "aud": [CLIENT, "another"] })),
        ("it was given to another client", json!({ "azp": "another" })),
        ("its time is over, or has not begun", json!({ "exp": now - 1 })),
        ("its time is over, or has not begun", json!({ "iat": now + 3600, "exp": now + 7200 })),
        ("it is from another issuer", json!({ "iss": "http://127.0.0.1:1" })),
        // Not to be read at all: there is no token then.
        ("", json!({ "exp": null })),
        ("", json!({ "sub": null })),
        ("it belongs to another access token", json!({ "at_hash": "AAAAAAAAAAAAAAAAAAAAAA" })),
    ];
    for (why, change) in cases {
        let begun = start(&platform, "main").await;
        let answer = complete(&platform, &issuer.answer(&begun, &change), &begun.secret).await;
        assert_eq!(refusal(&answer), ("UNAUTHENTICATED", ""), "{change}");
        assert!(answer.message().ends_with(why), "{change}: {}", answer.message());
    }
    assert_eq!(counts(&platform).await, (0, 0));
    // The honest one does.
    let begun = start(&platform, "main").await;
    let answer = complete(&platform, &issuer.answer(&begun, &json!({ "azp": CLIENT })), &begun.secret).await;
    assert_eq!(payload(&answer, "completeSignIn")["user"]["email"], "ada@acme.example");
    assert_eq!(counts(&platform).await, (1, 1));
}

#[tokio::test]
async fn what_the_issuer_has_not_signed_with_a_key_of_its_own_signs_nobody_in() {
    let issuer = FakeIssuer::start().await;
    let platform = platform(&issuer.url, |_| {}).await;
    for unsigned in [false, true] {
        issuer.say(|says| (says.key, says.signs) = (2, !unsigned));
        let begun = start(&platform, "main").await;
        let answer = complete(&platform, &issuer.answer(&begun, &json!({})), &begun.secret).await;
        assert_eq!(refusal(&answer), ("UNAUTHENTICATED", ""), "{answer:?}");
    }
    assert_eq!(counts(&platform).await, (0, 0));
}

#[tokio::test]
async fn an_answer_that_names_another_issuer_is_taken_for_a_mix_up() {
    let issuer = FakeIssuer::start().await;
    let platform = platform(&issuer.url, |_| {}).await;
    let begun = start(&platform, "main").await;
    let mut callback = issuer.answer(&begun, &json!({}));
    callback.issuer = Some("https://another.example".to_owned());
    let answer = complete(&platform, &callback, &begun.secret).await;
    assert_eq!(refusal(&answer), ("BAD_USER_INPUT", "input.issuer"));
    assert_eq!(counts(&platform).await, (0, 0));
}

#[tokio::test]
async fn an_issuer_that_names_itself_must_do_so_each_time() {
    let issuer = FakeIssuer::start().await;
    issuer.say(|says| says.description = json!({ "authorization_response_iss_parameter_supported": true }));
    let platform = platform(&issuer.url, |_| {}).await;
    let begun = start(&platform, "main").await;
    let answer = complete(&platform, &issuer.answer(&begun, &json!({})), &begun.secret).await;
    assert_eq!(refusal(&answer), ("BAD_USER_INPUT", "input.issuer"));
}

#[tokio::test]
async fn an_issuer_that_is_down_is_unavailable() {
    let issuer = FakeIssuer::start().await;
    let platform = platform(&issuer.url, |_| {}).await;
    let begun = start(&platform, "main").await;
    let callback = issuer.answer(&begun, &json!({}));
    // Its description is remembered; its tokens cannot be.
    issuer.stop().await;
    let answer = complete(&platform, &callback, &begun.secret).await;
    assert_eq!(refusal(&answer).0, "UNAVAILABLE");
    assert!(answer.message().contains("does not answer: try again later"), "{}", answer.message());
    let nowhere = super::platform("http://127.0.0.1:1", |_| {}).await;
    let input = json!({ "providerId": "main", "redirectUri": super::PAGE });
    let answer = nowhere.graphql(None, super::START, json!({ "input": input })).await;
    assert_eq!(refusal(&answer).0, "UNAVAILABLE");
}

#[tokio::test]
async fn an_issuer_that_describes_another_one_or_fails_is_refused() {
    let issuer = FakeIssuer::start().await;
    issuer.say(|says| says.description = json!({ "issuer": "https://another.example" }));
    let platform = platform(&issuer.url, |_| {}).await;
    let input = json!({ "input": { "providerId": "main", "redirectUri": super::PAGE } });
    let answer = platform.graphql(None, super::START, input).await;
    assert_eq!(refusal(&answer).0, "UNAUTHENTICATED");
    assert!(answer.message().contains("does not describe itself"), "{}", answer.message());
    // What went wrong is not remembered.
    issuer.say(|says| says.description = json!({}));
    let begun = start(&platform, "main").await;
    issuer.say(|says| says.status = StatusCode::INTERNAL_SERVER_ERROR);
    let answer = complete(&platform, &issuer.answer(&begun, &json!({})), &begun.secret).await;
    assert_eq!(refusal(&answer).0, "UNAVAILABLE");
    assert_eq!(counts(&platform).await, (0, 0));
}
