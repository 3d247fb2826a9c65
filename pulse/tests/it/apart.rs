//! A gateway in a process of its own: what it hears of changes, and from whom.

use std::time::{Duration, Instant};

use anyhow::Context;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use futures::StreamExt;
use hyper::StatusCode;
use nix::sys::signal::Signal;
use pulse_tokens::CallerTokens;
use pulse_types::{Caller, Clock, OrgId, RequestId, Secret};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::{interval, timeout};
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::support::events::Events;
use crate::support::http::{answer, ask, get, get_as};
use crate::support::organization::{database, sign_in};
use crate::support::process::{Running, run};
use crate::support::roles::{Roles, SECRET, container, role, terminate};

const LIVE: &str = "query @live(throttle: 0) { entities(first: 10) { nodes { key name } } }";
const CHANGED: &str = "subscription { entityChanged { kind cursor } }";

/// Makes one package be called so.
async fn package(url: &str, token: &str, key: &str, name: &str) -> anyhow::Result<()> {
    let upsert = "mutation ($items: [UpsertEntityItem!]!) { upsertEntities(input: { items: $items }) { results { id } } }";
    let items = json!({ "items": [{ "key": key, "type": "package", "name": name }] });
    ask(url, Some(token), upsert, items).await?;
    Ok(())
}

async fn package_type(url: &str, token: &str) -> anyhow::Result<()> {
    let create = "mutation { createEntityType(input: { name: \"package\" }) { __typename } }";
    ask(url, Some(token), create, json!({})).await?;
    Ok(())
}

/// Reads on until an entity is called `name`.
async fn until_named(live: &mut Events, name: &str) -> anyhow::Result<()> {
    loop {
        let data = live.data().await?;
        let nodes = data["entities"]["nodes"].as_array().cloned().unwrap_or_default();
        if nodes.iter().any(|node| node["name"] == name) {
            return Ok(());
        }
    }
}

/// What `/health/ready` says of the feed.
async fn health(url: &str) -> anyhow::Result<(u16, Value)> {
    let ready = get(url, "/health/ready").await?;
    let body: Value = serde_json::from_str(&ready.text)?;
    let checks = body["checks"].as_array().cloned().unwrap_or_default();
    let feed = checks.into_iter().find(|check| check["name"] == "changes").unwrap_or_default();
    Ok((ready.status, json!([body["status"], feed["status"]])))
}

#[tokio::test]
async fn a_live_query_goes_on_whichever_subgraph_tells_of_changes() -> anyhow::Result<()> {
    let database = database().await?;
    let mut roles = Roles::start(&database.url()).await?;
    let url = roles.gateway.url().to_owned();
    let token = sign_in(&url).await?;
    package_type(&url, &token).await?;
    let mut live = Events::open(&url, &token, LIVE, json!({})).await?;
    live.data().await?;
    package(&url, &token, "bash", "first").await?;
    until_named(&mut live, "first").await?;
    assert_eq!(health(&url).await?, (200, json!(["ready", "ready"])));

    // Each of them may be the one that tells; the query itself needs entities alone.
    for name in ["accounts", "analytics", "operations", "registry", "vectors"] {
        terminate(roles.subgraphs.remove(name).expect("it runs")).await?;
        package(&url, &token, "bash", name).await?;
        until_named(&mut live, name).await?;
    }
    terminate(roles.subgraphs.remove("entities").expect("it runs")).await?;
    let (began, mut again) = (Instant::now(), interval(Duration::from_millis(50)));
    while health(&url).await? != (200, json!(["degraded", "degraded"])) {
        anyhow::ensure!(began.elapsed() < Duration::from_mins(1), "it never says that nobody tells");
        again.tick().await;
    }
    roles.stop().await
}

