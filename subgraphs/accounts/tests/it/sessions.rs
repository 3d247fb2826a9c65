use insta::assert_snapshot;
use pulse_types::{OrgId, Role};
use serde_json::{Value, json};

use crate::harness::{ADD_MEMBER, Accounts, PASSWORD, Person, add, email, show};

const REGISTER: &str = "mutation ($input: RegisterInput!) { register(input: $input) {
    accessToken accessTokenExpiresAt refreshToken user { id email name } organization { slug } } }";
const SIGN_IN: &str = "mutation ($input: SignInInput!) { signIn(input: $input) {
    accessToken accessTokenExpiresAt refreshToken user { name } organization { slug viewerRole } } }";
const SWITCH: &str = "mutation ($id: ID!) { switchOrganization(input: { organizationId: $id }) {
    accessToken user { name } organization { slug viewerRole } } }";

async fn register(accounts: &Accounts, input: Value) -> Value {
    accounts.run(&accounts.anonymous(), REGISTER, json!({ "input": input })).await
}

async fn sign_in(accounts: &Accounts, input: Value) -> Value {
    accounts.run(&accounts.anonymous(), SIGN_IN, json!({ "input": input })).await
}

/// Somebody in two organizations: an owner of one, a viewer of the other.
async fn person_in_two_tenants(accounts: &Accounts) -> (Person, OrgId, OrgId) {
    let other = accounts.register("Bea").await;
    let (second, other) = accounts.found(&other, "second").await;
    let person = accounts.register("Ada").await;
    let (first, person) = accounts.found(&person, "first").await;
    accounts.pass(1);
    accounts.data(&other.caller, ADD_MEMBER, add("Ada", "VIEWER")).await;
    (person, first, second)
}

