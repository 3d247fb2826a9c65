//! API keys and service accounts at gateways in processes of their own, which ask the process of accounts.

use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use pulse_tokens::CallerTokens;
use pulse_types::{Caller, Clock, OrgId, RequestId, Secret};
use serde_json::{Value, json};

use crate::support::events::Events;
use crate::support::http::{Answer, answer, ask, post};
use crate::support::organization::{SLUG, database, sign_in};
use crate::support::roles::{Roles, SECRET, terminate};

const READ: &str = "{ entityTypes { totalCount } }";
const CHANGED: &str = "subscription { entityChanged { kind cursor } }";

async fn make(url: &str, token: &str, (mutation, selection): (&str, &str)) -> anyhow::Result<Value> {
    let query = format!(
        "mutation {{ {mutation}(input: {{ name: \"Robot\", scopes: [\"entity:read\"] }}) {{ {selection} }} }}"
    );
    Ok(ask(url, Some(token), &query, json!({})).await?[mutation].take())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Waits, for less than a second, until each gateway refuses the credential.
async fn until_refused(urls: [&str; 2], credential: &str) -> anyhow::Result<()> {
    let began = Instant::now();
    for url in urls {
        while answer(url, Some(credential), READ, json!({})).await?.status != 401 {
            anyhow::ensure!(began.elapsed() < Duration::from_secs(1), "{url} still takes it");
        }
    }
    Ok(())
}

async fn token_of(url: &str, client: &str, secret: &str) -> anyhow::Result<Answer> {
    let body = format!("grant_type=client_credentials&client_id={client}&client_secret={secret}");
    let request = Request::post(format!("{url}/oauth/token"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Full::new(Bytes::from(body)))?;
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let response = client.request(request).await?;
    let status = response.status().as_u16();
    let text = String::from_utf8(response.into_body().collect().await?.to_bytes().to_vec())?;
    Ok(Answer { status, text })
}

#[tokio::test]
async fn a_revoked_key_is_refused_by_two_gateways_apart_and_its_stream_ends() -> anyhow::Result<()> {
    let database = database().await?;
    let roles = Roles::start(&database.url()).await?;
    let another = roles.another_gateway(&database.url()).await?;
    let urls = [roles.gateway.url(), another.url()];
    let owner = sign_in(urls[0]).await?;
    let made = make(urls[0], &owner, ("createApiKey", "secret apiKey { id }")).await?;
    let (key, id) = (text(&made["secret"]), text(&made["apiKey"]["id"]));
    for url in urls {
        assert_eq!(ask(url, Some(&key), READ, json!({})).await?["entityTypes"]["totalCount"], 0);
        let by_header = post(url, Some(("x-api-key", &key)), &json!({ "query": READ })).await?;
        assert_eq!(by_header.status, 200, "{}", by_header.text);
    }
    let mut stream = Events::open(urls[1], &key, CHANGED, json!({})).await?;
    let revoke = "mutation ($id: ID!) { revokeApiKey(input: { id: $id }) { apiKey { id } } }";
    ask(urls[0], Some(&owner), revoke, json!({ "id": id })).await?;
    until_refused(urls, &key).await?;
    let last = stream.next().await?.unwrap_or_default();
    assert_eq!(last["errors"][0]["extensions"]["reason"], "CREDENTIAL_REVOKED", "{last}");
    terminate(another).await?;
    roles.stop().await
}

#[tokio::test]
async fn a_service_account_gets_its_token_at_a_gateway_apart_and_loses_it_at_all() -> anyhow::Result<()> {
    let database = database().await?;
    let roles = Roles::start(&database.url()).await?;
    let another = roles.another_gateway(&database.url()).await?;
    let urls = [roles.gateway.url(), another.url()];
    let owner = sign_in(urls[0]).await?;
    let selection = "clientSecret serviceAccount { id }";
    let made = make(urls[0], &owner, ("createServiceAccount", selection)).await?;
    let (secret, id) = (text(&made["clientSecret"]), text(&made["serviceAccount"]["id"]));
    let granted = token_of(urls[1], &id, &secret).await?;
    let token = text(&serde_json::from_str::<Value>(&granted.text)?["access_token"]);
    for url in urls {
        assert_eq!(ask(url, Some(&token), READ, json!({})).await?["entityTypes"]["totalCount"], 0);
    }
    let delete = "mutation ($id: ID!) { deleteServiceAccount(input: { id: $id }) { id } }";
    ask(urls[0], Some(&owner), delete, json!({ "id": id })).await?;
    until_refused(urls, &token).await?;
    let refused = token_of(urls[1], &id, &secret).await?;
    assert_eq!(refused.status, 401);
    assert!(refused.text.contains("invalid_client"), "{}", refused.text);
    terminate(another).await?;
    roles.stop().await
}

/// Somebody who joins as a viewer, and how they get another token.
async fn viewer(
    url: &str,
    owner: &str,
) -> anyhow::Result<(Value, impl AsyncFn() -> anyhow::Result<String> + use<>)> {
    let person = json!({ "email": "vera@example.com", "password": "a password of a viewer" });
    let register = "mutation ($input: RegisterInput!) { register(input: $input) { user { id } } }";
    let input = json!({ "email": person["email"], "password": person["password"], "name": "Vera" });
    let made = ask(url, None, register, json!({ "input": input })).await?;
    let add = "mutation ($input: AddMemberInput!) { addMember(input: $input) { __typename } }";
    ask(url, Some(owner), add, json!({ "input": { "email": person["email"], "role": "VIEWER" } })).await?;
    let url = url.to_owned();
    let sign_in = async move || {
        let sign_in = "mutation ($input: SignInInput!) { signIn(input: $input) { accessToken } }";
        let mut input = person.clone();
        input["organizationSlug"] = json!(SLUG);
        let signed_in = ask(&url, None, sign_in, json!({ "input": input })).await?;
        Ok(text(&signed_in["signIn"]["accessToken"]))
    };
    Ok((made["register"]["user"]["id"].clone(), sign_in))
}

#[tokio::test]
async fn a_role_that_is_taken_away_is_gone_at_two_gateways_apart_and_its_stream_ends() -> anyhow::Result<()> {
    let database = database().await?;
    let roles = Roles::start(&database.url()).await?;
    let another = roles.another_gateway(&database.url()).await?;
    let urls = [roles.gateway.url(), another.url()];
    let owner = sign_in(urls[0]).await?;
    let (id, next_token) = viewer(urls[0], &owner).await?;
    let before = next_token().await?;
    let assign = "mutation ($input: AssignRoleInput!) { assignRole(input: $input) { assignment { id } } }";
    let input = json!({ "input": { "userId": id, "template": "ADMIN" } });
    let given = ask(urls[0], Some(&owner), assign, input).await?["assignRole"]["assignment"]["id"].take();
    let token = next_token().await?;
    let keys = "{ apiKeys { totalCount } }";
    for url in urls {
        assert_eq!(ask(url, Some(&token), keys, json!({})).await?["apiKeys"]["totalCount"], 0);
    }
    let mut stream = Events::open(urls[1], &token, CHANGED, json!({})).await?;
    let unassign = "mutation ($id: ID!) { unassignRole(input: { id: $id }) { id } }";
    ask(urls[0], Some(&owner), unassign, json!({ "id": given })).await?;
    until_refused(urls, &token).await?;
    let last = stream.next().await?.unwrap_or_default();
    assert_eq!(last["errors"][0]["extensions"]["reason"], "RIGHTS_CHANGED", "{last}");
    // What it says is still so.
    for url in urls {
        assert_eq!(ask(url, Some(&before), READ, json!({})).await?["entityTypes"]["totalCount"], 0);
    }
    terminate(another).await?;
    roles.stop().await
}

#[tokio::test]
async fn keys_are_looked_up_for_gateways_alone() -> anyhow::Result<()> {
    let database = database().await?;
    let roles = Roles::start(&database.url()).await?;
    let now = Clock::system().now();
    let tokens = CallerTokens::new("accounts", &Secret::new(SECRET));
    let request = RequestId::new(now);
    let process = tokens.sign(&Caller::process(request), now)?;
    let user = tokens.sign(&Caller::system(OrgId::new(now), request), now)?;
    let accounts = roles.subgraphs["accounts"].url();
    let hash = vec![0_u8; 32];
    let lookup = async |caller: Option<&str>| {
        let mut request = Request::post(format!("{accounts}/internal/machines"));
        if let Some(caller) = caller {
            request = request.header("pulse-caller", caller);
        }
        let body = Full::new(Bytes::from(json!({ "hash": hash }).to_string()));
        let request = request.header("content-type", "application/json").body(body)?;
        let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
        let response = client.request(request).await?;
        let status = response.status().as_u16();
        let text = String::from_utf8(response.into_body().collect().await?.to_bytes().to_vec())?;
        anyhow::Ok((status, text))
    };
    assert_eq!(lookup(None).await?.0, 401);
    assert_eq!(lookup(Some(&user)).await?.0, 403);
    assert_eq!(lookup(Some(&process)).await?, (200, r#"{"Err":"unknown"}"#.to_owned()));
    roles.stop().await
}