#[tokio::test]
async fn what_ended_is_refused_and_its_streams_end_in_a_gateway_apart() -> anyhow::Result<()> {
    let database = database().await?;
    let roles = Roles::start(&database.url()).await?;
    let url = roles.gateway.url().to_owned();
    let (token, other) = (sign_in(&url).await?, sign_in(&url).await?);
    let mut stream = Events::open(&url, &token, CHANGED, json!({})).await?;
    let mut stays = Events::open(&url, &other, CHANGED, json!({})).await?;
    ask(&url, Some(&token), "mutation { signOut { __typename } }", json!({})).await?;
    let began = Instant::now();
    let last = stream.next().await?.unwrap_or_default();
    assert_eq!(last["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{last}");
    assert!(began.elapsed() < Duration::from_secs(5), "it took {:?}", began.elapsed());
    let refused = answer(&url, Some(&token), "{ me { name } }", json!({})).await?;
    assert!(refused.text.contains("the session of this token has ended"), "{}", refused.text);

    // A gateway that starts afterwards knows of it too, and the other session goes on.
    let another = roles.another_gateway(&database.url()).await?;
    let refused = answer(another.url(), Some(&token), "{ me { name } }", json!({})).await?;
    assert!(refused.text.contains("the session of this token has ended"), "{}", refused.text);
    assert_eq!(ask(another.url(), Some(&other), "{ me { name } }", json!({})).await?["me"]["name"], "Ada");
    package_type(&url, &other).await?;
    package(&url, &other, "bash", "still told").await?;
    assert_eq!(stays.data().await?["entityChanged"]["kind"], "CREATED");
    terminate(another).await?;
    roles.stop().await
}

#[tokio::test]
async fn the_feed_is_for_gateways_alone() -> anyhow::Result<()> {
    let database = database().await?;
    let roles = Roles::start(&database.url()).await?;
    let now = Clock::system().now();
    let sign =
        |caller: &Caller, audience: &str| CallerTokens::new(audience, &Secret::new(SECRET)).sign(caller, now);
    let request = RequestId::new(now);
    let (process, user) = (Caller::process(request), Caller::system(OrgId::new(now), request));
    let vectors = roles.subgraphs["vectors"].url();
    let path = "/internal/changes";
    let statuses = [
        get(vectors, path).await?.status,
        get_as(vectors, path, &sign(&user, "vectors")?).await?.0,
        get_as(vectors, path, &sign(&process, "accounts")?).await?.0,
        get(roles.gateway.url(), path).await?.status,
        get_as(roles.gateway.url(), path, &sign(&process, "vectors")?).await?.0,
    ];
    assert_eq!(statuses, [401, 403, 401, 404, 404]);
    let (status, first) = get_as(vectors, path, &sign(&process, "vectors")?).await?;
    assert_eq!(status, StatusCode::OK.as_u16());
    let first: Value = serde_json::from_str(first.lines().next().unwrap_or_default())?;
    assert!(first["gap"].is_string(), "{first}");
    roles.stop().await
}

#[tokio::test]
async fn streams_of_several_gateways_are_listed_and_ended_by_any() -> anyhow::Result<()> {
    let database = database().await?;
    let roles = Roles::start(&database.url()).await?;
    let another = roles.another_gateway(&database.url()).await?;
    let url = roles.gateway.url().to_owned();
    let token = sign_in(&url).await?;
    let mut streams = [
        Events::open(&url, &token, CHANGED, json!({})).await?,
        Events::open(another.url(), &token, CHANGED, json!({})).await?,
    ];
    let (began, mut again) = (Instant::now(), interval(Duration::from_millis(50)));
    let list = "{ liveStreams(first: 10) { nodes { userId session transport } } }";
    let user = loop {
        let listed = ask(&url, Some(&token), list, json!({})).await?;
        let nodes = listed["liveStreams"]["nodes"].as_array().cloned().unwrap_or_default();
        if nodes.len() == 2 {
            break nodes[0]["userId"].clone();
        }
        anyhow::ensure!(began.elapsed() < Duration::from_mins(1), "they are not listed: {listed}");
        again.tick().await;
    };
    let end = "mutation ($input: EndLiveStreamsInput!) { endLiveStreams(input: $input) { ended } }";
    let input = json!({ "input": { "userId": user, "reason": "tidying up" } });
    assert_eq!(ask(&url, Some(&token), end, input).await?["endLiveStreams"]["ended"], 2);
    for stream in &mut streams {
        let answer = stream.next().await?.unwrap_or_default();
        let error = &answer["errors"][0];
        assert_eq!(error["extensions"]["reason"], "STREAM_ENDED", "{answer}");
        assert!(error["message"].as_str().unwrap_or_default().ends_with("tidying up"), "{answer}");
    }
    terminate(another).await?;
    roles.stop().await
}

/// What a token calls the key that has signed it.
fn key_of(token: &str) -> anyhow::Result<String> {
    let head = token.split('.').next().unwrap_or_default();
    let head: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(head)?)?;
    Ok(head["kid"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_key_that_takes_the_place_of_a_stolen_one_is_heard_of_in_a_gateway_apart() -> anyhow::Result<()> {
    let database = database().await?;
    let often = [("PULSE__ACCOUNTS__SIGNING_KEYS__REREAD_EVERY", "1s")];
    let roles = Roles::start_with(&database.url(), &often).await?;
    let url = roles.gateway.url().to_owned();
    let old = sign_in(&url).await?;
    let rotated = run(role(&database.url(), &["keys", "rotate", "--now"])).await?.success()?;
    anyhow::ensure!(rotated.contains("which signs from now on"), "{rotated}");
    let (began, mut again) = (Instant::now(), interval(Duration::from_millis(100)));
    let token = loop {
        let token = sign_in(&url).await?;
        if key_of(&token)? != key_of(&old)? {
            break token;
        }
        anyhow::ensure!(began.elapsed() < Duration::from_mins(1), "the new key never signs");
        again.tick().await;
    };
    // The gateway has not heard of it until this token names it.
    let me = ask(&url, Some(&token), "{ me { email } }", json!({})).await?;
    anyhow::ensure!(me["me"]["email"].is_string(), "{me}");
    let refused = answer(&url, Some(&old), "{ me { email } }", json!({})).await?;
    anyhow::ensure!(refused.text.contains("UNAUTHENTICATED"), "{}", refused.text);
    let listed = run(role(&database.url(), &["keys", "list"])).await?.success()?;
    anyhow::ensure!(listed.contains(&key_of(&token)?) && listed.contains("current"), "{listed}");
    roles.stop().await
}

#[tokio::test]
async fn a_job_is_followed_over_a_plain_socket_of_a_gateway_apart() -> anyhow::Result<()> {
    let database = database().await?;
    let mut roles = Roles::start(&database.url()).await?;
    let url = roles.gateway.url().to_owned();
    let token = sign_in(&url).await?;
    // It waits until there is a worker once more.
    roles.worker.signal(Signal::SIGKILL)?;
    roles.worker.gone().await?;
    let create = "mutation { createCollection(input: { name: \"short\", dimension: 2, metric: COSINE }) { collection { id } } }";
    let made = ask(&url, Some(&token), create, json!({})).await?;
    let id = &made["createCollection"]["collection"]["id"];
    let delete = "mutation ($input: DeleteCollectionInput!) { deleteCollection(input: $input) { id } }";
    ask(&url, Some(&token), delete, json!({ "input": { "id": id } })).await?;
    let list = "{ jobs(filter: { kind: \"vectors.drop_partition\" }) { nodes { id } } }";
    let jobs = ask(&url, Some(&token), list, json!({})).await?;
    let job = jobs["jobs"]["nodes"][0]["id"].as_str().context("there is a job")?.to_owned();

    let address = url.trim_start_matches("http://");
    let mut request = format!("ws://{address}/ws/jobs/{job}").into_client_request()?;
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse()?);
    let (mut socket, _) = client_async(request, TcpStream::connect(address).await?).await?;
    let (mut said, mut closed) = (Vec::new(), None);
    while let Some(message) = timeout(Duration::from_mins(1), socket.next()).await? {
        match message? {
            Message::Text(text) => {
                let told: Value = serde_json::from_str(&text)?;
                said.push(format!("{} {}", told["status"].as_str().unwrap_or_default(), told["progress"]));
                if said.len() == 1 {
                    let worker = role(&database.url(), &container(&["serve", "worker"]));
                    roles.worker = Running::start(worker, "working").await?;
                }
            }
            Message::Close(frame) => {
                closed = frame.map(|frame| (u16::from(frame.code), frame.reason.to_string()));
            }
            _ => {}
        }
    }
    assert_eq!(said, ["pending 0", "processing 0", "completed 100"]);
    assert_eq!(closed, Some((1000, "the job is completed".to_owned())));
    roles.stop().await
}

#[tokio::test]
async fn an_uploaded_logo_is_served_by_a_gateway_apart() -> anyhow::Result<()> {
    const WEBP: &str = "RIFF\0\0\0\0WEBPVP8 ";
    let database = database().await?;
    let roles = Roles::start(&database.url()).await?;
    let url = roles.gateway.url().to_owned();
    let token = sign_in(&url).await?;
    let upload = "mutation ($data: String!) { uploadLogo(input: { data: $data }) { settings { branding { logoUrl } } } }";
    let uploaded = ask(&url, Some(&token), upload, json!({ "data": STANDARD.encode(WEBP) })).await?;
    let path = uploaded["uploadLogo"]["settings"]["branding"]["logoUrl"].as_str().context("an address")?;
    let served = get(&url, path).await?;
    assert_eq!((served.status, served.text.as_str()), (200, WEBP));
    let unknown = format!("/logos/{}", OrgId::new(Clock::system().now()));
    for path in [unknown.as_str(), "/logos/x", "/logos/..%2finternal%2faccess"] {
        assert_eq!(get(&url, path).await?.status, 404, "{path}");
    }
    roles.stop().await
}
