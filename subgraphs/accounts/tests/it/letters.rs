//! What is done by mail: confirming addresses, setting passwords, signing in.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::harness::{Accounts, PASSWORD, Person, email, show};

const VERIFY: &str = "mutation ($token: String!) { verifyEmail(input: { token: $token }) { email } }";
const ASK_RESET: &str =
    "mutation ($email: String!) { requestPasswordReset(input: { email: $email }) { accepted } }";
const RESET: &str = "mutation ($token: String!, $password: String!) {
    resetPassword(input: { token: $token, newPassword: $password }) { reset } }";
const ASK_LINK: &str =
    "mutation ($email: String!) { requestSignInLink(input: { email: $email }) { accepted } }";
const LINK: &str = "mutation ($token: String!) { signInWithLink(input: { token: $token }) {
    accessToken refreshToken user { name emailVerified } organization { slug } } }";
const SIGN_IN: &str = "mutation ($email: String!, $password: String!) {
    signIn(input: { email: $email, password: $password }) { accessToken refreshToken } }";
const REFRESH: &str =
    "mutation ($token: String!) { refreshSession(input: { refreshToken: $token }) { refreshToken } }";

const NEW_PASSWORD: &str = "quite another password";

async fn anonymously(accounts: &Accounts, query: &str, variables: Value) -> Value {
    accounts.run(&accounts.anonymous(), query, variables).await
}

/// Somebody whose letter of welcome was read.
async fn registered(accounts: &Accounts, name: &str) -> Person {
    let person = accounts.register(name).await;
    accounts.letters().await;
    person
}

async fn is_verified(accounts: &Accounts, person: &Person) -> Value {
    accounts.data(&person.caller, "{ me { emailVerified } }", json!({})).await["me"]["emailVerified"].take()
}

