//! Signing in by an issuer that everybody may use.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::browser::Browser;
use super::real::{RealIssuer, claims};
use super::{
    AFTER, Begun, PAGE, START, complete, counts, is_over, payload, platform, refusal, sign_in, start,
};

const ME: &str = "{ me { id email emailVerified name identities { issuer organizationId email } } }";

#[tokio::test]
async fn somebody_new_signs_in_goes_on_and_signs_out_at_the_issuer_too() {
    let issuer = RealIssuer::start().await;
    issuer.knows("ada", claims("Ada@Example.com", "Ada Lovelace")).await;
    let platform = platform(&issuer.url, |_| {}).await;
    let offers = platform.graphql(None, "{ signInProviders { id name } }", json!({})).await;
    assert_eq!(offers.json["data"]["signInProviders"], json!([{ "id": "main", "name": "Main" }]));

    let begun = start(&platform, "main").await;
    let mut browser = Browser::new();
    let callback = browser.sign_in(&begun.url, "ada").await;
    assert_eq!(callback.issuer.as_deref(), Some(&*issuer.url));
    let answer = complete(&platform, &callback, &begun.secret).await;
    let session = payload(&answer, "completeSignIn");
    let token = session["accessToken"].as_str().unwrap();
    let me = platform.data(token, ME, json!({})).await;
    let identity = json!({ "issuer": issuer.url, "organizationId": null, "email": "ada@example.com" });
    let expected = json!({
        "id": session["user"]["id"], "email": "ada@example.com", "emailVerified": true, "name": "Ada Lovelace",
        "identities": [identity],
    });
    assert_eq!(me["me"], expected);

    // The answer was good once.
    let again = complete(&platform, &callback, &begun.secret).await;
    assert_eq!(refusal(&again), ("BAD_USER_INPUT", "input.state"));
    // The session is one of ours: it goes on without the issuer.
    let refresh =
        "mutation ($token: String!) { refreshSession(input: { refreshToken: $token }) { accessToken } }";
    let refreshed = platform.graphql(None, refresh, json!({ "token": session["refreshToken"] })).await;
    let token = payload(&refreshed, "refreshSession")["accessToken"].as_str().unwrap();
    // The same person comes back as the same user.
    let second = sign_in(&platform, "main", "ada").await;
    assert_eq!(payload(&second, "completeSignIn")["user"]["id"], session["user"]["id"]);
    assert_eq!(counts(&platform).await, (1, 2));

    let out = "mutation ($uri: String) { signOutAtIssuer(input: { redirectUri: $uri }) { endSessionUrl } }";
    let foreign = platform.graphql(Some(token), out, json!({ "uri": "https://elsewhere.example/" })).await;
    assert_eq!(refusal(&foreign), ("BAD_USER_INPUT", "input.redirectUri"));
    let ended = platform.graphql(Some(token), out, json!({ "uri": AFTER })).await;
    let url = payload(&ended, "signOutAtIssuer")["endSessionUrl"].as_str().unwrap().to_owned();
    is_over(&platform, token).await;
    let page = browser.get(&url).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    let secret = page.body.split("name=\"xsrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let confirm = format!("{}/session/end/confirm", issuer.url);
    let page = browser.post(&confirm, &[("xsrf", secret), ("logout", "yes")]).await;
    assert_eq!(page.location.as_deref(), Some(AFTER));
    // The issuer has forgotten the browser too: it asks who it is.
    let begun = start(&platform, "main").await;
    let page = browser.get(&begun.url).await;
    assert!(page.location.unwrap().contains("/interaction/"));
}

#[tokio::test]
async fn a_new_key_of_the_issuer_is_fetched_when_it_is_met() {
    let issuer = RealIssuer::start().await;
    issuer.knows("ada", claims("ada@example.com", "Ada")).await;
    let platform = platform(&issuer.url, |_| {}).await;
    let first = sign_in(&platform, "main", "ada").await;
    issuer.rotate().await;
    let second = sign_in(&platform, "main", "ada").await;
    let user = |answer| payload(answer, "completeSignIn")["user"]["id"].clone();
    assert_eq!(user(&first), user(&second));
}

#[tokio::test]
async fn a_code_is_good_once_and_for_the_request_that_it_answers() {
    let issuer = RealIssuer::start().await;
    issuer.knows("ada", claims("ada@example.com", "Ada")).await;
    let platform = platform(&issuer.url, |_| {}).await;
    let begun = start(&platform, "main").await;
    let used = Browser::new().sign_in(&begun.url, "ada").await;
    payload(&complete(&platform, &used, &begun.secret).await, "completeSignIn");
    for is_used in [true, false] {
        let begun = start(&platform, "main").await;
        let mut callback = Browser::new().sign_in(&begun.url, "ada").await;
        // A code that was used, and one that belongs to another attempt, with another verifier.
        callback.code = if is_used {
            used.code.clone()
        } else {
            Browser::new().sign_in(&start(&platform, "main").await.url, "ada").await.code
        };
        let answer = complete(&platform, &callback, &begun.secret).await;
        assert_eq!(refusal(&answer), ("UNAUTHENTICATED", "input.code"));
        assert!(answer.message().contains("(invalid_grant)"), "{}", answer.message());
    }
    assert_eq!(counts(&platform).await, (1, 1));
}

#[tokio::test]
async fn an_answer_is_taken_from_the_browser_that_has_begun_and_in_time() {
    let issuer = RealIssuer::start().await;
    issuer.knows("ada", claims("ada@example.com", "Ada")).await;
    let platform = platform(&issuer.url, |_| {}).await;
    let (mine, other) = (start(&platform, "main").await, start(&platform, "main").await);
    let callback = Browser::new().sign_in(&mine.url, "ada").await;
    for secret in [&other.secret, "", "pulse_ot_guessed"] {
        let answer = complete(&platform, &callback, secret).await;
        assert_eq!(refusal(&answer), ("BAD_USER_INPUT", "input.state"), "{secret}");
    }
    let mut forged = callback.clone();
    forged.state = "guessed".to_owned();
    let answer = complete(&platform, &forged, &mine.secret).await;
    assert_eq!(refusal(&answer), ("BAD_USER_INPUT", "input.state"));
    assert_eq!(counts(&platform).await, (0, 0));
    // Whoever has tried has not used it up.
    let begun = Begun { url: mine.url, secret: mine.secret };
    payload(&complete(&platform, &callback, &begun.secret).await, "completeSignIn");
    // What takes too long is refused like what never was.
    let mut connection = platform.database.connect().await.unwrap();
    let late = start(&platform, "main").await;
    let callback = Browser::new().sign_in(&late.url, "ada").await;
    let age = "UPDATE accounts.oidc_attempts SET expires_at = now() - interval '1 s'";
    sqlx::raw_sql(age).execute(&mut connection).await.unwrap();
    let answer = complete(&platform, &callback, &late.secret).await;
    assert_eq!(refusal(&answer), ("BAD_USER_INPUT", "input.state"));
}

#[tokio::test]
async fn a_page_that_is_not_listed_exactly_is_none_to_come_back_to() {
    let issuer = RealIssuer::start().await;
    let platform = platform(&issuer.url, |_| {}).await;
    for page in [
        "http://localhost:3000/sign-in/callback/",
        "http://localhost:3000/sign-in/callback?a=b",
        "http://LOCALHOST:3000/sign-in/callback",
        "https://localhost:3000/sign-in/callback",
        "https://evil.example/",
        "",
    ] {
        let input = json!({ "input": { "providerId": "main", "redirectUri": page } });
        let answer = platform.graphql(None, START, input).await;
        assert_eq!(refusal(&answer), ("BAD_USER_INPUT", "input.redirectUri"), "{page}");
    }
    let input = json!({ "input": { "providerId": "another", "redirectUri": PAGE } });
    let answer = platform.graphql(None, START, input).await;
    assert_eq!(refusal(&answer), ("NOT_FOUND", "input.providerId"));
    // The issuer has its own list.
    let url = start(&platform, "main").await.url;
    let elsewhere = url.replace("callback", "elsewhere");
    assert_eq!(Browser::new().get(&elsewhere).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn only_who_gets_mail_at_an_address_gets_an_account_for_it() {
    let issuer = RealIssuer::start().await;
    let platform = platform(&issuer.url, |_| {}).await;
    let people: [(&str, Value); 3] = [
        ("unverified", json!({ "email": "u@example.com", "email_verified": false })),
        ("silent", json!({ "email": "s@example.com" })),
        ("nameless", json!({ "name": "Nobody" })),
    ];
    for (login, claims) in people {
        issuer.knows(login, claims).await;
        assert_eq!(refusal(&sign_in(&platform, "main", login).await), ("FORBIDDEN", ""), "{login}");
    }
    assert_eq!(counts(&platform).await, (0, 0));
}

#[tokio::test]
async fn an_issuer_that_makes_no_accounts_signs_in_nobody_new() {
    let issuer = RealIssuer::start().await;
    issuer.knows("ada", claims("ada@example.com", "Ada")).await;
    let platform = platform(&issuer.url, |provider| provider.sign_up = false).await;
    let answer = sign_in(&platform, "main", "ada").await;
    assert_eq!(refusal(&answer), ("FORBIDDEN", ""));
    assert!(answer.message().starts_with("you have no account here"), "{}", answer.message());
}
