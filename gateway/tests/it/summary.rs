//! The one line that is logged for each request: what it says, and what it never says.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use http::Method;
use tracing_subscriber::EnvFilter;

use crate::support::gateway::TestGateway;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// The lines that tell of requests with this id, without what differs from run to run.
    fn summaries(&self, id: &str) -> String {
        let mut lines = Vec::new();
        let told = |line: &&str| line.contains(r#""message":"request""#) && line.contains(id);
        for line in self.text().lines().filter(told) {
            let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
            line["timestamp"] = "TIME".into();
            line["total_ms"] = "MS".into();
            let subgraphs = line["subgraphs"].as_str().unwrap().split(':').next().unwrap().to_owned();
            line["subgraphs"] = subgraphs.into();
            lines.push(line.to_string());
        }
        lines.join("\n")
    }
}

#[tokio::test]
async fn each_request_is_one_line_without_variables_and_credentials() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new("trace"))
        .with_writer(move || writer.clone())
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .finish();
    // For all threads: what another test logs first, on a thread without a subscriber, would else be off in this one too.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let gateway = TestGateway::start().await;
    let id = "01890a5d-ac96-774b-bcce-b30209950000";
    let named = format!("x-request-id: {id}");
    let headers = ["content-type: application/json", "authorization: Bearer SECRET-TOKEN", &named];
    let body = r#"{"query":"query Say($text: String!) { echo(text: $text) }","variables":{"text":"SECRET-VARIABLE"}}"#;
    gateway.send(Method::POST, "/graphql", &headers, body).await;
    gateway.send(Method::POST, "/graphql", &headers, r#"{"query":"{ nonsense }"}"#).await;
    gateway.send(Method::POST, "/graphql", &headers, "nonsense").await;
    insta::assert_snapshot!(log.summaries(id), @r#"
    {"timestamp":"TIME","level":"INFO","message":"request","request_id":"01890a5d-ac96-774b-bcce-b30209950000","subject":"anonymous","operation":"Say","kind":"query","was_planned":false,"subgraphs":"parrot","status":200,"cancelled":false,"errors":0,"total_ms":"MS","target":"pulse_gateway::pipeline::summary"}
    {"timestamp":"TIME","level":"INFO","message":"request","request_id":"01890a5d-ac96-774b-bcce-b30209950000","subject":"anonymous","kind":"none","subgraphs":"","status":400,"cancelled":false,"errors":1,"code":"BAD_USER_INPUT","total_ms":"MS","target":"pulse_gateway::pipeline::summary"}
    {"timestamp":"TIME","level":"INFO","message":"request","request_id":"01890a5d-ac96-774b-bcce-b30209950000","kind":"none","subgraphs":"","status":400,"cancelled":false,"errors":1,"code":"BAD_USER_INPUT","total_ms":"MS","target":"pulse_gateway::pipeline::summary"}
    "#);
    assert!(!log.text().contains("SECRET-"), "{}", log.text());
}
