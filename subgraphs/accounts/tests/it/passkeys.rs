//! Passkeys, with an authenticator made of software.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer, SigningKey};
use insta::assert_snapshot;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::harness::{Accounts, PASSWORD, Person, email, show};
use crate::second_factor::enrol;

const ORIGIN: &str = "http://localhost:3000";
const BEGIN: &str =
    "mutation ($password: String!) { beginPasskey(input: { password: $password }) { ceremony options } }";
const FINISH: &str = "mutation ($ceremony: String!, $credential: JSONObject!, $name: String!) {
    finishPasskey(input: { ceremony: $ceremony, credential: $credential, name: $name }) {
        passkey { id name lastUsedAt } } }";
const ASK: &str = "mutation { beginPasskeySignIn { ceremony options } }";
const SIGN_IN: &str = "mutation ($ceremony: String!, $credential: JSONObject!) {
    signInWithPasskey(input: { ceremony: $ceremony, credential: $credential }) {
        accessToken refreshToken user { name } organization { slug } } }";
const LIST: &str = "{ me { passkeys { id name lastUsedAt } } }";

/// What a browser with a device has: one key, of whoever the device asked.
struct Device {
    key: SigningKey,
    id: Vec<u8>,
    handle: String,
    counter: u32,
}

fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What the browser says that it was asked (§5.8.1).
fn client_data(kind: &str, options: &Value, origin: &str) -> Vec<u8> {
    let challenge = &options["challenge"];
    json!({ "type": kind, "challenge": challenge, "origin": origin, "crossOrigin": false })
        .to_string()
        .into_bytes()
}

/// What the authenticator says (§6.1): of which site, that the person was there and is known, and how often it was used.
fn authenticator_data(site: &str, flags: u8, counter: u32) -> Vec<u8> {
    [&Sha256::digest(site)[..], &[flags], &counter.to_be_bytes()].concat()
}

impl Device {
    /// Makes a passkey; what the browser answers.
    fn make(options: &Value, origin: &str) -> (Self, Value) {
        let key = SigningKey::from_bytes(&rand::random());
        let id: [u8; 32] = rand::random();
        let handle = options["user"]["id"].as_str().unwrap().to_owned();
        // COSE: an Ed25519 key to sign with EdDSA.
        let public =
            [&[0xa4, 1, 1, 3, 0x27, 0x20, 6, 0x21, 0x58, 32][..], key.verifying_key().as_bytes()].concat();
        // {"credProtect": 3}, which is asked for.
        let extensions = [&[0xa1, 0x6b][..], b"credProtect", &[3]].concat();
        let site = options["rp"]["id"].as_str().unwrap();
        let mut data = authenticator_data(site, 0b1100_0101, 0);
        data.extend([0; 16]);
        data.extend(u16::try_from(id.len()).unwrap().to_be_bytes());
        data.extend([&id[..], &public, &extensions].concat());
        let length = u8::try_from(data.len()).unwrap();
        let object = [
            &[0xa3, 0x63][..],
            b"fmt",
            &[0x64],
            b"none",
            &[0x67],
            b"attStmt",
            &[0xa0, 0x68],
            b"authData",
            &[0x58, length],
            &data,
        ]
        .concat();
        let answer = json!({
            "id": text(&id),
            "rawId": text(&id),
            "type": "public-key",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": text(&client_data("webauthn.create", options, origin)),
                "attestationObject": text(&object),
            },
        });
        (Self { key, id: id.to_vec(), handle, counter: 0 }, answer)
    }

    /// Signs in; what the browser answers.
    fn answer(&mut self, options: &Value, origin: &str) -> Value {
        self.counter += 1;
        let client = client_data("webauthn.get", options, origin);
        let data = authenticator_data(options["rpId"].as_str().unwrap(), 0b0000_0101, self.counter);
        let signature = self.key.sign(&[&data[..], &Sha256::digest(&client)].concat());
        json!({
            "id": text(&self.id),
            "rawId": text(&self.id),
            "type": "public-key",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": text(&client),
                "authenticatorData": text(&data),
                "signature": text(&signature.to_bytes()),
                "userHandle": self.handle,
            },
        })
    }
}

