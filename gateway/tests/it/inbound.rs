//! Clients that mean no good: connections without requests, requests without end, resets without end.

use std::time::Duration;

use futures::future::join_all;
use pulse_gateway::GatewayConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::gateway::TestGateway;
use crate::support::scripted_server::{ScriptedServer, Step};
use crate::support::{pause, two_subgraphs};

async fn connect(gateway: &TestGateway) -> TcpStream {
    TcpStream::connect(gateway.url.trim_start_matches("http://")).await.unwrap()
}

/// What comes until the server closes the connection.
async fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A reset is an end as well.
    drop(stream.read_to_end(&mut bytes).await);
    bytes
}

fn impatient() -> GatewayConfig {
    GatewayConfig { header_timeout: Duration::from_millis(100), ..GatewayConfig::default() }
}

const LIVE: &[u8] = b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n";

#[tokio::test]
async fn connections_on_which_nothing_happens_are_closed() {
    let gateway = TestGateway::configured(impatient()).await;
    let mut silent = connect(&gateway).await;
    let mut undecided = connect(&gateway).await;
    undecided.write_all(b"PRI * HT").await.unwrap();
    let mut served = connect(&gateway).await;
    served.write_all(LIVE).await.unwrap();
    let mut http2 = connect(&gateway).await;
    http2.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00").await.unwrap();
    assert_eq!(rest(&mut silent).await, b"");
    assert_eq!(rest(&mut undecided).await, b"");
    assert!(rest(&mut served).await.starts_with(b"HTTP/1.1 200"));
    let frames = rest(&mut http2).await;
    assert!(kinds(&frames).contains(&GOAWAY), "{frames:?}");
}

#[tokio::test]
async fn a_head_that_trickles_has_its_time_whatever_comes() {
    let gateway = TestGateway::configured(impatient()).await;
    let mut stream = connect(&gateway).await;
    stream.write_all(b"GET /health/live HTTP/1.1\r\nx: ").await.unwrap();
    let trickle = async {
        // The server closes the connection, which ends this.
        while stream.write_all(b"x").await.is_ok() {
            pause(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(20), trickle).await.unwrap();
}

#[tokio::test]
async fn idle_connections_make_room_for_others() {
    let config = GatewayConfig { connection_limit: 20, ..GatewayConfig::default() };
    let gateway = TestGateway::configured(config).await;
    let idle = join_all((0..150).map(|_| connect(&gateway))).await;
    let reply = gateway.post(r#"{"query":"{ hello }"}"#).await;
    assert_eq!(reply.text(), r#"{"data":{"hello":"hello"}}"#);
    drop(idle);
}

#[tokio::test]
async fn connections_that_are_at_work_make_no_room() {
    let config = GatewayConfig {
        connection_limit: 1,
        request_timeout: Duration::from_millis(300),
        ..GatewayConfig::default()
    };
    let (silent, steady) = (ScriptedServer::always(vec![Step::Hold]).await, two_subgraphs::steady().await);
    let gateway = two_subgraphs::gateway(&silent.url, &steady.url, config).await;
    let mut working = connect(&gateway).await;
    let body = r#"{"query":"{ hello }"}"#;
    let head = format!(
        "POST /graphql HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    working.write_all(head.as_bytes()).await.unwrap();
    silent.asked(1).await;
    let mut other = connect(&gateway).await;
    other.write_all(LIVE).await.unwrap();
    let answer = rest(&mut working).await;
    assert!(String::from_utf8_lossy(&answer).contains("TIMEOUT"), "{}", String::from_utf8_lossy(&answer));
    let mut first = [0; 12];
    other.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
}

#[tokio::test]
async fn one_address_has_so_many_connections_and_no_more() {
    let config = GatewayConfig { connections_per_address: 2, ..GatewayConfig::default() };
    let gateway = TestGateway::configured(config).await;
    let mut kept = [connect(&gateway).await, connect(&gateway).await];
    for stream in &mut kept {
        stream.write_all(LIVE).await.unwrap();
        stream.read_exact(&mut [0; 12]).await.unwrap();
    }
    let mut third = connect(&gateway).await;
    drop(third.write_all(LIVE).await);
    assert_eq!(rest(&mut third).await, b"");
    drop(kept);
    timeout(Duration::from_secs(20), async {
        loop {
            let mut again = connect(&gateway).await;
            drop(again.write_all(LIVE).await);
            if again.read_exact(&mut [0; 12]).await.is_ok() {
                return;
            }
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_its_answer_is_cut_off() {
    let gateway = TestGateway::configured(impatient()).await;
    let mut stream = connect(&gateway).await;
    let text = "x".repeat(400_000);
    let body = serde_json::json!({
        "query": "query($text: String!) { echo(text: $text) }",
        "variables": { "text": text },
    })
    .to_string();
    let request = format!(
        "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    // So many answers fit in no buffer of the system. The server gives up on the client, and the client's writes fail.
    let ask = async { while stream.write_all(request.as_bytes()).await.is_ok() {} };
    timeout(Duration::from_secs(30), ask).await.unwrap();
}

const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const GOAWAY: u8 = 7;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The kinds of the frames in these bytes.
fn kinds(mut bytes: &[u8]) -> Vec<u8> {
    let mut kinds = Vec::new();
    while let [a, b, c, kind, _, _, _, _, _, rest @ ..] = bytes {
        kinds.push(*kind);
        let length = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
        bytes = rest.get(length..).unwrap_or_default();
    }
    kinds
}

#[tokio::test]
async fn a_client_that_opens_and_resets_streams_without_end_is_cut_off() {
    let gateway = TestGateway::start().await;
    let stream = connect(&gateway).await;
    let (mut read, mut write) = stream.into_split();
    write.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    write.write_all(&frame(4, 0, 0, &[])).await.unwrap();
    // GET http://x/ in the static table's words.
    let head = [0x82, 0x86, 0x84, 0x41, 0x01, b'x'];
    let flood = async {
        for number in 0..100_000_u32 {
            let stream = number * 2 + 1;
            let both =
                [frame(HEADERS, 0x5, stream, &head), frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])].concat();
            if write.write_all(&both).await.is_err() {
                return;
            }
        }
    };
    let answer = async {
        let mut bytes = Vec::new();
        drop(read.read_to_end(&mut bytes).await);
        bytes
    };
    let ((), bytes) = timeout(Duration::from_secs(30), async { tokio::join!(flood, answer) }).await.unwrap();
    assert!(kinds(&bytes).contains(&GOAWAY));
    assert_eq!(gateway.post(r#"{"query":"{ hello }"}"#).await.text(), r#"{"data":{"hello":"hello"}}"#);
}