#[tokio::test]
async fn registering_sends_a_letter_that_confirms_the_address_once() {
    let accounts = Accounts::new().await;
    let ada = accounts.register("Ada").await;
    assert_eq!(is_verified(&accounts, &ada).await, false);
    let letter = accounts.letter().await;
    assert_eq!(
        (letter.to.as_str(), letter.subject.as_str()),
        ("ada@example.com", "Confirm your email address")
    );
    assert!(letter.body.contains("good once, and for 1 day."), "{}", letter.body);
    let used = json!({ "token": letter.token() });
    assert_snapshot!(show(&anonymously(&accounts, VERIFY, used.clone()).await), @r#"{"data":{"verifyEmail":{"email":"ada@example.com"}}}"#);
    assert_eq!(is_verified(&accounts, &ada).await, true);
    assert_snapshot!(show(&anonymously(&accounts, VERIFY, used).await), @r#"{"errors":[{"message":"this link was used already, or its time is over: ask for a new one","extensions":{"code":"BAD_USER_INPUT","field":"input.token"},"path":["verifyEmail"]}],"data":null}"#);
    let facts = "SELECT count(*) FROM platform.audit WHERE action = 'user:verify_email'";
    assert_eq!(accounts.count(facts).await, 1);
    // There is nothing more to confirm.
    accounts.data(&ada.caller, "mutation { requestEmailVerification { accepted } }", json!({})).await;
    assert!(accounts.letters().await.is_empty());
}

#[tokio::test]
async fn a_token_is_good_for_its_purpose_and_time_and_until_the_next_one() {
    let accounts = Accounts::new().await;
    let ada = accounts.register("Ada").await;
    let first = accounts.letter().await.token();
    assert_eq!(anonymously(&accounts, LINK, json!({ "token": first })).await["data"], Value::Null);
    accounts.data(&ada.caller, "mutation { requestEmailVerification { accepted } }", json!({})).await;
    let second = accounts.letter().await.token();
    assert_eq!(anonymously(&accounts, VERIFY, json!({ "token": first })).await["data"], Value::Null);
    accounts.pass(24 * 3600);
    assert_eq!(anonymously(&accounts, VERIFY, json!({ "token": second })).await["data"], Value::Null);
    assert_eq!(is_verified(&accounts, &ada).await, false);
}

#[tokio::test]
async fn nothing_in_the_database_is_a_token_or_an_address_in_a_job() {
    let accounts = Accounts::new().await;
    registered(&accounts, "Ada").await;
    anonymously(&accounts, ASK_RESET, json!({ "email": email("Ada") })).await;
    let job = "SELECT count(*) FROM platform.jobs WHERE payload::text LIKE '%ada@%'";
    assert_eq!(accounts.count(job).await, 0);
    let token = accounts.letter().await.token();
    let mut connection = accounts.database.connect().await.unwrap();
    let dump: String = sqlx::query_scalar("SELECT string_agg(t::text, ' ') FROM accounts.one_time_tokens t")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert!(dump.contains("reset_password") && !dump.contains(&token), "{dump}");
}

#[tokio::test]
async fn a_new_password_ends_every_session_and_every_other_letter() {
    let accounts = Accounts::new().await;
    let ada = registered(&accounts, "Ada").await;
    anonymously(&accounts, ASK_LINK, json!({ "email": email("Ada") })).await;
    let link = accounts.letter().await.token();
    anonymously(&accounts, ASK_RESET, json!({ "email": email("Ada") })).await;
    let letter = accounts.letter().await;
    assert_eq!(letter.subject, "Set a new password");
    let with = |password: &str| json!({ "token": letter.token(), "password": password });
    // What is refused uses nothing up.
    assert_snapshot!(show(&anonymously(&accounts, RESET, with("short")).await), @r#"{"errors":[{"message":"a password has 12 to 128 characters, this one has 5","extensions":{"code":"BAD_USER_INPUT","field":"input.newPassword"},"path":["resetPassword"]}],"data":null}"#);
    assert_snapshot!(show(&anonymously(&accounts, RESET, with(NEW_PASSWORD)).await), @r#"{"data":{"resetPassword":{"reset":true}}}"#);
    assert_eq!(anonymously(&accounts, RESET, with(NEW_PASSWORD)).await["data"], Value::Null);

    let credentials = |password: &str| json!({ "email": email("Ada"), "password": password });
    assert_eq!(anonymously(&accounts, SIGN_IN, credentials(PASSWORD)).await["data"], Value::Null);
    assert_eq!(anonymously(&accounts, SIGN_IN, credentials(NEW_PASSWORD)).await.get("errors"), None);
    assert_eq!(
        anonymously(&accounts, REFRESH, json!({ "token": ada.refresh_token })).await["data"],
        Value::Null
    );
    assert_eq!(anonymously(&accounts, LINK, json!({ "token": link })).await["data"], Value::Null);
    let ended =
        "SELECT count(*) FROM platform.outbox WHERE subject = 'accounts.session' AND kind = 'deleted'";
    assert_eq!(accounts.count(ended).await, 1);
    assert_eq!(accounts.letter().await.subject, "Your password was changed");
}

#[tokio::test]
async fn asking_says_the_same_for_an_address_that_nobody_has() {
    let accounts = Accounts::new().await;
    registered(&accounts, "Ada").await;
    for query in [ASK_RESET, ASK_LINK] {
        let count = || accounts.store.statistics().statements();
        let before = count();
        let known = anonymously(&accounts, query, json!({ "email": email("Ada") })).await;
        let between = count();
        let unknown = anonymously(&accounts, query, json!({ "email": email("Nobody") })).await;
        assert_eq!(known, unknown);
        assert_eq!(between - before, count() - between, "the same work is done for both");
    }
    let letters = accounts.letters().await;
    assert_eq!(
        letters.iter().map(|letter| letter.to.as_str()).collect::<Vec<_>>(),
        [email("Ada"), email("Ada")]
    );
}

#[tokio::test]
async fn a_link_signs_in_once_and_confirms_the_address() {
    let accounts = Accounts::new().await;
    let ada = registered(&accounts, "Ada").await;
    accounts.found(&ada, "acme").await;
    anonymously(&accounts, ASK_LINK, json!({ "email": " ADA@example.com" })).await;
    let letter = accounts.letter().await;
    assert_eq!(letter.subject, "Sign in");
    let token = json!({ "token": letter.token() });
    assert_snapshot!(show(&anonymously(&accounts, LINK, token.clone()).await), @r#"{"data":{"signInWithLink":{"accessToken":"[access token]","refreshToken":"[refresh token]","user":{"name":"Ada","emailVerified":null},"organization":{"slug":"acme"}}}}"#);
    assert_eq!(is_verified(&accounts, &ada).await, true);
    assert_eq!(anonymously(&accounts, LINK, token).await["data"], Value::Null);
}

#[tokio::test]
async fn of_two_who_use_a_link_at_once_one_gets_in() {
    let accounts = Accounts::new().await;
    registered(&accounts, "Ada").await;
    anonymously(&accounts, ASK_LINK, json!({ "email": email("Ada") })).await;
    let token = json!({ "token": accounts.letter().await.token() });
    let (one, other) =
        tokio::join!(anonymously(&accounts, LINK, token.clone()), anonymously(&accounts, LINK, token));
    let signed_in = [one, other].iter().filter(|response| response.get("errors").is_none()).count();
    assert_eq!(signed_in, 1);
}

#[tokio::test]
async fn another_address_is_had_once_its_owner_says_so() {
    let accounts = Accounts::new().await;
    let ada = registered(&accounts, "Ada").await;
    let ask = "mutation ($email: String!, $password: String!) {
        requestEmailChange(input: { email: $email, password: $password }) { accepted } }";
    let with = |password: &str| json!({ "email": "countess@example.com", "password": password });
    assert_snapshot!(show(&accounts.run(&ada.caller, ask, with("not the password")).await), @r#"{"errors":[{"message":"this is not your password","extensions":{"code":"FORBIDDEN","field":"input.password"},"path":["requestEmailChange"]}],"data":null}"#);
    accounts.data(&ada.caller, ask, with(PASSWORD)).await;
    let letter = accounts.letter().await;
    assert_eq!(letter.to, "countess@example.com");
    let confirm = "mutation ($token: String!) { confirmEmailChange(input: { token: $token }) { email } }";
    let confirmed = anonymously(&accounts, confirm, json!({ "token": letter.token() })).await;
    assert_snapshot!(show(&confirmed), @r#"{"data":{"confirmEmailChange":{"email":"countess@example.com"}}}"#);
    let told = accounts.letter().await;
    assert_eq!(
        (told.to.as_str(), told.subject.as_str()),
        ("ada@example.com", "Your email address was changed")
    );
    let kept = "SELECT count(*) FROM accounts.user_history WHERE value->>'email' = 'ada@example.com'";
    assert_eq!(accounts.count(kept).await, 1);
    let credentials = json!({ "email": "countess@example.com", "password": PASSWORD });
    assert_eq!(anonymously(&accounts, SIGN_IN, credentials).await.get("errors"), None);
}

#[tokio::test]
async fn an_address_that_somebody_took_meanwhile_is_not_had() {
    let accounts = Accounts::new().await;
    let ada = registered(&accounts, "Ada").await;
    let ask = "mutation ($password: String!) {
        requestEmailChange(input: { email: \"bea@example.com\", password: $password }) { accepted } }";
    accounts.data(&ada.caller, ask, json!({ "password": PASSWORD })).await;
    let token = accounts.letter().await.token();
    registered(&accounts, "Bea").await;
    let confirm = "mutation ($token: String!) { confirmEmailChange(input: { token: $token }) { email } }";
    assert_snapshot!(show(&anonymously(&accounts, confirm, json!({ "token": token })).await), @r#"{"errors":[{"message":"somebody has registered with this email address meanwhile: choose another one","extensions":{"code":"CONFLICT","field":"input.token"},"path":["confirmEmailChange"]}],"data":null}"#);
}

#[tokio::test]
async fn changing_the_password_ends_the_other_sessions_alone() {
    let accounts = Accounts::new().await;
    let ada = registered(&accounts, "Ada").await;
    let credentials = json!({ "email": email("Ada"), "password": PASSWORD });
    let other = anonymously(&accounts, SIGN_IN, credentials).await;
    let other = accounts.person(&other["data"]["signIn"]);
    let change = "mutation ($old: String!, $new: String!) {
        changePassword(input: { password: $old, newPassword: $new }) { changed } }";
    let with = |old: &str| json!({ "old": old, "new": NEW_PASSWORD });
    let wrong = accounts.run(&ada.caller, change, with("not the password")).await;
    assert_eq!(wrong["errors"][0]["extensions"]["field"], "input.password");
    accounts.data(&ada.caller, change, with(PASSWORD)).await;
    assert_eq!(
        anonymously(&accounts, REFRESH, json!({ "token": other.refresh_token })).await["data"],
        Value::Null
    );
    assert_eq!(
        anonymously(&accounts, REFRESH, json!({ "token": ada.refresh_token })).await.get("errors"),
        None
    );
}

#[tokio::test]
async fn a_hash_of_another_cost_is_made_anew_at_the_next_sign_in() {
    let accounts = Accounts::new().await;
    registered(&accounts, "Ada").await;
    // As hashes were made when the cost was another one; it is that of `PASSWORD`.
    let dear = argon2::Argon2::new(
        argon2::Algorithm::Argon2id,
        argon2::Version::V0x13,
        argon2::Params::new(16, 2, 1, None).unwrap(),
    );
    let salt = argon2::password_hash::SaltString::encode_b64(&[7; 16]).unwrap();
    let hash = argon2::PasswordHasher::hash_password(&dear, PASSWORD.as_bytes(), &salt).unwrap().to_string();
    let mut connection = accounts.database.connect().await.unwrap();
    sqlx::query("UPDATE accounts.credentials SET password_hash = $1")
        .bind(hash)
        .execute(&mut connection)
        .await
        .unwrap();
    let credentials = json!({ "email": email("Ada"), "password": PASSWORD });
    for _ in 0..2 {
        assert_eq!(anonymously(&accounts, SIGN_IN, credentials.clone()).await.get("errors"), None);
        let anew = "SELECT count(*) FROM accounts.credentials WHERE password_hash LIKE '$argon2id$v=19$m=8,t=1,p=1$%'";
        assert_eq!(accounts.count(anew).await, 1);
    }
}

#[tokio::test]
async fn without_a_way_to_send_mail_letters_wait_and_say_why() {
    let accounts = Accounts::with(|config| config.mail.folder = std::path::PathBuf::new()).await;
    accounts.register("Ada").await;
    assert!(accounts.letters().await.is_empty());
    let waits = "SELECT count(*) FROM platform.jobs WHERE kind = 'accounts.mail' AND status = 'pending'
                    AND error LIKE 'no mail can be sent: set accounts.mail.smtp_url%'";
    assert_eq!(accounts.count(waits).await, 1);
}
