//! `pulse serve`: the roles as processes, started by the words of containers.

use std::collections::BTreeMap;
use std::fs;

use chrono::{DateTime, Utc};
use futures::future::try_join_all;
use nix::sys::signal::Signal;
use pulse_testkit::TestDatabase;
use pulse_tokens::CallerTokens;
use pulse_types::{Caller, Clock, RequestId, Secret};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::cli::deploy_commands;
use crate::support::http::{answer, ask, post};
use crate::support::organization::{SLUG, database, sign_in};
use crate::support::process::{Running, pulse, run};

/// What a role says when it serves.
const READY: &str = "ready at http://";

const SIGNING_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const ENCRYPTION_KEY: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
const SECRET: &str = "a secret of this test's processes";

/// The README's example.
const EXAMPLE: &str = r#"query {
  me { name }
  organization { name activity(days: 30) { total } }
  entities(filter: { type: "package" }, first: 3) {
    nodes {
      name
      relationships(direction: OUTGOING, first: 5) { nodes { type target { name } } }
      similar(first: 3) { score entity { name } }
    }
  }
}"#;

/// A role by the words of its command; `addresses` of the containers become ones of this machine.
fn role(database: &TestDatabase, words: &[&str]) -> Command {
    let mut command = pulse(words.iter().map(|word| match *word {
        "0.0.0.0:4000" | "0.0.0.0:4001" => "127.0.0.1:0",
        word => word,
    }));
    command.env("DATABASE_URL", database.url()).env("PULSE_SIGNING_KEY", SIGNING_KEY);
    command.env("PULSE_ENCRYPTION_KEY", ENCRYPTION_KEY);
    for name in pulse::platform::SUBGRAPHS {
        command.env(format!("PULSE_SUBGRAPH_SECRET_{}", name.to_uppercase()), SECRET);
    }
    command
}

/// The container command that begins with these words.
fn container(begin: &[&str]) -> Vec<&'static str> {
    deploy_commands().find(|words| words.starts_with(begin)).expect("containers start it")
}

/// Every role by itself, as containers are started.
struct Roles {
    gateway: Running,
    worker: Running,
    subgraphs: BTreeMap<&'static str, Running>,
}

impl Roles {
    async fn start(database: &TestDatabase) -> anyhow::Result<Self> {
        run(role(database, &container(&["migrate"]))).await?.success()?;
        let subgraphs = pulse::platform::SUBGRAPHS.map(async |name| {
            let command = role(database, &container(&["serve", "subgraph", name]));
            anyhow::Ok((name, Running::start(command, READY).await?))
        });
        let worker = Running::start(role(database, &container(&["serve", "worker"])), "working");
        let (subgraphs, worker) = tokio::try_join!(try_join_all(subgraphs), worker)?;
        let mut gateway = role(database, &container(&["serve", "gateway"]));
        // The gateway needs no database.
        gateway.env_remove("DATABASE_URL");
        for (name, subgraph) in &subgraphs {
            let variable = format!("PULSE_SUBGRAPH_URL_{}", name.to_uppercase());
            gateway.env(variable, format!("{}/graphql", subgraph.url()));
        }
        let gateway = Running::start(gateway, READY).await?;
        Ok(Self { gateway, worker, subgraphs: subgraphs.into_iter().collect() })
    }

    async fn stop(self) -> anyhow::Result<()> {
        for process in self.subgraphs.into_values().chain([self.gateway, self.worker]) {
            terminate(process).await?;
        }
        Ok(())
    }
}

/// SIGTERM, on which a process finishes what it does and succeeds.
async fn terminate(process: Running) -> anyhow::Result<()> {
    process.end(Signal::SIGTERM).await?.success()?;
    Ok(())
}

/// Some packages with relationships, vectors and events, made through the gateway at `url`.
async fn fill(database: &TestDatabase, url: &str, token: &str) -> anyhow::Result<()> {
    let place = tempfile::tempdir()?;
    let file = place.path().join("packages.jsonl");
    let packages = ["bash", "curl", "dash"];
    let entities = packages
        .map(|name| json!({ "kind": "entity", "key": name, "type": "package", "name": name }).to_string());
    let pairs = packages.windows(2).map(|pair| {
        json!({ "kind": "relationship", "type": "depends", "source": pair[0], "target": pair[1] }).to_string()
    });
    let lines: Vec<_> = entities.into_iter().chain(pairs).collect();
    fs::write(&file, lines.join("\n"))?;
    let mut import = pulse(["import", "--org", SLUG, &file.to_string_lossy()]);
    import.env("DATABASE_URL", database.url());
    run(import).await?.success()?;

    let ids = ask(url, Some(token), "{ entities(first: 10) { nodes { id key } } }", json!({})).await?;
    let mut ids = ids["entities"]["nodes"].as_array().cloned().unwrap_or_default();
    ids.sort_by_key(|entity| entity["key"].to_string());
    let create =
        "mutation ($input: CreateCollectionInput!) { createCollection(input: $input) { collection { id } } }";
    let input = json!({ "input": { "name": "packages", "dimension": 2, "metric": "COSINE" } });
    let collection = ask(url, Some(token), create, input).await?;
    let items: Vec<_> = ids
        .iter()
        .zip([[3, 4], [4, 3], [0, 1]])
        .map(|(entity, vector)| json!({ "key": entity["key"], "entityId": entity["id"], "vector": vector }))
        .collect();
    let upsert = "mutation ($input: UpsertItemsInput!) { upsertItems(input: $input) { created } }";
    let collection = &collection["createCollection"]["collection"]["id"];
    ask(url, Some(token), upsert, json!({ "input": { "collectionId": collection, "items": items } })).await?;
    let now = Clock::system().now();
    let events: Vec<_> = (0..7).map(|_| json!({ "name": "package.installed", "at": now })).collect();
    let record = "mutation ($input: RecordEventsInput!) { recordEvents(input: $input) { recorded } }";
    ask(url, Some(token), record, json!({ "input": { "events": events } })).await?;
    Ok(())
}

