//! Accounts of before, and who their people are at an issuer.

use pulse_tests::{Answer, PASSWORD, Person, TestPlatform};
use serde_json::{Value, json};

use super::browser::Browser;
use super::real::{RealIssuer, claims};
use super::{Begun, PAGE, completing, counts, is_over, payload, platform, refusal, sign_in};

const START_LINK: &str =
    "mutation ($input: StartLinkInput!) { startLink(input: $input) { authorizationUrl browserSecret } }";
const LINK: &str =
    "mutation ($input: LinkIdentityInput!) { linkIdentity(input: $input) { identity { id issuer } } }";
const UNLINK: &str = "mutation ($id: ID!) { unlinkIdentity(input: { identityId: $id }) { identityId } }";

async fn start_link(platform: &TestPlatform, token: &str, password: Option<&str>) -> Answer {
    let input = json!({ "providerId": "main", "redirectUri": PAGE, "password": password });
    platform.graphql(Some(token), START_LINK, json!({ "input": input })).await
}

async fn link(platform: &TestPlatform, token: &str, login: &str) -> Answer {
    let answer = start_link(platform, token, Some(PASSWORD)).await;
    let begun = Begun::of(payload(&answer, "startLink")).unwrap();
    let callback = Browser::new().sign_in(&begun.url, login).await;
    let input = completing(&callback, &begun.secret);
    platform.graphql(Some(token), LINK, json!({ "input": input })).await
}

/// Has the address of a person confirmed, as its letter would.
async fn confirm(platform: &TestPlatform, email: &str) {
    let mut connection = platform.database.connect().await.unwrap();
    let confirm = "UPDATE accounts.users SET email_verified_at = now() WHERE email = $1";
    sqlx::query(confirm).bind(email).execute(&mut connection).await.unwrap();
}

#[tokio::test]
async fn an_account_of_before_is_linked_by_its_person_alone_unless_the_issuer_is_trusted() {
    let issuer = RealIssuer::start().await;
    issuer.knows("ada", claims("ada@example.com", "Ada")).await;
    let platform = platform(&issuer.url, |_| {}).await;
    let ada = Person::register(&platform, "ada@example.com").await;
    confirm(&platform, "ada@example.com").await;
    let answer = sign_in(&platform, "main", "ada").await;
    assert_eq!(refusal(&answer), ("CONFLICT", ""));
    assert!(answer.message().contains("then link the two"), "{}", answer.message());
    // An open session alone is no way to make another way in.
    let answer = start_link(&platform, &ada.token, None).await;
    assert_eq!(refusal(&answer), ("BAD_USER_INPUT", "input.password"));
    let answer = start_link(&platform, &ada.token, Some("not the password")).await;
    assert_eq!(refusal(&answer), ("FORBIDDEN", "input.password"));
    let answer = link(&platform, &ada.token, "ada").await;
    let identity = payload(&answer, "linkIdentity")["identity"]["id"].clone();
    let answer = sign_in(&platform, "main", "ada").await;
    let session = payload(&answer, "completeSignIn");
    assert_eq!(session["user"]["id"], json!(ada.id));
    // Unlinked, it signs in nobody, and the session that it has begun is over.
    let begun_by_it = session["accessToken"].as_str().unwrap();
    let answer = platform.graphql(Some(&ada.token), UNLINK, json!({ "id": identity })).await;
    assert_eq!(payload(&answer, "unlinkIdentity")["identityId"], identity);
    is_over(&platform, begun_by_it).await;
    assert_eq!(refusal(&sign_in(&platform, "main", "ada").await).0, "CONFLICT");
    let again = platform.graphql(Some(&ada.token), UNLINK, json!({ "id": identity })).await;
    assert_eq!(refusal(&again), ("NOT_FOUND", "input.identityId"));
}

#[tokio::test]
async fn a_trusted_issuer_links_by_an_address_that_both_sides_know() {
    let issuer = RealIssuer::start().await;
    issuer.knows("ada", claims("ada@example.com", "Ada")).await;
    issuer.knows("bob", claims("bob@elsewhere.example", "Bob")).await;
    let platform = platform(&issuer.url, |provider| provider.domains = vec!["Example.com".to_owned()]).await;
    let ada = Person::register(&platform, "ada@example.com").await;
    Person::register(&platform, "bob@elsewhere.example").await;
    confirm(&platform, "bob@elsewhere.example").await;
    // Whoever has registered with her address may be somebody else, who waits for her to come.
    let answer = sign_in(&platform, "main", "ada").await;
    assert_eq!(refusal(&answer), ("CONFLICT", ""));
    assert!(answer.message().contains("never confirmed it"), "{}", answer.message());
    confirm(&platform, "ada@example.com").await;
    let answer = sign_in(&platform, "main", "ada").await;
    assert_eq!(payload(&answer, "completeSignIn")["user"]["id"], json!(ada.id));
    // It is not trusted with the addresses of others.
    assert_eq!(refusal(&sign_in(&platform, "main", "bob").await), ("CONFLICT", ""));
}

#[tokio::test]
async fn an_identity_is_one_persons_and_the_last_way_in_stays() {
    let issuer = RealIssuer::start().await;
    issuer.knows("ada", claims("ada@example.com", "Ada")).await;
    let platform = platform(&issuer.url, |_| {}).await;
    let answer = sign_in(&platform, "main", "ada").await;
    let token = payload(&answer, "completeSignIn")["accessToken"].as_str().unwrap().to_owned();
    let eve = Person::register(&platform, "eve@example.com").await;
    assert_eq!(refusal(&link(&platform, &eve.token, "ada").await), ("CONFLICT", ""));
    let identities = |me: Value| me["me"]["identities"].clone();
    let of_eve = platform.data(&eve.token, "{ me { identities { id } } }", json!({})).await;
    assert_eq!(identities(of_eve), json!([]));
    let of_ada = identities(platform.data(&token, "{ me { identities { id } } }", json!({})).await);
    let id = &of_ada[0]["id"];
    let answer = platform.graphql(Some(&eve.token), UNLINK, json!({ "id": id })).await;
    assert_eq!(refusal(&answer), ("NOT_FOUND", "input.identityId"));
    let answer = platform.graphql(Some(&token), UNLINK, json!({ "id": id })).await;
    assert_eq!(refusal(&answer), ("CONFLICT", "input.identityId"));
    // Another person's link that is on the way is not hers to end.
    let answer = start_link(&platform, &eve.token, Some(PASSWORD)).await;
    let begun = Begun::of(payload(&answer, "startLink")).unwrap();
    let callback = Browser::new().sign_in(&begun.url, "ada").await;
    let input = json!({ "input": completing(&callback, &begun.secret) });
    let answer = platform.graphql(Some(&token), LINK, input.clone()).await;
    assert_eq!(refusal(&answer), ("BAD_USER_INPUT", "input.state"));
    // Nor can it be used to sign in.
    let answer = super::complete(&platform, &callback, &begun.secret).await;
    assert_eq!(refusal(&answer), ("BAD_USER_INPUT", "input.state"));
    assert_eq!(counts(&platform).await.0, 2);
}
