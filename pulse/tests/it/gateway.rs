//! The gateway by itself: started, checked, given new settings, told to stop.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post as on_post;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use crate::support::http::{answer, get, post};
use crate::support::process::{Running, pulse, run};

const READY: &str = "ready at http://";

/// A subgraph over HTTP that has one book, and says what it was asked.
#[derive(Clone, Default)]
struct Books {
    parents: Arc<Mutex<Vec<String>>>,
    /// Told when a slow request has come, and when it may be answered.
    slow: Arc<(Notify, Notify)>,
}

impl Books {
    async fn start() -> anyhow::Result<(Self, String)> {
        let books = Self::default();
        let router = Router::new().route("/graphql", on_post(Self::serve)).with_state(books.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/graphql", listener.local_addr()?);
        tokio::spawn(axum::serve(listener, router).into_future());
        Ok((books, url))
    }

    async fn serve(State(books): State<Self>, headers: HeaderMap, body: String) -> axum::Json<Value> {
        let parent = headers.get("traceparent").and_then(|value| value.to_str().ok());
        books.parents.lock().expect("nothing panics here").extend(parent.map(str::to_owned));
        if body.contains("slow") {
            books.slow.0.notify_one();
            books.slow.1.notified().await;
        }
        axum::Json(
            json!({ "data": { "__typename": "Query", "book": { "title": "Middlemarch" }, "slow": "done" } }),
        )
    }
}

/// A folder with the supergraph of one subgraph at `url`.
async fn supergraph(url: &str) -> anyhow::Result<(TempDir, PathBuf)> {
    let place = tempfile::tempdir()?;
    let sdl = place.path().join("books.graphql");
    fs::write(&sdl, "type Query { book: Book slow: String }\ntype Book { title: String! }\n")?;
    let supergraph = run(pulse(["schema", "compose", &sdl.to_string_lossy()])).await?.success()?;
    let file = place.path().join("supergraph.graphql");
    fs::write(&file, supergraph.replace(r#"url: """#, &format!(r#"url: "{url}""#)))?;
    Ok((place, file))
}

fn serve(supergraph: &str, more: &[&str]) -> tokio::process::Command {
    let words = ["serve", "gateway", "--listen", "127.0.0.1:0", "--supergraph", supergraph];
    pulse(words.into_iter().chain(more.iter().copied()))
}

/// What a process says that cannot start.
async fn refusal(supergraph: &str, private: &[(&str, &str)]) -> anyhow::Result<String> {
    let mut command = serve(supergraph, &[]);
    command.env("PULSE__GATEWAY__SUPERGRAPH__START_TIMEOUT", "0s");
    Ok(run(command).await?.refusal(private))
}

#[tokio::test]
async fn a_start_without_a_supergraph_that_can_be_served_says_why() -> anyhow::Result<()> {
    let place = tempfile::tempdir()?;
    let folder = place.path().to_string_lossy().into_owned();
    let private = [(folder.as_str(), "[folder]")];
    let file = |name: &str, text: &str| -> anyhow::Result<String> {
        let path = place.path().join(name);
        fs::write(&path, text)?;
        Ok(path.to_string_lossy().into_owned())
    };
    let broken = file("broken.graphql", "type Query {")?;
    let subgraph = file("subgraph.graphql", "type Query { a: Int }")?;
    let nobody = "http://127.0.0.1:9/supergraph";
    for (supergraph, reason) in [
        ("/nowhere/supergraph.graphql", "the supergraph file /nowhere/supergraph.graphql cannot be read"),
        (broken.as_str(), "the supergraph is not valid SDL"),
        (subgraph.as_str(), "compose the subgraphs first"),
        ("ftp://somewhere/supergraph", "\"ftp://somewhere/supergraph\" is no URL of a supergraph"),
        (nobody, "cannot be fetched from http://127.0.0.1:9/supergraph, tried once: Connection refused"),
    ] {
        let refusal = refusal(supergraph, &private).await?;
        assert!(refusal.starts_with("exit code 41\n") && refusal.contains(reason), "{refusal}");
    }
    Ok(())
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "whole reports are long")]
async fn check_says_what_would_stop_a_gateway_and_what_is_suspicious() -> anyhow::Result<()> {
    let (_books, url) = Books::start().await?;
    let (place, file) = supergraph(&url).await?;
    let file = file.to_string_lossy().into_owned();
    let check = async |words: &[&str], settings: &str| -> anyhow::Result<String> {
        let path = place.path().join("gateway.toml");
        fs::write(&path, settings)?;
        let config = path.to_string_lossy().into_owned();
        let words: Vec<_> =
            ["gateway", "check", "--config", &config].into_iter().chain(words.iter().copied()).collect();
        let ended = run(pulse(words)).await?;
        let folder = place.path().to_string_lossy().into_owned();
        let text = format!("{}{}", ended.stdout, ended.refusal(&[]));
        let version =
            text.split("version ").nth(1).and_then(|text| text.split(',').next()).map(str::to_owned);
        let text = version.map_or(text.clone(), |version| text.replace(&version, "[version]"));
        Ok(text.replace(&folder, "[folder]").replace(&url, "[url]"))
    };
    let good = check(&["--supergraph", &file, "--online"], "").await?;
    let suspicious = "[gateway]\nexpose_plan = true\ncors_origins = [\"*\"]\n[gateway.subgraph_urls]\nfilms = \"http://127.0.0.1:1/\"\n";
    let strict = check(&["--supergraph", &file, "--listen", "0.0.0.0:4000", "--strict"], suspicious).await?;
    let typo = check(&[], "[gateway]\nrequest_time = \"5s\"\n").await?;
    let tokenless = check(&["--supergraph", &file], "[gateway.jwt]\nrequired = true\n").await?;
    let dead = "[gateway.subgraph_urls]\nbooks = \"http://127.0.0.1:1/graphql\"\n";
    let unreachable = check(&["--supergraph", &file, "--online"], dead).await?;
    let nothing = check(&["--supergraph", "/nowhere.graphql", "--format", "json"], "").await?;
    for (report, parts) in [
        (
            good,
            &[
                "settings: good",
                "1 subgraphs, 2 of 2 root fields planned",
                "books  [url]  answers",
                "exit code 0",
            ][..],
        ),
        (
            strict,
            &[
                "warning: gateway.expose_plan: ",
                "warning: gateway.cors_origins: ",
                "warning: gateway.introspection.allow: everybody on the network may read the whole schema",
                "warning: gateway.subgraph_urls.films: the supergraph has no such subgraph; it has books",
                "exit code 46",
                "without --strict they are no failure",
            ],
        ),
        (
            typo,
            &[
                "exit code 3",
                "gateway.request_time (from the file [folder]/gateway.toml): there is no such setting",
            ],
        ),
        (
            tokenless,
            &[
                "exit code 3",
                "gateway.jwt.required: nobody could send a token: name an issuer below [[gateway.jwt.issuers]]",
            ],
        ),
        (
            unreachable,
            &[
                "books  http://127.0.0.1:1/graphql  DOES NOT ANSWER",
                "error: subgraph books: could not be reached",
                "exit code 45",
            ],
        ),
        (nothing, &["\"ok\": false", "\"what\": \"supergraph\"", "\"exit_code\": 41", "exit code 41"]),
    ] {
        for part in parts {
            assert!(report.contains(part), "{part} is not in {report}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn the_schema_of_the_settings_knows_every_setting_and_no_other() -> anyhow::Result<()> {
    let text = run(pulse(["gateway", "schema"])).await?.success()?;
    let schema: Value = serde_json::from_str(&text)?;
    let limits = &schema["properties"]["gateway"]["properties"]["limits"];
    assert_eq!(limits["additionalProperties"], json!(false));
    let depth = &limits["properties"]["max_depth"];
    let expected = json!({
        "description": "How deeply fields may be nested, fragments followed.",
        "type": "integer",
        "minimum": 0,
        "default": 20,
    });
    assert_eq!(*depth, expected);
    let timeout = &schema["properties"]["gateway"]["properties"]["request_timeout"];
    assert_eq!(timeout["type"], "string");
    assert_eq!(timeout["default"], "30s");
    Ok(())
}

#[tokio::test]
async fn new_settings_hold_without_a_restart_and_broken_ones_change_nothing() -> anyhow::Result<()> {
    let (_books, url) = Books::start().await?;
    let (place, file) = supergraph(&url).await?;
    let config = place.path().join("gateway.toml");
    fs::write(&config, "[gateway]\nreload_interval = \"20ms\"\n")?;
    let words = ["--config", &config.to_string_lossy()];
    let gateway = Running::start(serve(&file.to_string_lossy(), &words), READY).await?;
    let aliased = json!({ "query": "{ a: book { title } }" });
    let is_answered = async || -> anyhow::Result<bool> {
        Ok(post(gateway.url(), None, &aliased).await?.text.starts_with(r#"{"data":"#))
    };
    assert!(is_answered().await?);

    fs::write(&config, "[gateway]\nreload_interval = \"20ms\"\n[gateway.limits]\nmax_aliases = 0\n")?;
    while is_answered().await? {
        tokio::task::yield_now().await;
    }
    fs::write(&config, "[gateway]\nreload_intervall = \"20ms\"\n")?;
    let refused = async || -> anyhow::Result<String> {
        loop {
            let ready = get(gateway.url(), "/health/ready").await?.text;
            if ready.contains("reload_intervall") {
                return Ok(ready);
            }
        }
    };
    let ready = tokio::time::timeout(Duration::from_mins(1), refused()).await??;
    assert!(ready.starts_with(r#"{"status":"ready""#), "{ready}");
    assert!(!is_answered().await?);

    // A signal has them read at once, also when the file's own changes are not looked for.
    fs::write(&config, "[gateway]\nreload_interval = \"0s\"\n")?;
    gateway.signal(Signal::SIGHUP)?;
    while !is_answered().await? {
        tokio::task::yield_now().await;
    }
    gateway.end(Signal::SIGTERM).await?.success()?;
    Ok(())
}

#[tokio::test]
async fn a_stop_tells_load_balancers_first_and_finishes_what_is_under_way() -> anyhow::Result<()> {
    let (books, url) = Books::start().await?;
    let (_place, file) = supergraph(&url).await?;
    let mut command = serve(&file.to_string_lossy(), &[]);
    command.env("PULSE__GATEWAY__DRAIN_DELAY", "500ms");
    let gateway = Running::start(command, READY).await?;
    let address = gateway.url().to_owned();
    let slow = {
        let address = address.clone();
        tokio::spawn(async move { answer(&address, None, "{ slow }", json!({})).await })
    };
    books.slow.0.notified().await;
    gateway.signal(Signal::SIGTERM)?;
    // Not ready, and still serving.
    while get(&address, "/health/ready").await?.status != 503 {
        tokio::task::yield_now().await;
    }
    assert_eq!(answer(&address, None, "{ book { title } }", json!({})).await?.status, 200);
    // Then no new connection, and the answer that is owed.
    while get(&address, "/health/live").await.is_ok() {
        tokio::task::yield_now().await;
    }
    books.slow.1.notify_one();
    assert_eq!(slow.await??.text, r#"{"data":{"slow":"done"}}"#);
    gateway.ended().await?.success()?;
    Ok(())
}

#[tokio::test]
async fn a_second_signal_ends_at_once() -> anyhow::Result<()> {
    let (books, url) = Books::start().await?;
    let (_place, file) = supergraph(&url).await?;
    let gateway = Running::start(serve(&file.to_string_lossy(), &[]), READY).await?;
    let address = gateway.url().to_owned();
    let slow = tokio::spawn(async move { answer(&address, None, "{ slow }", json!({})).await });
    books.slow.0.notified().await;
    gateway.signal(Signal::SIGTERM)?;
    let address = gateway.url().to_owned();
    while get(&address, "/health/live").await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert_eq!(gateway.end(Signal::SIGINT).await?.code, Some(130));
    assert!(slow.await?.is_err());
    Ok(())
}

/// A collector that keeps what it is sent.
async fn collector() -> anyhow::Result<(Arc<Mutex<Vec<Span>>>, String)> {
    let spans: Arc<Mutex<Vec<Span>>> = Arc::default();
    let collect = async |State(spans): State<Arc<Mutex<Vec<Span>>>>, headers: HeaderMap, body: Bytes| {
        assert_eq!(headers["content-type"], "application/x-protobuf");
        spans.lock().expect("nothing panics here").extend(spans_of(&body));
    };
    let router = Router::new().route("/v1/traces", on_post(collect)).with_state(Arc::clone(&spans));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(axum::serve(listener, router).into_future());
    Ok((spans, url))
}

#[tokio::test]
async fn a_traced_request_is_a_tree_of_spans_that_the_client_and_the_subgraphs_belong_to()
-> anyhow::Result<()> {
    let (books, url) = Books::start().await?;
    let (_place, file) = supergraph(&url).await?;
    let (spans, collector) = collector().await?;
    let mut command = serve(&file.to_string_lossy(), &[]);
    command.env("PULSE__TELEMETRY__TRACES__ENDPOINT", collector);
    let gateway = Running::start(command, READY).await?;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    let body = json!({ "query": "query Title { book { title } }" });
    assert_eq!(post(gateway.url(), Some(("traceparent", &parent)), &body).await?.status, 200);
    // Not sampled by the client, so not by the gateway.
    let other = "00-11112f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
    assert_eq!(post(gateway.url(), Some(("traceparent", other)), &body).await?.status, 200);
    // What is left is sent before the process ends.
    gateway.end(Signal::SIGTERM).await?.success()?;

    let spans = spans.lock().expect("nothing panics here").clone();
    assert!(spans.iter().all(|span| span.trace == trace), "{spans:?}");
    let tree = tree(&spans, "00f067aa0ba902b7", 0);
    let names: Vec<_> = tree.lines().map(|line| line.split('=').next().unwrap_or_default()).collect();
    for part in [
        "POST /graphql http",
        "  read_request",
        "  authenticate",
        "  query Title graphql",
        "    prepare",
        "    execute",
        "      fetch books ",
    ] {
        assert!(names.iter().any(|name| name.starts_with(part)), "{part} is not in {tree}");
    }
    assert!(tree.contains("http.response.status_code=200") && tree.contains("subgraph.name=books"), "{tree}");
    let fetch =
        spans.iter().find(|span| span.name == "fetch books").expect("there is a call to the subgraph");
    let told = books.parents.lock().expect("nothing panics here").clone();
    assert_eq!(told[0], format!("00-{trace}-{}-01", fetch.id));
    assert!(
        told[1].starts_with("00-11112f3577b34da6a3ce929d0e0e4736-") && told[1].ends_with("-00"),
        "{told:?}"
    );
    Ok(())
}

#[derive(Debug, Clone, Default)]
struct Span {
    trace: String,
    id: String,
    parent: String,
    name: String,
    start: u64,
    attributes: BTreeMap<String, String>,
}

/// The spans below a parent, each with what it tells, in the order of their beginning.
fn tree(spans: &[Span], parent: &str, depth: usize) -> String {
    let mut children: Vec<_> = spans.iter().filter(|span| span.parent == parent).collect();
    children.sort_by_key(|span| span.start);
    let line = |span: &Span| {
        let attributes: Vec<_> =
            span.attributes.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let line = format!("{}{} {}", "  ".repeat(depth), span.name, attributes.join(" "));
        format!("{}\n{}", line.trim_end(), tree(spans, &span.id, depth + 1))
    };
    children.into_iter().map(line).collect()
}

/// The fields of a protobuf message: number, and content as bytes (a number as its eight bytes).
fn fields(mut bytes: &[u8]) -> Vec<(u64, Vec<u8>)> {
    let varint = |bytes: &mut &[u8]| {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = bytes.split_first().expect("a number goes on");
            *bytes = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        number
    };
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let content = match key & 7 {
            0 => varint(&mut bytes).to_le_bytes().to_vec(),
            wire => {
                let length = if wire == 1 { 8 } else { varint(&mut bytes) };
                let (content, rest) = bytes.split_at(usize::try_from(length).expect("it is short"));
                bytes = rest;
                content.to_vec()
            }
        };
        found.push((key >> 3, content));
    }
    found
}

fn inside(message: &[u8], number: u64) -> Vec<Vec<u8>> {
    fields(message).into_iter().filter(|(field, _)| *field == number).map(|(_, content)| content).collect()
}

fn spans_of(request: &[u8]) -> Vec<Span> {
    let scopes = inside(request, 1).into_iter().flat_map(|resource| inside(&resource, 2));
    scopes.flat_map(|scope| inside(&scope, 2)).map(|span| span_of(&span)).collect()
}

fn span_of(message: &[u8]) -> Span {
    let hex = |bytes: Vec<u8>| bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it is text");
    let mut span = Span::default();
    for (number, content) in fields(message) {
        match number {
            1 => span.trace = hex(content),
            2 => span.id = hex(content),
            4 => span.parent = hex(content),
            5 => span.name = text(content),
            7 => span.start = u64::from_le_bytes(content.try_into().expect("it is eight bytes")),
            9 => {
                let key = text(inside(&content, 1).remove(0));
                let (kind, value) = fields(&inside(&content, 2)[0]).remove(0);
                let value = match kind {
                    1 => text(value),
                    _ => u64::from_le_bytes(value.try_into().expect("it is eight bytes")).to_string(),
                };
                span.attributes.insert(key, value);
            }
            _ => {}
        }
    }
    span
}
