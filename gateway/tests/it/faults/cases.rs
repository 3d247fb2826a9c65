//! The ways in which a subgraph can fail.

use std::time::Duration;

use async_compression::tokio::bufread::GzipEncoder;
use tokio::io::AsyncReadExt;

use crate::support::fake_server::FakeServer;
use crate::support::scripted_server::{ScriptedServer, Step, json, response};

pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) url: String,
}

const JSON: &str = "content-type: application/json";

fn write(text: &str) -> Step {
    Step::Write(text.as_bytes().to_vec())
}

async fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    GzipEncoder::new(bytes).read_to_end(&mut out).await.unwrap();
    out
}

/// Faults of the connection and of HTTP.
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn of_http() -> Vec<(&'static str, Vec<Step>)> {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    let (pause, long) = (Duration::from_millis(20), Duration::from_mins(1));
    vec![
        ("no first byte", vec![Step::Hold]),
        ("a slow first byte", vec![Step::Pause(long), json(r#"{"data":{"hello":"late"}}"#)]),
        ("a head that trickles", vec![write("HTTP/1.1 200 OK\r\nx: "), Step::Trickle(b"x".to_vec(), pause)]),
        (
            "a body that trickles",
            vec![
                write(&format!("{head}content-length: 9999\r\n\r\n{{")),
                Step::Trickle(b" ".to_vec(), pause),
            ],
        ),
        ("closes after the request", vec![Step::Close]),
        ("closes in the head", vec![write("HTTP/1.1 200 OK\r\ncontent-ty"), Step::Close]),
        (
            "closes in the body",
            vec![write(&format!("{head}content-length: 100\r\n\r\n{{\"data\":")), Step::Close],
        ),
        (
            "announces more than it sends",
            vec![
                write(&format!("{head}content-length: 26\r\n\r\n{{\"data\":{{\"hello\":\"hi\"}}}}")),
                Step::Hold,
            ],
        ),
        (
            "announces less than it sends",
            vec![
                write(&format!("{head}content-length: 10\r\n\r\n{{\"data\":{{\"hello\":\"hi\"}}}}")),
                Step::Close,
            ],
        ),
        (
            "two lengths",
            vec![
                write(&format!("{head}content-length: 10\r\ncontent-length: 26\r\n\r\n{{\"data\":null}}")),
                Step::Close,
            ],
        ),
        (
            "chunks that are none",
            vec![
                write(&format!("{head}transfer-encoding: chunked\r\n\r\nzz\r\n{{\"data\"\r\n")),
                Step::Close,
            ],
        ),
        (
            "the last chunk is missing",
            vec![write(&format!("{head}transfer-encoding: chunked\r\n\r\n2\r\n{{}}\r\n")), Step::Close],
        ),
        ("no HTTP at all", vec![write("220 mail.example.org ESMTP ready\r\n"), Step::Close]),
        ("random bytes", vec![Step::Write((0..=255).cycle().take(4096).collect()), Step::Close]),
        (
            "a flood of informational responses",
            vec![Step::Forever(b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n".repeat(100))],
        ),
        ("a head without end", vec![write("HTTP/1.1 200 OK\r\nx: "), Step::Forever(vec![b'x'; 4096])]),
        ("headers without end", vec![write("HTTP/1.1 200 OK\r\n"), Step::Forever(b"x: y\r\n".repeat(100))]),
        (
            "a body without end",
            vec![
                write(&format!("{head}transfer-encoding: chunked\r\n\r\n")),
                Step::Forever([b"400\r\n".as_slice(), &[b' '; 1024], b"\r\n"].concat()),
            ],
        ),
        (
            "a huge body, announced",
            vec![write(&format!("{head}content-length: 99999999999\r\n\r\n{{")), Step::Hold],
        ),
    ]
}

/// Responses that are HTTP, and no answer.
fn of_responses() -> Vec<(&'static str, Step)> {
    let ok = |body: &[u8]| response("200 OK", &[JSON], body);
    let html = &["content-type: text/html"][..];
    let graphql = &["content-type: application/graphql-response+json"][..];
    let errors = br#"{"errors":[{"message":"not today","extensions":{"code":"X"}}]}"#;
    let bomb = ["[".repeat(9000), "]".repeat(9000)].concat();
    vec![
        ("500 with errors", response("500 Internal Server Error", &[JSON], errors)),
        ("500 with nothing", response("500 Internal Server Error", &[], b"")),
        (
            "500 with a stack trace",
            response("500 Internal Server Error", &["content-type: text/plain"], b"at main.rs:7"),
        ),
        ("502 with HTML", response("502 Bad Gateway", html, b"<h1>Bad Gateway</h1>")),
        ("503 with errors", response("503 Service Unavailable", graphql, errors)),
        ("200 with HTML", response("200 OK", html, b"<h1>Welcome</h1>")),
        ("401 with errors", response("401 Unauthorized", graphql, errors)),
        ("404 with text", response("404 Not Found", &["content-type: text/plain"], b"not found")),
        ("a redirect", response("302 Found", &["location: http://localhost:1/"], b"")),
        ("no content", response("204 No Content", &[], b"")),
        ("no content type", response("200 OK", &[], br#"{"data":{"hello":"hi"}}"#)),
        ("an empty body", ok(b"")),
        ("invalid UTF-8", ok(b"{\"data\":{\"hello\":\"\xff\xfe\"}}")),
        ("JSON that stops", ok(br#"{"data":{"hello":"h"#)),
        ("JSON with something behind", ok(br#"{"data":{"hello":"hi"}} {"data":"#)),
        ("a list", ok(br#"[{"data":{"hello":"hi"}}]"#)),
        ("a number", ok(b"42")),
        ("data that is a list", ok(br#"{"data":[]}"#)),
        ("errors that are a string", ok(br#"{"data":{"hello":"hi"},"errors":"none"}"#)),
        ("errors that are odd", ok(br#"{"data":{"hello":null},"errors":[null,7,"odd",{"path":["hello"]}]}"#)),
        ("neither data nor errors", ok(br#"{"hello":"hi"}"#)),
        ("a field of the wrong kind", ok(br#"{"data":{"hello":{"a":[1]}}}"#)),
        ("a field that is missing", ok(br#"{"data":{}}"#)),
        ("lists in lists in lists", ok(format!(r#"{{"data":{{"hello":{bomb}}}}}"#).as_bytes())),
        ("more than may be", ok(format!(r#"{{"data":{{"hello":"{}"}}}}"#, "x".repeat(30_000)).as_bytes())),
        ("an unknown encoding", response("200 OK", &[JSON, "content-encoding: rot13"], br#"{"data":{}}"#)),
        (
            "an encoding that it is not",
            response("200 OK", &[JSON, "content-encoding: gzip"], br#"{"data":{}}"#),
        ),
    ]
}

pub(super) async fn root_cases() -> Vec<Case> {
    let mut cases = vec![
        Case { name: "a port where nobody listens", url: FakeServer::dead_url().await },
        Case { name: "accepts and never reads", url: ScriptedServer::deaf(vec![Step::Hold]).await.url },
        Case { name: "accepts and closes", url: ScriptedServer::deaf(vec![Step::Close]).await.url },
        Case { name: "a name that does not exist", url: "http://nowhere.invalid/graphql".to_owned() },
    ];
    let bomb = zipped(&vec![b' '; 50_000_000]).await;
    let bomb = response("200 OK", &[JSON, "content-encoding: gzip"], &bomb[..bomb.len().min(19_000)]);
    let twice = zipped(&zipped(&vec![b' '; 5_000_000]).await).await;
    let twice = response("200 OK", &[JSON, "content-encoding: gzip, gzip"], &twice);
    let responses = of_responses().into_iter().map(|(name, step)| (name, vec![step]));
    let bombs = [("a gzip bomb", vec![bomb]), ("a gzip bomb in gzip", vec![twice])];
    for (name, steps) in of_http().into_iter().chain(responses).chain(bombs) {
        cases.push(Case { name, url: ScriptedServer::always(steps).await.url });
    }
    cases
}

pub(super) async fn entity_cases() -> Vec<Case> {
    let bodies = [
        ("too few entities", r#"{"data":{"_entities":[{"stock":1}]}}"#),
        ("too many entities", r#"{"data":{"_entities":[{"stock":1},{"stock":2},{"stock":3}]}}"#),
        ("entities that are null", r#"{"data":{"_entities":null}}"#),
        ("entities that are no list", r#"{"data":{"_entities":{"stock":1}}}"#),
        ("entities that are no objects", r#"{"data":{"_entities":["one",2]}}"#),
        ("no entities", r#"{"data":{}}"#),
        ("null data", r#"{"data":null}"#),
        ("one entity is null", r#"{"data":{"_entities":[null,{"stock":2}]}}"#),
        (
            "one entity failed",
            r#"{"data":{"_entities":[{"stock":1},null]},"errors":[{"message":"lost","path":["_entities",1,"stock"]}]}"#,
        ),
        (
            "an error that leads nowhere",
            r#"{"data":{"_entities":[{"stock":1},{"stock":null}]},"errors":[{"message":"lost","path":["_entities",99]}]}"#,
        ),
        ("all failed", r#"{"data":null,"errors":[{"message":"lost"}]}"#),
    ];
    let mut cases = Vec::new();
    for (name, body) in bodies {
        cases.push(Case { name, url: ScriptedServer::always(vec![json(body)]).await.url });
    }
    cases.push(Case { name: "a port where nobody listens", url: FakeServer::dead_url().await });
    cases
}
