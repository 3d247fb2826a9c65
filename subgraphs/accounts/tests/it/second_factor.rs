//! Codes of an app and recovery codes, asked after whatever way in.

use std::sync::Arc;

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, Mac};
use insta::assert_snapshot;
use pulse_accounts::{Resealed, Resealer};
use pulse_sealing::Sealer;
use pulse_types::{Caller, Origin, Secret};
use serde_json::{Value, json};
use sha1::Sha1;

use crate::harness::{Accounts, PASSWORD, Person, email, show};

const SIGN_IN: &str = "mutation ($email: String!, $password: String!) {
    signIn(input: { email: $email, password: $password }) {
        accessToken refreshToken user { name } challenge { token expiresAt kinds } } }";
const COMPLETE: &str = "mutation ($challenge: String!, $code: String, $recovery: String) {
    verifySecondFactor(input: { challenge: $challenge, code: $code, recoveryCode: $recovery }) {
        accessToken refreshToken user { name } organization { slug } } }";
const BEGIN: &str =
    "mutation ($password: String!) { beginTotp(input: { password: $password }) { secret uri expiresAt } }";
const CONFIRM: &str = "mutation ($code: String!) { confirmTotp(input: { code: $code }) { recoveryCodes } }";
const REMOVE: &str = "mutation ($password: String, $code: String) {
    removeTotp(input: { password: $password, code: $code }) { removed } }";
const STATE: &str = "{ me { secondFactor { confirmedAt recoveryCodesLeft } } }";

/// Somebody of whom codes are asked.
pub(crate) struct Enrolled {
    pub(crate) person: Person,
    secret: String,
    recovery: Vec<String>,
}

