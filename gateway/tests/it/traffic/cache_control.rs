//! For how long answers may be kept.

use http::Method;
use pulse_gateway::GatewayConfig;

use crate::support::client::Reply;
use crate::support::scripted_server::{ScriptedServer, response};
use crate::support::two_subgraphs::gateway;

async fn server(cache_control: Option<&str>, body: &'static str) -> ScriptedServer {
    let kept = cache_control.map(|kept| format!("cache-control: {kept}"));
    let headers: Vec<_> = ["content-type: application/json"].into_iter().chain(kept.as_deref()).collect();
    ScriptedServer::always(vec![response("200 OK", &headers, body.as_bytes())]).await
}

const DATA: &str = r#"{"data":{"hello":"hi","fine":"well","change":"done"}}"#;

async fn reply(parts: [Option<&str>; 2], body: &'static str, query: &str, headers: &[&str]) -> Reply {
    let config = GatewayConfig {
        remote: toml::from_str("headers.request = [{ propagate = \"accept-language\" }]").unwrap(),
        ..GatewayConfig::default()
    };
    let (shaky, steady) = (server(parts[0], body).await, server(parts[1], DATA).await);
    let gateway = gateway(&shaky.url, &steady.url, config).await;
    let headers = [&["content-type: application/json"], headers].concat();
    gateway.send(Method::POST, "/graphql", &headers, serde_json::json!({ "query": query }).to_string()).await
}

async fn kept(parts: [Option<&str>; 2], query: &str, headers: &[&str]) -> String {
    reply(parts, DATA, query, headers).await.header("cache-control").unwrap().to_owned()
}

const PRIVATE: &str = "private, no-store";

#[tokio::test]
async fn an_answer_may_be_kept_as_long_as_all_of_its_parts_say() {
    let both = [Some("public, max-age=60"), Some("max-age=30, public")];
    let reply = reply(both, DATA, "{ hello fine }", &[]).await;
    assert_eq!(reply.header("cache-control"), Some("public, max-age=30"));
    let vary: Vec<_> = reply.headers.get_all("vary").iter().map(|value| value.to_str().unwrap()).collect();
    for name in ["accept", "accept-language"] {
        assert!(vary.iter().flat_map(|value| value.split(", ")).any(|part| part == name), "{vary:?}");
    }
    assert_eq!(kept(both, "{ hello }", &[]).await, "public, max-age=60");
    let differ = [Some("public, max-age=60"), Some("private, max-age=90")];
    assert_eq!(kept(differ, "{ hello fine }", &[]).await, "private, max-age=60");
}

#[tokio::test]
async fn an_answer_of_which_one_part_does_not_say_is_not_kept() {
    assert_eq!(kept([Some("public, max-age=60"), None], "{ hello fine }", &[]).await, PRIVATE);
    assert_eq!(kept([Some("public, max-age=60"), Some("no-store")], "{ hello fine }", &[]).await, PRIVATE);
    assert_eq!(kept([None, None], "{ __typename }", &[]).await, PRIVATE);
}

#[tokio::test]
async fn nobody_keeps_mutations_and_errors_and_only_the_client_keeps_what_is_its_own() {
    let both = [Some("public, max-age=60"), Some("public, max-age=60")];
    assert_eq!(kept(both, "mutation { change }", &[]).await, PRIVATE);
    assert_eq!(kept(both, "{ nonsense }", &[]).await, PRIVATE);
    let failed = r#"{"data":{"hello":null},"errors":[{"message":"no","path":["hello"]}]}"#;
    assert_eq!(reply(both, failed, "{ hello }", &[]).await.header("cache-control"), Some(PRIVATE));
    for credential in ["authorization: Bearer t", "cookie: c=1", "x-api-key: k"] {
        assert_eq!(kept(both, "{ hello }", &[credential]).await, "private, max-age=60", "{credential}");
    }
}