#[tokio::test]
async fn registering_signs_in() {
    let accounts = Accounts::new().await;
    let input = json!({ "email": " Ada@Example.com", "password": PASSWORD, "name": "Ada" });
    let response = register(&accounts, input).await;
    assert_snapshot!(show(&response), @r#"{"data":{"register":{"accessToken":"[access token]","accessTokenExpiresAt":"2027-01-15T08:15:00+00:00","refreshToken":"[refresh token]","user":{"id":"[id]","email":"ada@example.com","name":"Ada"},"organization":null}}}"#);
    let person = accounts.person(&response["data"]["register"]);
    assert_eq!(person.caller.org, None);
    let me = accounts.run(&person.caller, "{ me { name } }", json!({})).await;
    assert_snapshot!(show(&me), @r#"{"data":{"me":{"name":"Ada"}}}"#);
    assert_eq!(
        accounts
            .count("SELECT count(*) FROM accounts.credentials WHERE password_hash LIKE '$argon2id$%'")
            .await,
        1
    );
    let facts = "SELECT count(*) FROM platform.audit WHERE action IN ('user:create', 'session:create')";
    assert_eq!(accounts.count(facts).await, 2);
}

#[tokio::test]
async fn bad_input_registers_nobody() {
    let accounts = Accounts::new().await;
    let with = |field: &str, value: &str| {
        let mut input = json!({ "email": "ada@example.com", "password": PASSWORD, "name": "Ada" });
        input[field] = value.into();
        input
    };
    let response = register(&accounts, with("email", "ada")).await;
    assert_snapshot!(show(&response), @r#"{"errors":[{"message":"this is not an email address: expected something like name@example.com","extensions":{"code":"BAD_USER_INPUT","field":"input.email"},"path":["register"]}],"data":null}"#);
    let response = register(&accounts, with("password", "too short")).await;
    assert_snapshot!(show(&response), @r#"{"errors":[{"message":"a password has 12 to 128 characters, this one has 9","extensions":{"code":"BAD_USER_INPUT","field":"input.password"},"path":["register"]}],"data":null}"#);
    let response = register(&accounts, with("password", "PasswordPassword")).await;
    assert_snapshot!(show(&response), @r#"{"errors":[{"message":"this password is easy to guess: choose another, such as a few words that nobody says together","extensions":{"code":"BAD_USER_INPUT","field":"input.password"},"path":["register"]}],"data":null}"#);
    let response = register(&accounts, with("name", " ")).await;
    assert_snapshot!(show(&response), @r#"{"errors":[{"message":"a name has 1 to 120 characters, this one has 0","extensions":{"code":"BAD_USER_INPUT","field":"input.name"},"path":["register"]}],"data":null}"#);
    let response = register(&accounts, with("idempotencyKey", "")).await;
    assert_snapshot!(show(&response), @r#"{"errors":[{"message":"an idempotency key has 1 to 255 characters, this one has 0","extensions":{"code":"BAD_USER_INPUT","field":"input.idempotencyKey"},"path":["register"]}],"data":null}"#);
    assert_eq!(accounts.count("SELECT count(*) FROM accounts.users").await, 0);
    assert_eq!(accounts.count("SELECT count(*) FROM platform.outbox").await, 0);
}

#[tokio::test]
async fn a_taken_address_is_refused() {
    let accounts = Accounts::new().await;
    accounts.register("Ada").await;
    let input = json!({ "email": "ADA@example.com", "password": "another fine password", "name": "Eve" });
    let response = register(&accounts, input).await;
    assert_snapshot!(show(&response), @r#"{"errors":[{"message":"somebody has registered with this email address already: sign in instead","extensions":{"code":"CONFLICT","field":"input.email"},"path":["register"]}],"data":null}"#);
    assert_eq!(accounts.count("SELECT count(*) FROM accounts.users").await, 1);
}

#[tokio::test]
async fn registering_again_under_the_same_key_signs_in_the_same_user() {
    let accounts = Accounts::new().await;
    let input = json!({ "email": email("Ada"), "password": PASSWORD, "name": "Ada", "idempotencyKey": "k" });
    let first = register(&accounts, input.clone()).await;
    let again = register(&accounts, input.clone()).await;
    assert_eq!(first["data"]["register"]["user"]["id"], again["data"]["register"]["user"]["id"]);
    assert_ne!(first["data"]["register"]["refreshToken"], again["data"]["register"]["refreshToken"]);
    let mut other = input.clone();
    other["name"] = "Eve".into();
    assert_snapshot!(show(&register(&accounts, other).await), @r#"{"errors":[{"message":"this idempotency key was used for another request: use a new key for a new request","extensions":{"code":"CONFLICT","field":"input.idempotencyKey"},"path":["register"]}],"data":null}"#);
    let mut wrong = input;
    wrong["password"] = "not the same password".into();
    assert_snapshot!(show(&register(&accounts, wrong).await), @r#"{"errors":[{"message":"somebody has registered with this email address already: sign in instead","extensions":{"code":"CONFLICT","field":"input.email"},"path":["register"]}],"data":null}"#);
}

#[tokio::test]
async fn signing_in_acts_in_the_organization_joined_first_or_the_one_named() {
    let accounts = Accounts::new().await;
    let (_, first, second) = person_in_two_tenants(&accounts).await;
    let response = sign_in(&accounts, json!({ "email": email("Ada"), "password": PASSWORD })).await;
    assert_snapshot!(show(&response), @r#"{"data":{"signIn":{"accessToken":"[access token]","accessTokenExpiresAt":"2027-01-15T08:15:03+00:00","refreshToken":"[refresh token]","user":{"name":"Ada"},"organization":{"slug":"first","viewerRole":"OWNER"}}}}"#);
    assert_eq!(accounts.person(&response["data"]["signIn"]).caller.org, Some(first));
    let input = json!({ "email": email("Ada"), "password": PASSWORD, "organizationSlug": "second" });
    let response = sign_in(&accounts, input).await;
    assert_snapshot!(show(&response), @r#"{"data":{"signIn":{"accessToken":"[access token]","accessTokenExpiresAt":"2027-01-15T08:15:03+00:00","refreshToken":"[refresh token]","user":{"name":"Ada"},"organization":{"slug":"second","viewerRole":"VIEWER"}}}}"#);
    let caller = accounts.person(&response["data"]["signIn"]).caller;
    assert_eq!((caller.org, caller.permissions), (Some(second), Role::Viewer.permissions()));
}

#[tokio::test]
async fn what_is_wrong_with_a_sign_in_is_not_told() {
    let accounts = Accounts::new().await;
    let owner = accounts.register("Bea").await;
    accounts.found(&owner, "acme").await;
    accounts.register("Ada").await;
    let sessions = accounts.count("SELECT count(*) FROM accounts.sessions").await;
    let wrong_password = json!({ "email": email("Ada"), "password": "wrong" });
    let unknown = json!({ "email": email("Nobody"), "password": PASSWORD });
    let no_address = json!({ "email": "nobody", "password": PASSWORD });
    let no_member = json!({ "email": email("Ada"), "password": PASSWORD, "organizationSlug": "acme" });
    let no_organization = json!({ "email": email("Ada"), "password": PASSWORD, "organizationSlug": "none" });
    let expected = sign_in(&accounts, wrong_password).await;
    assert_snapshot!(show(&expected), @r#"{"errors":[{"message":"the email address, the password or the organization is not right","extensions":{"code":"UNAUTHENTICATED"},"path":["signIn"]}],"data":null}"#);
    for input in [unknown, no_address, no_member, no_organization] {
        assert_eq!(sign_in(&accounts, input).await, expected);
    }
    assert_eq!(accounts.count("SELECT count(*) FROM accounts.sessions").await, sessions);
}

#[tokio::test]
async fn switching_gives_the_rights_of_the_other_organization() {
    let accounts = Accounts::new().await;
    let (person, _, second) = person_in_two_tenants(&accounts).await;
    let response = accounts.run(&person.caller, SWITCH, json!({ "id": second.to_string() })).await;
    assert_snapshot!(show(&response), @r#"{"data":{"switchOrganization":{"accessToken":"[access token]","user":{"name":"Ada"},"organization":{"slug":"second","viewerRole":"VIEWER"}}}}"#);
    let caller = accounts.caller(&response["data"]["switchOrganization"]["accessToken"]);
    assert_eq!((caller.org, caller.session), (Some(second), person.caller.session));
    assert_eq!(caller.permissions, Role::Viewer.permissions());
}

#[tokio::test]
async fn nobody_switches_to_an_organization_of_others() {
    let accounts = Accounts::new().await;
    let owner = accounts.register("Bea").await;
    let (org, _) = accounts.found(&owner, "acme").await;
    let person = accounts.register("Ada").await;
    let others = accounts.run(&person.caller, SWITCH, json!({ "id": org.to_string() })).await;
    let missing = accounts.run(&person.caller, SWITCH, json!({ "id": person.id.to_string() })).await;
    assert_snapshot!(show(&others), @r#"{"errors":[{"message":"there is no such organization, or you are no member of it","extensions":{"code":"NOT_FOUND","field":"input.organizationId"},"path":["switchOrganization"]}],"data":null}"#);
    assert_eq!(others, missing);
    let anonymous = accounts.run(&accounts.anonymous(), SWITCH, json!({ "id": org.to_string() })).await;
    assert_snapshot!(show(&anonymous), @r#"{"errors":[{"message":"sign in first: send an access token as `Authorization: Bearer <token>`","extensions":{"code":"UNAUTHENTICATED"},"path":["switchOrganization"]}],"data":null}"#);
}

#[tokio::test]
async fn a_session_that_was_signed_out_goes_nowhere() {
    let accounts = Accounts::new().await;
    let (person, first, _) = person_in_two_tenants(&accounts).await;
    let out = "mutation { signOut { sessionId } }";
    let response = accounts.run(&person.caller, out, json!({})).await;
    assert_eq!(response["data"]["signOut"]["sessionId"], person.caller.session.unwrap().to_string());
    assert_eq!(accounts.run(&person.caller, out, json!({})).await, response);
    let ended =
        "SELECT count(*) FROM platform.outbox WHERE subject = 'accounts.session' AND kind = 'deleted'";
    assert_eq!(accounts.count(ended).await, 1);
    let switched = accounts.run(&person.caller, SWITCH, json!({ "id": first.to_string() })).await;
    assert_snapshot!(show(&switched), @r#"{"errors":[{"message":"this session has ended: sign in again","extensions":{"code":"UNAUTHENTICATED"},"path":["switchOrganization"]}],"data":null}"#);
    assert_snapshot!(show(&accounts.run(&accounts.anonymous(), out, json!({})).await), @r#"{"errors":[{"message":"sign in first: send an access token as `Authorization: Bearer <token>`","extensions":{"code":"UNAUTHENTICATED"},"path":["signOut"]}],"data":null}"#);
}
