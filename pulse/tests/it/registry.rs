//! A change of a schema on its way through CI: checked, refused for those who use what goes, published, followed by a gateway,
//! taken back.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context;
use axum::routing::post;
use axum::{Json, Router};
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::interval;

use crate::support::http::ask;
use crate::support::organization::{database, sign_in};
use crate::support::process::{Ended, Running, pulse, run};
use crate::support::roles::{READY, role, terminate};

const BOOKS: &str = "type Query { books: [Book] } type Book { title: String isbn: String }";
const WITHOUT_TITLE: &str = "type Query { books: [Book] } type Book { isbn: String }";
const WITH_PAGES: &str = "type Query { books: [Book] } type Book { title: String pages: Int }";

const TITLES: &str = "query Titles { books { title } }";

/// How long something may take that happens by itself: far more than it needs on a loaded machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// A registry, a graph of one subgraph, and a folder of schemas.
struct Stage {
    registry: Running,
    token: String,
    folder: TempDir,
    subgraph: String,
    client: Client<hyper_util::client::legacy::connect::HttpConnector, Full<Bytes>>,
}

impl Stage {
    async fn new(database: &str) -> anyhow::Result<Self> {
        let registry =
            Running::start(role(database, &["serve", "all", "--listen", "0.0.0.0:4000"]), READY).await?;
        let token = sign_in(registry.url()).await?;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let subgraph = format!("http://{}/graphql", listener.local_addr()?);
        tokio::spawn(axum::serve(listener, Router::new().route("/graphql", post(answer))).into_future());
        let client = Client::builder(TokioExecutor::new()).build_http();
        Ok(Self { registry, token, folder: tempfile::tempdir()?, subgraph, client })
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Makes an API key with these scopes.
    async fn key(&self, scopes: &[&str]) -> anyhow::Result<String> {
        let make = "mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }";
        let input = json!({ "name": scopes.join(" "), "scopes": scopes });
        let data = self.ask(make, json!({ "input": input })).await?;
        Ok(data["createApiKey"]["secret"].as_str().context("it is shown")?.to_owned())
    }

    /// Asks the registry as the owner.
    async fn ask(&self, query: &str, variables: Value) -> anyhow::Result<Value> {
        ask(self.registry.url(), Some(&self.token), query, variables).await
    }

    /// `pulse schema` with these words, against the registry at `url`.
    async fn schema_at(&self, url: &str, key: &str, words: &[&str]) -> anyhow::Result<Ended> {
        let mut command = pulse(["schema"]);
        command.args(words).current_dir(self.folder.path());
        command.env("PULSE_REGISTRY", url).env("PULSE_REGISTRY_KEY", key);
        run(command).await
    }

    /// The same of a schema of the subgraph `books`.
    async fn schema(&self, key: &str, verb: &str, sdl: &str, more: &[&str]) -> anyhow::Result<Ended> {
        fs::write(self.file("books.graphql"), sdl)?;
        let words: Vec<&str> = [verb, "books.graphql"].into_iter().chain(more.iter().copied()).collect();
        self.schema_at(self.registry.url(), key, &words).await
    }

    /// A gateway that follows the registry and tells it what is used.
    async fn gateway(&self, key: &str) -> anyhow::Result<Running> {
        let url = self.registry.url();
        let asked = self.ask("{ schemaSigningKey { publicKey } }", json!({})).await?;
        let signed_by = asked["schemaSigningKey"]["publicKey"].as_str().context("a key")?.to_owned();
        let cache = self.file("supergraph.graphql");
        let settings = format!(
            "[gateway.supergraph]\nauthorization = \"Bearer {key}\"\nsignature_keys = [\"{signed_by}\"]\n\
             start_timeout = \"200ms\"\ncache_file = \"{}\"\n\
             [gateway.usage]\nregistry = \"{url}/graphql\"\nauthorization = \"Bearer {key}\"\nsampling = 1.0\ninterval = \"50ms\"\n",
            cache.display()
        );
        fs::write(self.file("gateway.toml"), settings)?;
        self.start_gateway(&format!("{url}/registry/production/current/supergraph")).await
    }

    async fn start_gateway(&self, supergraph: &str) -> anyhow::Result<Running> {
        let mut command =
            pulse(["serve", "gateway", "--listen", "127.0.0.1:0", "--supergraph", supergraph, "--config"]);
        command.arg(self.file("gateway.toml"));
        Running::start(command, READY).await
    }

    /// What a gateway answers a client.
    async fn asked_by(&self, url: &str, client: &str, query: &str) -> anyhow::Result<Value> {
        let request = Request::post(format!("{url}/graphql"))
            .header("content-type", "application/json")
            .header("apollographql-client-name", client)
            .header("apollographql-client-version", "2.0")
            .body(Full::from(json!({ "query": query }).to_string()))?;
        let body = self.client.request(request).await?.into_body().collect().await?.to_bytes();
        Ok(serde_json::from_slice(&body)?)
    }

    /// Asks a gateway for titles, over and over, until it answers the other query, or refuses it. Every answer must be good.
    async fn titles_until(&self, url: &str, query: &str, is_answered: bool) -> anyhow::Result<()> {
        let began = Instant::now();
        loop {
            let titles = self.asked_by(url, "web", TITLES).await?;
            anyhow::ensure!(titles == json!({ "data": { "books": [{ "title": "Emma" }] } }), "{titles}");
            let answer = self.asked_by(url, "ci", query).await?;
            if answer.get("errors").is_none() == is_answered {
                return Ok(());
            }
            anyhow::ensure!(began.elapsed() < PATIENCE, "it does not follow: {answer}");
        }
    }
}

/// The subgraph: one book, of which it has all that was ever in a schema.
async fn answer(Json(request): Json<Value>) -> Json<Value> {
    let query = request["query"].as_str().unwrap_or_default().to_owned();
    let book = json!({ "title": "Emma", "isbn": "1", "pages": 474 });
    let asked = book.as_object().into_iter().flatten().filter(|(name, _)| query.contains(name.as_str()));
    let book: serde_json::Map<String, Value> =
        asked.map(|(name, value)| (name.clone(), value.clone())).collect();
    Json(json!({ "data": { "books": [book] } }))
}

#[tokio::test]
async fn a_change_goes_through_ci_and_back_without_a_dropped_request() -> anyhow::Result<()> {
    let database = database().await?;
    let stage = Stage::new(&database.url()).await?;
    let ci = stage.key(&["schema:check", "schema:publish", "schema:read"]).await?;
    let key = stage.key(&["schema:read", "schema:report"]).await?;

    // The first version, and a gateway that follows.
    let published =
        stage.schema(&ci, "publish", BOOKS, &["--url", &stage.subgraph, "--revision", "1"]).await?;
    assert_eq!(
        published.success()?.trim(),
        "published books to production/current, composition 1: 0 breaking, 0 dangerous and 0 safe changes"
    );
    let gateway = stage.gateway(&key).await?;
    let url = gateway.url().to_owned();

    // What clients use is known by what they send.
    let usage =
        "{ schemaUsage(filter: { environment: \"production\", coordinate: \"Book.title\" }) { requests } }";
    let (began, mut again) = (Instant::now(), interval(Duration::from_millis(50)));
    stage.asked_by(&url, "web", TITLES).await?;
    while stage.ask(usage, json!({})).await?["schemaUsage"]["requests"] == 0 {
        anyhow::ensure!(began.elapsed() < PATIENCE, "what is used is never told");
        again.tick().await;
    }

    // A version that breaks somebody is refused, and says whom.
    let breaking = stage.schema(&ci, "check", WITHOUT_TITLE, &["--format", "json"]).await?;
    assert_eq!(breaking.code, Some(47), "{}", breaking.stderr);
    let report: Value = serde_json::from_str(&breaking.stdout)?;
    let finding = &report["findings"][0];
    assert_eq!(
        (&finding["code"], &finding["coordinate"], &finding["kind"]),
        (&json!("FIELD_REMOVED"), &json!("Book.title"), &json!("breaking"))
    );
    let users = finding["operations"].to_string();
    assert!(users.contains("Titles of web 2.0 (") && users.contains("GET /books"), "{users}");
    let annotated = stage.schema(&ci, "check", WITHOUT_TITLE, &["--output", "github"]).await?;
    assert!(
        annotated.stdout.starts_with("::error file=books.graphql,title=FIELD_REMOVED Book.title::"),
        "{}",
        annotated.stdout
    );

    // One that takes away what nobody uses is not.
    let safe = stage.schema(&ci, "check", WITH_PAGES, &["--revision", "2"]).await?;
    assert_eq!(safe.code, Some(0), "{}", safe.refusal(&[]));
    assert!(safe.stdout.contains("safe[FIELD_REMOVED] Book.isbn"), "{}", safe.stdout);
    stage.schema(&ci, "publish", WITH_PAGES, &["--revision", "2"]).await?.success()?;
    let pages = "{ books { pages } }";
    stage.titles_until(&url, pages, true).await?;

    all_that_can_be_wrong_has_a_code_of_its_own(&stage, (&ci, &key)).await?;

    // One call goes back.
    let back =
        "mutation { rollBackSchema(input: { environment: \"production\" }) { composition { number } } }";
    stage.ask(back, json!({})).await?;
    stage.titles_until(&url, pages, false).await?;

    // A gateway that starts while the registry is away serves the last good supergraph.
    let supergraph = format!("{}/registry/production/current/supergraph", stage.registry.url());
    gateway.end(Signal::SIGTERM).await?;
    let Stage { registry, .. } = &stage;
    registry.signal(Signal::SIGKILL)?;
    let alone = stage.start_gateway(&supergraph).await?;
    let titles = stage.asked_by(alone.url(), "web", TITLES).await?;
    assert_eq!(titles, json!({ "data": { "books": [{ "title": "Emma" }] } }));
    terminate(alone).await
}

async fn all_that_can_be_wrong_has_a_code_of_its_own(
    stage: &Stage,
    (ci, key): (&str, &str),
) -> anyhow::Result<()> {
    let broken = stage.schema(ci, "check", "type Query { books: [Nothing] }", &[]).await?;
    assert_eq!(broken.code, Some(41), "{}", broken.stderr);
    let failed = stage.schema(ci, "publish", "type Query { books: [Nothing] }", &[]).await?;
    assert_eq!(failed.code, Some(41), "{}", failed.stderr);
    let refused = stage.schema(key, "publish", BOOKS, &[]).await?;
    assert_eq!(refused.code, Some(48), "{}", refused.stderr);
    let nowhere = stage.schema_at("http://127.0.0.1:9", ci, &["check", "books.graphql"]).await?;
    assert_eq!(nowhere.code, Some(48), "{}", nowhere.stderr);
    let fetched = stage.schema_at(stage.registry.url(), ci, &["fetch"]).await?.success()?;
    assert!(fetched.contains("pages: Int") && fetched.contains(&stage.subgraph), "{fetched}");
    let none = stage.schema_at(stage.registry.url(), ci, &["fetch", "--environment", "staging"]).await?;
    assert_eq!(none.code, Some(41), "{}", none.stderr);
    Ok(())
}

#[tokio::test]
async fn a_supergraph_that_is_signed_for_something_else_is_not_served() -> anyhow::Result<()> {
    let database = database().await?;
    let stage = Stage::new(&database.url()).await?;
    let ci = stage.key(&["schema:publish", "schema:read"]).await?;
    stage.schema(&ci, "publish", BOOKS, &["--url", &stage.subgraph]).await?.success()?;
    stage
        .schema(&ci, "publish", BOOKS, &["--url", &stage.subgraph, "--environment", "staging"])
        .await?
        .success()?;
    terminate(stage.gateway(&ci).await?).await?;
    fs::remove_file(stage.file("supergraph.graphql"))?;
    let other = format!("{}/registry/staging/current/supergraph", stage.registry.url());
    let refused = stage.start_gateway(&other).await.err().context("it is not its own")?.to_string();
    assert!(refused.contains("it is not signed for production/current"), "{refused}");
    terminate(stage.registry).await
}