#[tokio::test]
async fn one_process_and_one_for_each_role_answer_the_same() -> anyhow::Result<()> {
    let database = database().await?;
    let all = role(&database, &["serve", "all", "--listen", "0.0.0.0:4000"]);
    let all = Running::start(all, READY).await?;
    let token = sign_in(all.url()).await?;
    fill(&database, all.url(), &token).await?;
    let from_all = answer(all.url(), Some(&token), EXAMPLE, json!({})).await?;
    insta::assert_snapshot!(sorted(&from_all.text)?, @r#"{"data":{"me":{"name":"Ada"},"organization":{"name":"Library","activity":{"total":7.0}},"entities":{"nodes":[{"name":"bash","relationships":{"nodes":[{"type":"depends","target":{"name":"curl"}}]},"similar":[{"score":0.96,"entity":{"name":"curl"}},{"score":0.8,"entity":{"name":"dash"}}]},{"name":"curl","relationships":{"nodes":[{"type":"depends","target":{"name":"dash"}}]},"similar":[{"score":0.96,"entity":{"name":"bash"}},{"score":0.6,"entity":{"name":"dash"}}]},{"name":"dash","relationships":{"nodes":[]},"similar":[{"score":0.8,"entity":{"name":"bash"}},{"score":0.6,"entity":{"name":"curl"}}]}]}}}"#);
    terminate(all).await?;

    let mut roles = Roles::start(&database).await?;
    let url = roles.gateway.url().to_owned();
    let from_roles = answer(&url, Some(&token), EXAMPLE, json!({})).await?;
    assert_eq!(from_roles.text, from_all.text);
    // A token of the processes apart is as good as one of the process for all.
    let token = sign_in(&url).await?;
    assert_eq!(answer(&url, Some(&token), EXAMPLE, json!({})).await?.text, from_all.text);

    terminate(roles.subgraphs.remove("analytics").expect("it runs")).await?;
    let partial = answer(&url, Some(&token), EXAMPLE, json!({})).await?;
    without_analytics(&partial.text, &from_all.text)?;
    roles.stop().await
}

/// An answer for people, its entities by name: the ids of one batch are in no order.
fn sorted(answer: &str) -> anyhow::Result<String> {
    let mut answer: Value = serde_json::from_str(answer)?;
    if let Some(nodes) = answer["data"]["entities"]["nodes"].as_array_mut() {
        nodes.sort_by_key(|node| node["name"].to_string());
    }
    Ok(answer.to_string())
}

/// Everything is there but what the missing subgraph would have said, and one error says so.
fn without_analytics(partial: &str, whole: &str) -> anyhow::Result<()> {
    let (partial, mut whole): (Value, Value) = (serde_json::from_str(partial)?, serde_json::from_str(whole)?);
    insta::assert_snapshot!(partial["errors"], @r#"[{"message":"the subgraph `analytics` could not be reached","path":["organization"],"extensions":{"code":"UNAVAILABLE","subgraph":"analytics"}}]"#);
    whole["data"]["organization"]["activity"] = Value::Null;
    assert_eq!(partial["data"], whole["data"]);
    Ok(())
}

#[tokio::test]
async fn a_subgraph_answers_gateways_that_hold_its_secret_and_nobody_else() -> anyhow::Result<()> {
    let database = TestDatabase::new().await?;
    let entities =
        Running::start(role(&database, &container(&["serve", "subgraph", "entities"])), READY).await?;
    let now = Clock::system().now();
    let caller = Caller::anonymous(RequestId::new(now));
    let sign = |audience: &str, secret: &str, now: DateTime<Utc>| {
        CallerTokens::new(audience, &Secret::new(secret)).sign(&caller, now)
    };
    let ask = async |token: Option<&str>| {
        let header = token.map(|token| ("pulse-caller", token));
        let answer = post(entities.url(), header, &json!({ "query": "{ __typename }" })).await?;
        anyhow::Ok(format!("{} {}", answer.status, answer.text))
    };
    let answers = [
        ask(None).await?,
        ask(Some("nonsense")).await?,
        ask(Some(&sign("entities", "another secret of somebody", now)?)).await?,
        ask(Some(&sign("accounts", SECRET, now)?)).await?,
        ask(Some(&sign("entities", SECRET, now - chrono::TimeDelta::seconds(61))?)).await?,
        ask(Some(&sign("entities", SECRET, now)?)).await?,
    ];
    insta::assert_snapshot!(answers.join("\n"), @r#"
    401 {"errors":[{"message":"this is a subgraph: ask its gateway, which signs the caller in `pulse-caller`","extensions":{"code":"UNAUTHENTICATED"}}]}
    401 {"errors":[{"message":"the token is malformed","extensions":{"code":"UNAUTHENTICATED"}}]}
    401 {"errors":[{"message":"the token's signature is not valid","extensions":{"code":"UNAUTHENTICATED"}}]}
    401 {"errors":[{"message":"the token is for another audience","extensions":{"code":"UNAUTHENTICATED"}}]}
    401 {"errors":[{"message":"the token has expired: refresh it","extensions":{"code":"UNAUTHENTICATED"}}]}
    200 {"data":{"__typename":"Query"}}
    "#);
    terminate(entities).await
}

#[tokio::test]
async fn health_tells_ready_from_not_ready_and_from_gone() -> anyhow::Result<()> {
    let database = TestDatabase::new().await?;
    let all = Running::start(role(&database, &["serve", "all", "--listen", "0.0.0.0:4000"]), READY).await?;
    let vectors =
        Running::start(role(&database, &container(&["serve", "subgraph", "vectors"])), READY).await?;
    let health = async |address: &str| {
        let path = "http://127.0.0.1:4000";
        let words = container(&["health"]).into_iter().map(|word| word.replace(path, address));
        let ended = run(pulse(words)).await?;
        let text = format!("{}{}", ended.stdout, ended.refusal(&[(address, "http://[address]")]));
        anyhow::Ok(without_version(text))
    };
    let ready = [health(all.url()).await?, health(vectors.url()).await?];
    insta::assert_snapshot!(ready.join("\n"), @r#"
    {"status":"ready","checks":[{"name":"supergraph","status":"ready","message":"serving [version]"},{"name":"database","status":"ready"}]}
    exit code 0

    {"ready":true}
    exit code 0
    "#);
    drop(database);
    let not_ready = [health(all.url()).await?, health(vectors.url()).await?];
    insta::assert_snapshot!(not_ready.join("\n"), @r#"
    exit code 45
    error: http://[address]/health/ready: 503 Service Unavailable: {"status":"not_ready","checks":[{"name":"supergraph","status":"ready","message":"serving [version]"},{"name":"database","status":"not_ready","message":"the database does not answer"}]}
    exit code 45
    error: http://[address]/health/ready: 503 Service Unavailable: {"ready":false,"database":"does not answer"}
    "#);
    let address = vectors.url().to_owned();
    terminate(all).await?;
    terminate(vectors).await?;
    let gone = health(&address).await?;
    insta::assert_snapshot!(gone, @"
    exit code 45
    error: http://[address]/health/ready: does not answer: Connection refused
    ");
    Ok(())
}

/// Leaves out the version of the supergraph, which every change of a schema changes.
fn without_version(text: String) -> String {
    match text.split_once("serving version ") {
        Some((before, after)) => {
            format!("{before}serving [version]{}", after.trim_start_matches(char::is_alphanumeric))
        }
        None => text,
    }
}

#[tokio::test]
async fn a_gateway_in_front_of_other_subgraphs_needs_only_the_supergraph() -> anyhow::Result<()> {
    let router = axum::Router::new().route(
        "/graphql",
        axum::routing::post(async || {
            axum::Json(json!({ "data": { "book": { "title": "Middlemarch", "pages": 880 } } }))
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let books = tokio::spawn(axum::serve(listener, router).into_future());

    let place = tempfile::tempdir()?;
    let sdl = place.path().join("books.graphql");
    fs::write(&sdl, "type Query { book: Book }\ntype Book { title: String! pages: Int! }\n")?;
    let supergraph = run(pulse(["schema", "compose", &sdl.to_string_lossy()])).await?.success()?;
    assert!(supergraph.contains(r#"url: """#), "{supergraph}");
    let file = place.path().join("supergraph.graphql");
    fs::write(&file, supergraph.replace(r#"url: """#, &format!(r#"url: "http://{address}/graphql""#)))?;

    let words = ["serve", "gateway", "--listen", "127.0.0.1:0", "--supergraph", &file.to_string_lossy()];
    let gateway = Running::start(pulse(words), READY).await?;
    let answered = answer(gateway.url(), None, "{ book { pages title } }", json!({})).await?;
    assert_eq!(answered.text, r#"{"data":{"book":{"pages":880,"title":"Middlemarch"}}}"#);
    let refused = answer(gateway.url(), None, "{ book { author } }", json!({})).await?;
    assert!(refused.text.contains("author"), "{}", refused.text);
    terminate(gateway).await?;
    books.abort();
    Ok(())
}