fn options<'a>(data: &'a Value, field: &str) -> (&'a Value, &'a Value) {
    (&data[field]["ceremony"], &data[field]["options"])
}

async fn registered(accounts: &Accounts, person: &Person, name: &str) -> Device {
    let begun = accounts.data(&person.caller, BEGIN, json!({ "password": PASSWORD })).await;
    let (ceremony, options) = options(&begun, "beginPasskey");
    let (device, answer) = Device::make(options, ORIGIN);
    let variables = json!({ "ceremony": ceremony, "credential": answer, "name": name });
    accounts.data(&person.caller, FINISH, variables).await;
    device
}

async fn sign_in(accounts: &Accounts, device: &mut Device, origin: &str) -> Value {
    let asked = accounts.data(&accounts.anonymous(), ASK, json!({})).await;
    let (ceremony, options) = options(&asked, "beginPasskeySignIn");
    let variables = json!({ "ceremony": ceremony, "credential": device.answer(options, origin) });
    accounts.run(&accounts.anonymous(), SIGN_IN, variables).await
}

fn code(response: &Value) -> &str {
    response["errors"][0]["extensions"]["code"].as_str().unwrap_or_else(|| panic!("{response}"))
}

#[tokio::test]
async fn a_passkey_signs_in_without_a_password_until_it_is_removed() {
    let accounts = Accounts::new().await;
    let ada = accounts.register("Ada").await;
    let (_, ada) = accounts.found(&ada, "first").await;
    accounts.letters().await;
    let mut device = registered(&accounts, &ada, "Laptop").await;
    assert_eq!(accounts.letter().await.subject, "You have a new passkey");
    let done = sign_in(&accounts, &mut device, ORIGIN).await;
    assert_snapshot!(show(&done), @r#"{"data":{"signInWithPasskey":{"accessToken":"[access token]","refreshToken":"[refresh token]","user":{"name":"Ada"},"organization":{"slug":"first"}}}}"#);
    assert_eq!(accounts.person(&done["data"]["signInWithPasskey"]).id, ada.id);

    let listed = accounts.data(&ada.caller, LIST, json!({})).await;
    let passkey = &listed["me"]["passkeys"][0];
    assert_eq!((&passkey["name"], passkey["lastUsedAt"].is_string()), (&json!("Laptop"), true));
    let rename = "mutation ($id: ID!) { renamePasskey(input: { passkeyId: $id, name: \"Old laptop\" }) { passkey { name } } }";
    let renamed = accounts.data(&ada.caller, rename, json!({ "id": passkey["id"] })).await;
    assert_eq!(renamed["renamePasskey"]["passkey"]["name"], "Old laptop");
    let remove = "mutation ($id: ID!) { removePasskey(input: { passkeyId: $id }) { passkeyId } }";
    let bea = accounts.register("Bea").await;
    accounts.letters().await;
    let foreign = accounts.run(&bea.caller, remove, json!({ "id": passkey["id"] })).await;
    assert_eq!(code(&foreign), "NOT_FOUND");
    accounts.data(&ada.caller, remove, json!({ "id": passkey["id"] })).await;
    assert_eq!(accounts.letter().await.subject, "A passkey was removed");
    let refused = sign_in(&accounts, &mut device, ORIGIN).await;
    assert_snapshot!(show(&refused), @r#"{"errors":[{"message":"this passkey is not right","extensions":{"code":"UNAUTHENTICATED","field":"input.credential"},"path":["signInWithPasskey"]}],"data":null}"#);
}

#[tokio::test]
async fn an_answer_is_good_once_and_for_what_was_asked() {
    let accounts = Accounts::new().await;
    let ada = accounts.register("Ada").await;
    let mut device = registered(&accounts, &ada, "Laptop").await;
    let nobody = accounts.anonymous();
    let asked = accounts.data(&nobody, ASK, json!({})).await;
    let (ceremony, wanted) = options(&asked, "beginPasskeySignIn");
    let answer = device.answer(wanted, ORIGIN);
    let variables = json!({ "ceremony": ceremony, "credential": answer });
    let both = tokio::join!(
        accounts.run(&nobody, SIGN_IN, variables.clone()),
        accounts.run(&nobody, SIGN_IN, variables.clone())
    );
    let right = [&both.0, &both.1].into_iter().filter(|one| one.get("errors").is_none()).count();
    assert_eq!(right, 1, "{both:?}");
    assert_eq!(code(&accounts.run(&nobody, SIGN_IN, variables).await), "BAD_USER_INPUT");
    // Another challenge, another site, another key, an older counter: each is refused alike.
    let other = accounts.data(&nobody, ASK, json!({})).await;
    let (ceremony, _) = options(&other, "beginPasskeySignIn");
    let crossed = json!({ "ceremony": ceremony, "credential": device.answer(wanted, ORIGIN) });
    assert_eq!(code(&accounts.run(&nobody, SIGN_IN, crossed).await), "UNAUTHENTICATED");
    assert_eq!(code(&sign_in(&accounts, &mut device, "http://evil.example").await), "UNAUTHENTICATED");
    let mut forged = Device {
        key: SigningKey::from_bytes(&[7; 32]),
        id: device.id.clone(),
        handle: device.handle.clone(),
        counter: 9,
    };
    assert_eq!(code(&sign_in(&accounts, &mut forged, ORIGIN).await), "UNAUTHENTICATED");
    device.counter = 0;
    assert_eq!(code(&sign_in(&accounts, &mut device, ORIGIN).await), "UNAUTHENTICATED");
    device.counter = 20;
    // Too late.
    let asked = accounts.data(&nobody, ASK, json!({})).await;
    let (ceremony, wanted) = options(&asked, "beginPasskeySignIn");
    let late = json!({ "ceremony": ceremony, "credential": device.answer(wanted, ORIGIN) });
    accounts.pass(300);
    assert_eq!(code(&accounts.run(&nobody, SIGN_IN, late).await), "BAD_USER_INPUT");
    assert_eq!(sign_in(&accounts, &mut device, ORIGIN).await.get("errors"), None);
}

#[tokio::test]
async fn somebody_elses_ceremony_or_site_makes_no_passkey() {
    let accounts = Accounts::new().await;
    let (ada, bea) = (accounts.register("Ada").await, accounts.register("Bea").await);
    let wrong = accounts.run(&ada.caller, BEGIN, json!({ "password": "not the password" })).await;
    assert_eq!(code(&wrong), "FORBIDDEN");
    let begun = accounts.data(&ada.caller, BEGIN, json!({ "password": PASSWORD })).await;
    let (ceremony, wanted) = options(&begun, "beginPasskey");
    let finish = |person: &Person, credential: Value| {
        let variables = json!({ "ceremony": ceremony, "credential": credential, "name": "Laptop" });
        let caller = person.caller.clone();
        let accounts = &accounts;
        async move { accounts.run(&caller, FINISH, variables).await }
    };
    let (_, answer) = Device::make(wanted, ORIGIN);
    assert_eq!(code(&finish(&bea, answer.clone()).await), "BAD_USER_INPUT");
    assert_eq!(code(&finish(&ada, Device::make(wanted, "http://evil.example").1).await), "UNAUTHENTICATED");
    assert_eq!(code(&finish(&ada, json!({ "id": "x" })).await), "BAD_USER_INPUT");
    assert_eq!(finish(&ada, answer.clone()).await.get("errors"), None);
    assert_eq!(code(&finish(&ada, answer).await), "CONFLICT");
    assert_eq!(accounts.count("SELECT count(*) FROM accounts.passkeys").await, 1);
}

#[tokio::test]
async fn a_passkey_is_both_factors() {
    let accounts = Accounts::new().await;
    let ada = accounts.register("Ada").await;
    let mut device = registered(&accounts, &ada, "Laptop").await;
    let mut connection = accounts.database.connect().await.unwrap();
    let on = "INSERT INTO accounts.totp_factors (user_id, secret, created_at, confirmed_at)
              VALUES ($1, 'sealed.x', now(), now())";
    sqlx::query(on).bind(ada.id).execute(&mut connection).await.unwrap();
    let by_password = "mutation ($password: String!) {
        signIn(input: { email: \"ada@example.com\", password: $password }) { challenge { kinds } } }";
    let data = accounts.data(&accounts.anonymous(), by_password, json!({ "password": PASSWORD })).await;
    assert_eq!(data["signIn"]["challenge"]["kinds"], json!(["TOTP", "RECOVERY_CODE", "PASSKEY"]));
    let done = sign_in(&accounts, &mut device, ORIGIN).await;
    assert!(done["data"]["signInWithPasskey"]["accessToken"].is_string(), "{done}");
}

/// What signing in by password is answered: the challenge, and what can be shown for it.
async fn challenge(accounts: &Accounts, name: &str) -> (Value, Value) {
    let sign_in = "mutation ($email: String!, $password: String!) {
        signIn(input: { email: $email, password: $password }) { accessToken challenge { token kinds } } }";
    let variables = json!({ "email": email(name), "password": PASSWORD });
    let data = accounts.data(&accounts.anonymous(), sign_in, variables).await;
    let challenge = &data["signIn"]["challenge"];
    (challenge["token"].clone(), challenge["kinds"].clone())
}

async fn ceremony(accounts: &Accounts) -> Value {
    accounts.data(&accounts.anonymous(), ASK, json!({})).await["beginPasskeySignIn"].take()
}

async fn show_passkey(accounts: &Accounts, challenge: &Value, ceremony: &Value, credential: &Value) -> Value {
    let verify = "mutation ($challenge: String!, $passkey: PasskeyFactorInput!) {
        verifySecondFactor(input: { challenge: $challenge, passkey: $passkey }) { accessToken user { name } } }";
    let passkey = json!({ "ceremony": ceremony["ceremony"], "credential": credential });
    let variables = json!({ "challenge": challenge, "passkey": passkey });
    accounts.run(&accounts.anonymous(), verify, variables).await
}

#[tokio::test]
async fn a_passkey_is_shown_in_place_of_a_code() {
    let accounts = Accounts::new().await;
    let ada = enrol(&accounts, "Ada").await.person;
    assert_eq!(challenge(&accounts, "Ada").await.1, json!(["TOTP", "RECOVERY_CODE"]));
    let mut device = registered(&accounts, &ada, "Laptop").await;
    let eve = accounts.register("Eve").await;
    let mut eves = registered(&accounts, &eve, "Phone").await;
    let (token, kinds) = challenge(&accounts, "Ada").await;
    assert_eq!(kinds, json!(["TOTP", "RECOVERY_CODE", "PASSKEY"]));

    // Somebody else's is none.
    let asked = ceremony(&accounts).await;
    let answer = eves.answer(&asked["options"], ORIGIN);
    assert_eq!(code(&show_passkey(&accounts, &token, &asked, &answer).await), "UNAUTHENTICATED");
    // Neither is one for another site, or what answers something else.
    let asked = ceremony(&accounts).await;
    let answer = device.answer(&asked["options"], "http://localhost:3001");
    assert_eq!(code(&show_passkey(&accounts, &token, &asked, &answer).await), "UNAUTHENTICATED");
    let (asked, other) = (ceremony(&accounts).await, ceremony(&accounts).await);
    let answer = device.answer(&asked["options"], ORIGIN);
    assert_eq!(code(&show_passkey(&accounts, &token, &other, &answer).await), "UNAUTHENTICATED");
    let made_up = json!({ "ceremony": "none" });
    assert_eq!(code(&show_passkey(&accounts, &token, &made_up, &answer).await), "BAD_USER_INPUT");

    let shown = show_passkey(&accounts, &token, &asked, &answer).await;
    assert_eq!(shown["data"]["verifySecondFactor"]["user"]["name"], "Ada", "{shown}");
    // Both are good once.
    assert_eq!(code(&show_passkey(&accounts, &token, &asked, &answer).await), "BAD_USER_INPUT");
    let (token, _) = challenge(&accounts, "Ada").await;
    assert_eq!(code(&show_passkey(&accounts, &token, &asked, &answer).await), "BAD_USER_INPUT");
}
