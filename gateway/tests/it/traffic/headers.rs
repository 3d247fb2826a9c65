//! Header rules, both ways.

use http::Method;
use pulse_gateway::{Gateway, GatewayConfig};

use crate::support::gateway::TestGateway;
use crate::support::scripted_server::{ScriptedServer, Step, response};
use crate::support::two_subgraphs::{gateway, settings, steady, two_parts, with_urls};

const HELLO: &str = r#"{"query":"{ hello }"}"#;

fn config(remote: &str) -> GatewayConfig {
    GatewayConfig { remote: toml::from_str(remote).unwrap(), ..GatewayConfig::default() }
}

fn answer(headers: &[&str]) -> Vec<Step> {
    let headers: Vec<_> = [&["content-type: application/json"], headers].concat();
    vec![response("200 OK", &headers, br#"{"data":{"hello":"hi","fine":"well"}}"#)]
}

/// The headers that the shaky subgraph saw of this request, but for those that every request has.
async fn sent(config: GatewayConfig, headers: &[&str]) -> String {
    let shaky = ScriptedServer::always(answer(&[])).await;
    let gateway = gateway(&shaky.url, "http://localhost:1", config).await;
    let headers = [&["content-type: application/json"], headers].concat();
    let reply = gateway.send(Method::POST, "/graphql", &headers, HELLO).await;
    assert_eq!(reply.text(), r#"{"data":{"hello":"hi"}}"#);
    let request = shaky.requests().remove(0).replace('\r', "");
    let own = ["POST ", "content-type:", "accept:", "x-request-id:", "host:", "content-length:"];
    let (head, _) = request.split_once("\n\n").unwrap();
    let mut lines: Vec<_> =
        head.lines().filter(|line| !own.iter().any(|own| line.starts_with(own))).collect();
    lines.sort_unstable();
    lines.join("\n")
}

#[tokio::test]
async fn no_header_of_the_client_goes_on_by_itself() {
    let headers = ["x-tenant: a", "authorization: Bearer t", "cookie: c=1", "x-api-key: k", "user-agent: u"];
    assert_eq!(sent(GatewayConfig::default(), &headers).await, "");
}

#[tokio::test]
async fn rules_propagate_rename_insert_and_remove_in_order() {
    let rules = r#"
        [headers]
        request = [
            { propagate = "x-tenant", rename = "x-org" },
            { propagate = "x-missing", default = "none" },
            { propagate = "x-absent" },
            { matching = "x-trace-.*" },
            { remove = "x-trace-secret" },
            { insert = "x-gateway", value = "pulse" },
            { insert = "x-subgraph", from = "subgraph" },
            { insert = "x-user", from = "subject" },
        ]
    "#;
    let config = settings(
        config(rules),
        "shaky",
        "headers.request = [{ insert = \"x-own\", value = \"1\" }, { remove_matching = \"x-trace-b.*\" }]",
    );
    let headers =
        ["x-tenant: a", "x-trace-a: 1", "x-trace-a: 2", "x-trace-b: 3", "X-Trace-Secret: 4", "x-other: 5"];
    insta::assert_snapshot!(sent(config, &headers).await, @r"
    x-gateway: pulse
    x-missing: none
    x-org: a
    x-own: 1
    x-subgraph: shaky
    x-trace-a: 1
    x-trace-a: 2
    ");
}

#[tokio::test]
async fn patterns_never_catch_credentials_nor_what_belongs_to_one_connection() {
    let headers = [
        "authorization: Bearer t",
        "cookie: c=1",
        "x-api-key: k",
        "pulse-caller: forged",
        "te: trailers",
        "proxy-authorization: p",
        "accept-encoding: gzip",
        "x-once: 1",
        "connection: keep-alive, x-once",
        "x-free: 1",
    ];
    let all = config("headers.request = [{ matching = \".*\" }]");
    assert_eq!(sent(all, &headers).await, "x-free: 1");
    let named = config("headers.request = [{ propagate = \"authorization\" }, { propagate = \"x-once\" }]");
    assert_eq!(sent(named, &headers).await, "authorization: Bearer t");
}

#[tokio::test]
async fn a_rule_that_cannot_be_followed_stops_the_start() {
    let mut refusals = Vec::new();
    for rule in [
        "request = [{}]",
        r#"request = [{ propagate = "x", matching = "y" }]"#,
        r#"request = [{ propagate = "pulse-caller" }]"#,
        r#"request = [{ insert = "transfer-encoding", value = "chunked" }]"#,
        r#"request = [{ insert = "x", from = "weather" }]"#,
        r#"request = [{ insert = "x" }]"#,
        r#"request = [{ matching = "(" }]"#,
        r#"request = [{ remove = "x", value = "y" }]"#,
        r#"request = [{ propagate = "a b" }]"#,
        r#"response = [{ propagate = "content-length" }]"#,
        r#"response = [{ insert = "x" }]"#,
    ] {
        let config = config(&format!("[headers]\n{rule}"));
        let config = with_urls(config, "http://localhost:1", "http://localhost:1");
        let refused = Gateway::init(two_parts(&config), config).await.err().unwrap();
        refusals.push(refused.to_string());
    }
    insta::assert_snapshot!(refusals.join("\n"), @r#"
    a header rule is wrong: it sets none of `propagate`, `matching`, `insert`, `remove`, `remove_matching`
    a header rule is wrong: it sets both `propagate` and `matching`; make two rules of it
    a header rule is wrong: the header `pulse-caller` is set by the gateway or belongs to one connection alone
    a header rule is wrong: the header `transfer-encoding` is set by the gateway or belongs to one connection alone
    a header rule is wrong: `from` is "weather"; it may be subject, tenant, session, request_id, subgraph or claim:NAME, and a client's header goes on by `propagate`
    a header rule is wrong: it sets none of `value`, `from`
    a header rule is wrong: "(" is no regular expression: regex parse error:
        ^(?i-u:()$
         ^
    error: unclosed group
    a header rule is wrong: `value` does not go with `remove`
    a header rule is wrong: "a b" is no name of a header
    a header rule is wrong: the header `content-length` is set by the gateway or belongs to one connection alone
    a header rule is wrong: it sets none of `value`
    "#);
}

/// The headers that a client gets back when both subgraphs answer, the steady one last.
async fn returned(remote: &str, shaky: &[&str], steady: &[&str]) -> String {
    let shaky = ScriptedServer::always(answer(shaky)).await;
    let steady_steps = answer(steady);
    let first = std::sync::Arc::new(shaky);
    let waits_for = std::sync::Arc::clone(&first);
    let steady = ScriptedServer::start(move |_, _| {
        assert!(waits_for.requests().len() < 2);
        [vec![Step::Pause(std::time::Duration::from_millis(300))], steady_steps.clone()].concat()
    })
    .await;
    let gateway: TestGateway = gateway(&first.url, &steady.url, config(remote)).await;
    let reply = gateway.post(r#"{"query":"{ fine hello }"}"#).await;
    let own = [
        "content-type",
        "content-length",
        "date",
        "x-request-id",
        "x-content-type-options",
        "vary",
        "cache-control",
    ];
    let mut lines: Vec<_> = reply
        .headers
        .iter()
        .filter(|(name, _)| !own.contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    lines.sort_unstable();
    lines.join("\n")
}

#[tokio::test]
async fn headers_of_subgraphs_come_back_only_by_rules_that_say_which_value_counts() {
    let one = [
        "x-a: 1",
        "x-b: 1",
        "x-c: 1",
        "x-debug-x: 1",
        "set-cookie: a=1",
        "connection: keep-alive",
        "server: s",
    ];
    let other = ["x-a: 2", "x-b: 2", "x-c: 2", "x-debug-x: 2", "set-cookie: b=2"];
    assert_eq!(returned("", &one, &other).await, "");
    let rules = r#"
        [headers]
        response = [
            { propagate = "x-a", strategy = "first" },
            { propagate = "x-b", strategy = "last", rename = "x-bb" },
            { propagate = "x-c", strategy = "append" },
            { propagate = "set-cookie", strategy = "append" },
            { propagate = "x-none", default = "nothing" },
            { matching = "x-debug-.*", strategy = "first" },
            { insert = "x-served-by", value = "pulse" },
        ]
    "#;
    insta::assert_snapshot!(returned(rules, &one, &other).await, @r"
    set-cookie: a=1
    set-cookie: b=2
    x-a: 1
    x-bb: 2
    x-c: 1
    x-c: 2
    x-debug-x: 1
    x-none: nothing
    x-served-by: pulse
    ");
    let patterns =
        r#"headers.response = [{ matching = ".*" }, { remove = "x-a" }, { remove_matching = "x-d.*" }]"#;
    insta::assert_snapshot!(returned(patterns, &one, &other).await, @r"
    server: s
    x-b: 2
    x-c: 2
    ");
}

#[tokio::test]
async fn one_subgraph_may_be_elsewhere() {
    let shaky = ScriptedServer::always(answer(&[])).await;
    let steady = steady().await;
    let url = format!("url = \"{}\"", shaky.url);
    let mut config = settings(GatewayConfig::default(), "shaky", &url);
    config.subgraph_urls.insert("steady".to_owned(), steady.url.clone());
    let gateway = TestGateway::with(two_parts(&config), config).await;
    let reply = gateway.post(r#"{"query":"{ fine hello }"}"#).await;
    assert_eq!(reply.text(), r#"{"data":{"fine":"well","hello":"hi"}}"#);
}