/// What an app shows.
fn code(accounts: &Accounts, secret: &str) -> String {
    let key = BASE32_NOPAD.decode(secret.as_bytes()).unwrap();
    let step = accounts.store.clock().now().timestamp() / 30;
    let mut mac = Hmac::<Sha1>::new_from_slice(&key).unwrap();
    mac.update(&step.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let at = usize::from(digest[19] & 15);
    let number = u32::from_be_bytes(digest[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

/// Another code than that one.
fn wrong(right: &str) -> String {
    format!("{:06}", (right.parse::<u32>().unwrap() + 500_000) % 1_000_000)
}

pub(crate) async fn enrol(accounts: &Accounts, name: &str) -> Enrolled {
    let person = accounts.register(name).await;
    let begun = accounts.data(&person.caller, BEGIN, json!({ "password": PASSWORD })).await;
    let secret = begun["beginTotp"]["secret"].as_str().unwrap().to_owned();
    let variables = json!({ "code": code(accounts, &secret) });
    let confirmed = accounts.data(&person.caller, CONFIRM, variables).await;
    let codes = confirmed["confirmTotp"]["recoveryCodes"].as_array().unwrap();
    let recovery = codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect();
    accounts.letters().await;
    // The code that confirmed is good for nothing else.
    accounts.pass(30);
    Enrolled { person, secret, recovery }
}

async fn challenge(accounts: &Accounts, caller: &Caller, name: &str) -> String {
    let variables = json!({ "email": email(name), "password": PASSWORD });
    let data = accounts.data(caller, SIGN_IN, variables).await;
    data["signIn"]["challenge"]["token"].as_str().unwrap().to_owned()
}

async fn complete(accounts: &Accounts, caller: &Caller, challenge: &str, code: &str) -> Value {
    accounts.run(caller, COMPLETE, json!({ "challenge": challenge, "code": code })).await
}

async fn recover(accounts: &Accounts, challenge: &str, code: &str) -> Value {
    let variables = json!({ "challenge": challenge, "recovery": code });
    accounts.run(&accounts.anonymous(), COMPLETE, variables).await
}

fn error_code(response: &Value) -> &str {
    response["errors"][0]["extensions"]["code"].as_str().unwrap_or_else(|| panic!("{response}"))
}

fn from(accounts: &Accounts, address: &str) -> Caller {
    let origin = Origin::new(Some(address.parse().unwrap()), None);
    Caller { origin: Some(Arc::new(origin)), ..accounts.anonymous() }
}

#[tokio::test]
async fn an_app_is_confirmed_and_then_asked_for() {
    let accounts = Accounts::new().await;
    let ada = accounts.register("Ada").await;
    accounts.letters().await;
    let begun = accounts.data(&ada.caller, BEGIN, json!({ "password": PASSWORD })).await;
    let secret = begun["beginTotp"]["secret"].as_str().unwrap();
    let uri = format!(
        "otpauth://totp/Pulse:ada%40example%2Ecom?secret={secret}&issuer=Pulse&algorithm=SHA1&digits=6&period=30"
    );
    assert_eq!(begun["beginTotp"]["uri"], uri.as_str());
    // Nothing is asked before it is confirmed.
    assert_eq!(accounts.data(&ada.caller, STATE, json!({})).await, json!({ "me": { "secondFactor": null } }));
    let variables = json!({ "email": email("Ada"), "password": PASSWORD });
    let other = accounts.data(&accounts.anonymous(), SIGN_IN, variables.clone()).await;
    assert_eq!(other["signIn"]["challenge"], Value::Null);
    let right = code(&accounts, secret);
    let response = accounts.run(&ada.caller, CONFIRM, json!({ "code": wrong(&right) })).await;
    assert_snapshot!(show(&response), @r#"{"errors":[{"message":"this code is not right, or was used already: take the next one that your app shows","extensions":{"code":"FORBIDDEN","field":"input.code"},"path":["confirmTotp"]}],"data":null}"#);
    let confirmed = accounts.data(&ada.caller, CONFIRM, json!({ "code": right })).await;
    assert_eq!(confirmed["confirmTotp"]["recoveryCodes"].as_array().map(Vec::len), Some(10));
    let state = accounts.data(&ada.caller, STATE, json!({})).await;
    assert_eq!(state["me"]["secondFactor"]["recoveryCodesLeft"], 10);
    // Whoever was signed in elsewhere is no more, and the person is told.
    let ended = "SELECT count(*) FROM accounts.sessions WHERE end_reason = 'factor_changed'";
    assert_eq!(accounts.count(ended).await, 1);
    let letter = accounts.letter().await;
    assert_eq!(
        (letter.to.as_str(), letter.subject.as_str()),
        ("ada@example.com", "A code is asked when you sign in")
    );

    accounts.pass(30);
    let asked = accounts.data(&accounts.anonymous(), SIGN_IN, variables).await;
    let fields = &asked["signIn"];
    assert_eq!(
        (&fields["accessToken"], &fields["refreshToken"], &fields["user"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    assert_eq!(fields["challenge"]["kinds"], json!(["TOTP", "RECOVERY_CODE"]));
    assert_eq!(fields["challenge"]["expiresAt"], "2027-01-15T08:05:31+00:00");
    let token = fields["challenge"]["token"].as_str().unwrap();
    let done = complete(&accounts, &accounts.anonymous(), token, &code(&accounts, secret)).await;
    assert_snapshot!(show(&done), @r#"{"data":{"verifySecondFactor":{"accessToken":"[access token]","refreshToken":"[refresh token]","user":{"name":"Ada"},"organization":null}}}"#);
    assert_eq!(accounts.person(&done["data"]["verifySecondFactor"]).id, ada.id);
}

#[tokio::test]
async fn a_code_and_a_challenge_are_good_once_also_at_the_same_time() {
    let accounts = Accounts::new().await;
    let ada = enrol(&accounts, "Ada").await;
    let nobody = accounts.anonymous();
    let mut challenges = Vec::new();
    for _ in 0..5 {
        challenges.push(challenge(&accounts, &nobody, "Ada").await);
    }
    let shown = code(&accounts, &ada.secret);
    let all = challenges.iter().map(|challenge| complete(&accounts, &nobody, challenge, &shown));
    let responses = futures::future::join_all(all).await;
    let (right, refused): (Vec<_>, Vec<_>) = responses.iter().partition(|one| one.get("errors").is_none());
    assert_eq!((right.len(), refused.len()), (1, 4));
    assert!(refused.iter().all(|one| error_code(one) == "UNAUTHENTICATED"), "{refused:?}");
    // The next code goes on with another challenge, but not with the one that was answered.
    accounts.pass(30);
    let winner = responses.iter().position(|one| one.get("errors").is_none()).unwrap();
    let next = code(&accounts, &ada.secret);
    let again = complete(&accounts, &nobody, &challenges[winner], &next).await;
    assert_snapshot!(show(&again), @r#"{"errors":[{"message":"this sign-in was not finished in time, or has ended: begin again","extensions":{"code":"BAD_USER_INPUT","field":"input.challenge"},"path":["verifySecondFactor"]}],"data":null}"#);
    let other = challenges.iter().enumerate().find(|(index, _)| *index != winner).unwrap().1;
    let on = complete(&accounts, &nobody, other, &next).await;
    assert_eq!(on.get("errors"), None, "{on}");
}

#[tokio::test]
async fn a_challenge_takes_few_wrong_codes_and_ends_with_its_time() {
    let accounts = Accounts::new().await;
    let ada = enrol(&accounts, "Ada").await;
    let nobody = accounts.anonymous();
    let token = challenge(&accounts, &nobody, "Ada").await;
    for _ in 0..5 {
        let bad = wrong(&code(&accounts, &ada.secret));
        assert_eq!(error_code(&complete(&accounts, &nobody, &token, &bad).await), "UNAUTHENTICATED");
    }
    let right = code(&accounts, &ada.secret);
    assert_eq!(error_code(&complete(&accounts, &nobody, &token, &right).await), "BAD_USER_INPUT");
    assert_eq!(accounts.letter().await.subject, "Somebody knows how to sign in as you");
    let late = challenge(&accounts, &nobody, "Ada").await;
    accounts.pass(300);
    let right = code(&accounts, &ada.secret);
    assert_eq!(error_code(&complete(&accounts, &nobody, &late, &right).await), "BAD_USER_INPUT");
    assert_eq!(error_code(&complete(&accounts, &nobody, "pulse_sc_none", &right).await), "BAD_USER_INPUT");
    // Another password, and what was begun with the old one is over.
    let begun = challenge(&accounts, &nobody, "Ada").await;
    let change = "mutation ($old: String!) {
        changePassword(input: { password: $old, newPassword: \"quite another secret\" }) { changed } }";
    accounts.data(&ada.person.caller, change, json!({ "old": PASSWORD })).await;
    assert_eq!(error_code(&complete(&accounts, &nobody, &begun, &right).await), "BAD_USER_INPUT");
    let both = json!({ "challenge": begun, "code": right, "recovery": ada.recovery[0] });
    assert_snapshot!(show(&accounts.run(&nobody, COMPLETE, both).await), @r#"{"errors":[{"message":"give a code of your app, a recovery code or a passkey, and one of them alone","extensions":{"code":"BAD_USER_INPUT","field":"input"},"path":["verifySecondFactor"]}],"data":null}"#);
}

#[tokio::test]
async fn a_recovery_code_is_good_once_and_others_take_its_place() {
    let accounts = Accounts::new().await;
    let ada = enrol(&accounts, "Ada").await;
    let nobody = accounts.anonymous();
    let (first, second) =
        (challenge(&accounts, &nobody, "Ada").await, challenge(&accounts, &nobody, "Ada").await);
    let written = ada.recovery[0].to_uppercase().replace('-', " ");
    let (one, other) =
        tokio::join!(recover(&accounts, &first, &written), recover(&accounts, &second, &ada.recovery[0]));
    let refused: Vec<_> = [&one, &other].into_iter().filter(|one| one.get("errors").is_some()).collect();
    assert_eq!(refused.len(), 1, "{one} {other}");
    assert_eq!(error_code(refused[0]), "UNAUTHENTICATED");
    assert_eq!(accounts.letter().await.subject, "A recovery code was used");
    let state = accounts.data(&ada.person.caller, STATE, json!({})).await;
    assert_eq!(state["me"]["secondFactor"]["recoveryCodesLeft"], 9);
    let replace = "mutation ($code: String, $password: String) {
        replaceRecoveryCodes(input: { code: $code, password: $password }) { recoveryCodes } }";
    let shown = json!({ "code": code(&accounts, &ada.secret) });
    let data = accounts.data(&ada.person.caller, replace, shown).await;
    let fresh = data["replaceRecoveryCodes"]["recoveryCodes"][0].as_str().unwrap().to_owned();
    assert_eq!(accounts.letter().await.subject, "You have new recovery codes");
    let third = challenge(&accounts, &nobody, "Ada").await;
    assert_eq!(error_code(&recover(&accounts, &third, &ada.recovery[1]).await), "UNAUTHENTICATED");
    assert_eq!(recover(&accounts, &third, &fresh).await.get("errors"), None);
}

#[tokio::test]
async fn a_link_and_registering_again_do_not_go_round_it() {
    let accounts = Accounts::new().await;
    let ada = enrol(&accounts, "Ada").await;
    let nobody = accounts.anonymous();
    let ask = "mutation { requestSignInLink(input: { email: \"ada@example.com\" }) { accepted } }";
    accounts.data(&nobody, ask, json!({})).await;
    let link = accounts.letter().await.token();
    let sign_in = "mutation ($token: String!) {
        signInWithLink(input: { token: $token }) { accessToken challenge { token } } }";
    let data = accounts.data(&nobody, sign_in, json!({ "token": link })).await;
    assert_eq!(data["signInWithLink"]["accessToken"], Value::Null);
    let token = data["signInWithLink"]["challenge"]["token"].as_str().unwrap();
    let done = complete(&accounts, &nobody, token, &code(&accounts, &ada.secret)).await;
    assert_eq!(done.get("errors"), None, "{done}");

    let register = "mutation ($input: RegisterInput!) { register(input: $input) { accessToken } }";
    let input = json!({ "email": email("Bea"), "password": PASSWORD, "name": "Bea", "idempotencyKey": "k" });
    let bea = accounts.data(&nobody, register, json!({ "input": input })).await;
    let bea = accounts.person(&bea["register"]);
    let begun = accounts.data(&bea.caller, BEGIN, json!({ "password": PASSWORD })).await;
    let shown = json!({ "code": code(&accounts, begun["beginTotp"]["secret"].as_str().unwrap()) });
    accounts.data(&bea.caller, CONFIRM, shown).await;
    let again = accounts.run(&nobody, register, json!({ "input": input })).await;
    assert_eq!(error_code(&again), "CONFLICT");
}

#[tokio::test]
async fn it_is_removed_by_whoever_shows_that_it_is_the_person() {
    let accounts = Accounts::new().await;
    let ada = enrol(&accounts, "Ada").await;
    let caller = &ada.person.caller;
    let neither = accounts.run(caller, REMOVE, json!({})).await;
    assert_snapshot!(show(&neither), @r#"{"errors":[{"message":"show that it is you: give either your password or a code of your app","extensions":{"code":"BAD_USER_INPUT","field":"input"},"path":["removeTotp"]}],"data":null}"#);
    let begun = accounts.run(caller, BEGIN, json!({ "password": PASSWORD })).await;
    assert_eq!(error_code(&begun), "CONFLICT");
    assert_eq!(error_code(&accounts.run(caller, BEGIN, json!({ "password": "not it" })).await), "FORBIDDEN");
    assert_eq!(error_code(&accounts.run(caller, REMOVE, json!({ "password": "not it" })).await), "FORBIDDEN");
    let right = code(&accounts, &ada.secret);
    assert_eq!(
        error_code(&accounts.run(caller, REMOVE, json!({ "code": wrong(&right) })).await),
        "FORBIDDEN"
    );
    accounts.data(caller, REMOVE, json!({ "code": right })).await;
    assert_eq!(accounts.letter().await.subject, "No code is asked any more when you sign in");
    assert_eq!(accounts.count("SELECT count(*) FROM accounts.recovery_codes").await, 0);
    let variables = json!({ "email": email("Ada"), "password": PASSWORD });
    let data = accounts.data(&accounts.anonymous(), SIGN_IN, variables).await;
    assert!(data["signIn"]["accessToken"].is_string(), "{data}");
    assert_eq!(error_code(&accounts.run(caller, REMOVE, json!({ "password": PASSWORD })).await), "CONFLICT");
    // Too late to confirm what was begun with a while ago.
    let begun = accounts.data(caller, BEGIN, json!({ "password": PASSWORD })).await;
    accounts.pass(900);
    let shown = json!({ "code": code(&accounts, begun["beginTotp"]["secret"].as_str().unwrap()) });
    assert_eq!(error_code(&accounts.run(caller, CONFIRM, shown).await), "CONFLICT");
}

#[tokio::test]
async fn guessing_codes_gets_slower_and_keeps_the_person_in() {
    let accounts = Accounts::new().await;
    let ada = enrol(&accounts, "Ada").await;
    // The person is known at home.
    let home = from(&accounts, "198.51.100.1");
    let token = challenge(&accounts, &home, "Ada").await;
    let done = complete(&accounts, &home, &token, &code(&accounts, &ada.secret)).await;
    assert_eq!(done.get("errors"), None, "{done}");
    // Somebody who knows the password guesses, from ever other places.
    for place in 1..=11 {
        let thief = from(&accounts, &format!("192.0.2.{place}"));
        let token = challenge(&accounts, &thief, "Ada").await;
        let bad = wrong(&code(&accounts, &ada.secret));
        assert_eq!(error_code(&complete(&accounts, &thief, &token, &bad).await), "UNAUTHENTICATED");
    }
    let thief = from(&accounts, "192.0.2.99");
    let token = challenge(&accounts, &thief, "Ada").await;
    accounts.pass(1);
    let slow = complete(&accounts, &thief, &token, "000000").await;
    assert_snapshot!(show(&slow), @r#"{"errors":[{"message":"too many attempts: try again in 1 s","extensions":{"code":"RATE_LIMITED"},"path":["verifySecondFactor"]}],"data":null}"#);
    accounts.pass(-1);
    // Elsewhere a recovery code gets in, and at home the app does.
    assert_eq!(recover(&accounts, &token, &ada.recovery[0]).await.get("errors"), None);
    let token = challenge(&accounts, &home, "Ada").await;
    // A new code, with the delay not over.
    accounts.pass(30);
    let done = complete(&accounts, &home, &token, &code(&accounts, &ada.secret)).await;
    assert_eq!(done.get("errors"), None, "{done}");
}

#[tokio::test]
async fn nothing_in_the_database_makes_a_code() {
    let accounts = Accounts::new().await;
    let ada = enrol(&accounts, "Ada").await;
    let token = challenge(&accounts, &accounts.anonymous(), "Ada").await;
    let mut connection = accounts.database.connect().await.unwrap();
    let tables = [
        "accounts.totp_factors",
        "accounts.recovery_codes",
        "accounts.sign_in_challenges",
        "accounts.user_history",
        "platform.jobs",
        "platform.outbox",
        "platform.audit",
    ];
    let mut dump = String::new();
    for table in tables {
        let sql =
            sqlx::AssertSqlSafe(format!("SELECT coalesce(string_agg(t::text, ' '), '') FROM {table} t"));
        dump += &sqlx::query_scalar::<_, String>(sql).fetch_one(&mut connection).await.unwrap();
    }
    let bare = |text: &str| text.replace('-', "");
    for secret in [&ada.secret, &token, &ada.recovery[0], &bare(&ada.recovery[0])] {
        assert!(!dump.contains(secret.as_str()), "{secret}");
    }
}

#[tokio::test]
async fn nobody_sees_what_is_asked_of_somebody_else() {
    let accounts = Accounts::new().await;
    let ada = accounts.register("Ada").await;
    let (_, ada) = accounts.found(&ada, "first").await;
    accounts.member(&ada, "Bea", "MEMBER").await;
    let query = "{ organization { members(last: 1) { nodes { name secondFactor { recoveryCodesLeft } } } } }";
    assert_snapshot!(show(&accounts.run(&ada.caller, query, json!({})).await), @r#"{"errors":[{"message":"only the person may see what is asked of it","extensions":{"code":"FORBIDDEN"},"path":["organization","members","nodes",0,"secondFactor"]}],"data":{"organization":{"members":{"nodes":[{"name":"Bea","secondFactor":null}]}}}}"#);
}

#[tokio::test]
async fn apps_are_sealed_anew_with_the_key_of_now_and_that_of_before_can_go() {
    let accounts = Accounts::new().await;
    for name in ["Ada", "Eve"] {
        enrol(&accounts, name).await;
    }
    // That of the harness, and another one.
    let old = Secret::new("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=");
    let new = Secret::new("AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=");
    let both = Sealer::try_new(&new, std::slice::from_ref(&old)).unwrap();
    let without = Sealer::try_new(&new, &[]).unwrap();
    let reseal = async |sealer: &Sealer| {
        Resealer::new(accounts.store.clone(), sealer.clone()).reseal(|_| {}).await.unwrap()
    };
    // Without the key of before nothing can be done, and nothing is lost.
    assert_eq!(reseal(&without).await, Resealed { sealed: 0, failed: 2 });
    let mut heard = 0;
    let resealer = Resealer::new(accounts.store.clone(), both.clone());
    let done = resealer.reseal(|_| heard += 1).await.unwrap();
    assert_eq!((done, heard), (Resealed { sealed: 2, failed: 0 }, 3));
    assert_eq!(reseal(&both).await, Resealed::default());
    assert_eq!(reseal(&without).await, Resealed::default());
    let facts = "SELECT count(*) FROM platform.audit WHERE action = 'factor:reseal' AND actor IS NULL";
    assert_eq!(accounts.count(facts).await, 2);
}
