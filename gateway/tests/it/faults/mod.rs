//! Subgraphs that are slow, dead, half-dead, answer garbage, too much or too little, or break off: each answer comes in
//! bounded time with the right partial data and error, and requests for the healthy part go on as ever.

mod cases;

use std::time::Duration;

use bytesize::ByteSize;
use futures::StreamExt;
use futures::stream;
use pulse_gateway::{GatewayConfig, RemoteConfig};
use tokio::time::timeout;

use crate::support::two_subgraphs::{gateway, settings, steady};

use cases::{Case, entity_cases, root_cases};

/// Longer than any answer may take: the subgraph's own time, and room for a busy machine.
const BOUND: Duration = Duration::from_mins(1);

/// How many cases are tried at once: each has a gateway and servers of its own.
const AT_ONCE: usize = 12;

fn config() -> GatewayConfig {
    let config = GatewayConfig {
        remote: RemoteConfig {
            timeout: Duration::from_secs(4),
            response_limit: ByteSize::kb(20),
            ..RemoteConfig::default()
        },
        ..GatewayConfig::default()
    };
    // However busy the machine is, the healthy one is healthy.
    settings(config, "steady", "timeout = \"50s\"")
}

/// What a client sees of a shaky subgraph, and whether another one saw the healthy subgraph at the same time.
async fn seen(case: Case, query: &str) -> String {
    let Case { name, url } = case;
    let steady = steady().await;
    let gateway = gateway(&url, &steady.url, config()).await;
    let asked = gateway.post(serde_json::json!({ "query": query }).to_string());
    let healthy = gateway.post(r#"{"query":"{ fine }"}"#);
    let (reply, healthy) = timeout(BOUND, async { tokio::join!(asked, healthy) })
        .await
        .unwrap_or_else(|_| panic!("{name}: no answer"));
    assert_eq!(healthy.text(), r#"{"data":{"fine":"well"}}"#, "{name}");
    format!("{name}\n  {} {}", reply.status.as_u16(), reply.text())
}

async fn table(cases: Vec<Case>, query: &str) -> String {
    let seen = stream::iter(cases).map(|case| seen(case, query)).buffered(AT_ONCE);
    seen.collect::<Vec<_>>().await.join("\n")
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "it is a table")]
async fn each_way_in_which_a_subgraph_fails_leaves_the_others_and_says_what_is_missing() {
    let cases = root_cases().await;
    assert!(cases.len() >= 24);
    insta::assert_snapshot!(table(cases, "{ fine hello }").await, @r#"
    a port where nobody listens
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` could not be reached","path":["hello"],"extensions":{"code":"UNAVAILABLE","subgraph":"shaky"}}]}
    accepts and never reads
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` did not answer within 4000 ms","path":["hello"],"extensions":{"code":"TIMEOUT","subgraph":"shaky"}}]}
    accepts and closes
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` could not be reached","path":["hello"],"extensions":{"code":"UNAVAILABLE","subgraph":"shaky"}}]}
    a name that does not exist
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` could not be reached","path":["hello"],"extensions":{"code":"UNAVAILABLE","subgraph":"shaky"}}]}
    no first byte
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` did not answer within 4000 ms","path":["hello"],"extensions":{"code":"TIMEOUT","subgraph":"shaky"}}]}
    a slow first byte
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` did not answer within 4000 ms","path":["hello"],"extensions":{"code":"TIMEOUT","subgraph":"shaky"}}]}
    a head that trickles
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` did not answer within 4000 ms","path":["hello"],"extensions":{"code":"TIMEOUT","subgraph":"shaky"}}]}
    a body that trickles
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` did not answer within 4000 ms","path":["hello"],"extensions":{"code":"TIMEOUT","subgraph":"shaky"}}]}
    closes after the request
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` could not be reached","path":["hello"],"extensions":{"code":"UNAVAILABLE","subgraph":"shaky"}}]}
    closes in the head
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` could not be reached","path":["hello"],"extensions":{"code":"UNAVAILABLE","subgraph":"shaky"}}]}
    closes in the body
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` could not be reached","path":["hello"],"extensions":{"code":"UNAVAILABLE","subgraph":"shaky"}}]}
    announces more than it sends
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` did not answer within 4000 ms","path":["hello"],"extensions":{"code":"TIMEOUT","subgraph":"shaky"}}]}
    announces less than it sends
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` gave an answer that cannot be used","path":["hello"],"extensions":{"code":"INTERNAL","subgraph":"shaky"}}]}
    two lengths
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` gave an answer that cannot be used","path":["hello"],"extensions":{"code":"INTERNAL","subgraph":"shaky"}}]}
    chunks that are none
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` could not be reached","path":["hello"],"extensions":{"code":"UNAVAILABLE","subgraph":"shaky"}}]}
    the last chunk is missing
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` could not be reached","path":["hello"],"extensions":{"code":"UNAVAILABLE","subgraph":"shaky"}}]}
    no HTTP at all
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` gave an answer that cannot be used","path":["hello"],"extensions":{"code":"INTERNAL","subgraph":"shaky"}}]}
    random bytes
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` gave an answer that cannot be used","path":["hello"],"extensions":{"code":"INTERNAL","subgraph":"shaky"}}]}
    a flood of informational responses
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` did not answer within 4000 ms","path":["hello"],"extensions":{"code":"TIMEOUT","subgraph":"shaky"}}]}
    a head without end
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` gave an answer that cannot be used","path":["hello"],"extensions":{"code":"INTERNAL","subgraph":"shaky"}}]}
    headers without end
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` gave an answer that cannot be used","path":["hello"],"extensions":{"code":"INTERNAL","subgraph":"shaky"}}]}
    a body without end
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` gave an answer that cannot be used","path":["hello"],"extensions":{"code":"INTERNAL","subgraph":"shaky"}}]}
    a huge body, announced
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` gave an answer that cannot be used","path":["hello"],"extensions":{"code":"INTERNAL","subgraph":"shaky"}}]}
    500 with errors
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"not today","path":["hello"],"extensions":{"code":"X","subgraph":"shaky"}}]}
    500 with nothing
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` gave an answer that cannot be used","path":["hello"],"extensions":{"code":"INTERNAL","subgraph":"shaky"}}]}
    500 with a stack trace
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` gave an answer that cannot be used","path":["hello"],"extensions":{"code":"INTERNAL","subgraph":"shaky"}}]}
    502 with HTML
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` gave an answer that cannot be used","path":["hello"],"extensions":{"code":"INTERNAL","subgraph":"shaky"}}]}
    503 with errors
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"not today","path":["hello"],"extensions":{"code":"X","subgraph":"shaky"}}]}
    200 with HTML
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` gave an answer that cannot be used","path":["hello"],"extensions":{"code":"INTERNAL","subgraph":"shaky"}}]}
    401 with errors
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"not today","path":["hello"],"extensions":{"code":"X","subgraph":"shaky"}}]}
    404 with text
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` gave an answer that cannot be used","path":["hello"],"extensions":{"code":"INTERNAL","subgraph":"shaky"}}]}
    a redirect
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` gave an answer that cannot be used","path":["hello"],"extensions":{"code":"INTERNAL","subgraph":"shaky"}}]}
    no content
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` gave an answer that cannot be used","path":["hello"],"extensions":{"code":"INTERNAL","subgraph":"shaky"}}]}
    no content type
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` gave an answer that cannot be used","path":["hello"],"extensions":{"code":"INTERNAL","subgraph":"shaky"}}]}
    an empty body
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` gave an answer that cannot be used","path":["hello"],"extensions":{"code":"INTERNAL","subgraph":"shaky"}}]}
    invalid UTF-8
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` gave an answer that cannot be used","path":["hello"],"extensions":{"code":"INTERNAL","subgraph":"shaky"}}]}
    JSON that stops
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` gave an answer that cannot be used","path":["hello"],"extensions":{"code":"INTERNAL","subgraph":"shaky"}}]}
    JSON with something behind
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` gave an answer that cannot be used","path":["hello"],"extensions":{"code":"INTERNAL","subgraph":"shaky"}}]}
    a list
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` gave an answer that cannot be used","path":["hello"],"extensions":{"code":"INTERNAL","subgraph":"shaky"}}]}
    a number
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` gave an answer that cannot be used","path":["hello"],"extensions":{"code":"INTERNAL","subgraph":"shaky"}}]}
    data that is a list
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` gave an answer that cannot be used","path":["hello"],"extensions":{"code":"INTERNAL","subgraph":"shaky"}}]}
    errors that are a string
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` gave an answer that cannot be used","path":["hello"],"extensions":{"code":"INTERNAL","subgraph":"shaky"}}]}
    errors that are odd
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"unknown error","path":["hello"],"extensions":{"code":"INTERNAL","subgraph":"shaky"}},{"message":"unknown error","path":["hello"],"extensions":{"code":"INTERNAL","subgraph":"shaky"}},{"message":"odd","path":["hello"],"extensions":{"code":"INTERNAL","subgraph":"shaky"}},{"message":"unknown error","path":["hello"],"extensions":{"code":"INTERNAL","subgraph":"shaky"}}]}
    neither data nor errors
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` gave an answer that cannot be used","path":["hello"],"extensions":{"code":"INTERNAL","subgraph":"shaky"}}]}
    a field of the wrong kind
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"`Query.hello` is not a string","path":["hello"],"extensions":{"code":"INTERNAL"}}]}
    a field that is missing
      200 {"data":{"fine":"well","hello":null}}
    lists in lists in lists
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` gave an answer that cannot be used","path":["hello"],"extensions":{"code":"INTERNAL","subgraph":"shaky"}}]}
    more than may be
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` gave an answer that cannot be used","path":["hello"],"extensions":{"code":"INTERNAL","subgraph":"shaky"}}]}
    an unknown encoding
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` gave an answer that cannot be used","path":["hello"],"extensions":{"code":"INTERNAL","subgraph":"shaky"}}]}
    an encoding that it is not
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` gave an answer that cannot be used","path":["hello"],"extensions":{"code":"INTERNAL","subgraph":"shaky"}}]}
    a gzip bomb
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` gave an answer that cannot be used","path":["hello"],"extensions":{"code":"INTERNAL","subgraph":"shaky"}}]}
    a gzip bomb in gzip
      200 {"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` gave an answer that cannot be used","path":["hello"],"extensions":{"code":"INTERNAL","subgraph":"shaky"}}]}
    "#);
}

#[tokio::test]
async fn each_way_in_which_entities_are_missing_leaves_what_is_there() {
    insta::assert_snapshot!(table(entity_cases().await, "{ fine products { upc stock } }").await, @r#"
    too few entities
      200 {"data":{"fine":"well","products":[{"upc":"1","stock":null},{"upc":"2","stock":null}]},"errors":[{"message":"the subgraph `shaky` gave an answer that cannot be used","path":["products"],"extensions":{"code":"INTERNAL","subgraph":"shaky"}}]}
    too many entities
      200 {"data":{"fine":"well","products":[{"upc":"1","stock":null},{"upc":"2","stock":null}]},"errors":[{"message":"the subgraph `shaky` gave an answer that cannot be used","path":["products"],"extensions":{"code":"INTERNAL","subgraph":"shaky"}}]}
    entities that are null
      200 {"data":{"fine":"well","products":[{"upc":"1","stock":null},{"upc":"2","stock":null}]},"errors":[{"message":"the subgraph `shaky` gave an answer that cannot be used","path":["products"],"extensions":{"code":"INTERNAL","subgraph":"shaky"}}]}
    entities that are no list
      200 {"data":{"fine":"well","products":[{"upc":"1","stock":null},{"upc":"2","stock":null}]},"errors":[{"message":"the subgraph `shaky` gave an answer that cannot be used","path":["products"],"extensions":{"code":"INTERNAL","subgraph":"shaky"}}]}
    entities that are no objects
      200 {"data":{"fine":"well","products":[{"upc":"1","stock":null},{"upc":"2","stock":null}]},"errors":[{"message":"the subgraph `shaky` gave an answer that cannot be used","path":["products"],"extensions":{"code":"INTERNAL","subgraph":"shaky"}}]}
    no entities
      200 {"data":{"fine":"well","products":[{"upc":"1","stock":null},{"upc":"2","stock":null}]},"errors":[{"message":"the subgraph `shaky` gave an answer that cannot be used","path":["products"],"extensions":{"code":"INTERNAL","subgraph":"shaky"}}]}
    null data
      200 {"data":{"fine":"well","products":[{"upc":"1","stock":null},{"upc":"2","stock":null}]},"errors":[{"message":"the subgraph `shaky` gave an answer that cannot be used","path":["products"],"extensions":{"code":"INTERNAL","subgraph":"shaky"}}]}
    one entity is null
      200 {"data":{"fine":"well","products":[{"upc":"1","stock":null},{"upc":"2","stock":2}]}}
    one entity failed
      200 {"data":{"fine":"well","products":[{"upc":"1","stock":1},{"upc":"2","stock":null}]},"errors":[{"message":"lost","path":["products",1,"stock"],"extensions":{"code":"INTERNAL","subgraph":"shaky"}}]}
    an error that leads nowhere
      200 {"data":{"fine":"well","products":[{"upc":"1","stock":1},{"upc":"2","stock":null}]},"errors":[{"message":"lost","path":["products"],"extensions":{"code":"INTERNAL","subgraph":"shaky"}}]}
    all failed
      200 {"data":{"fine":"well","products":[{"upc":"1","stock":null},{"upc":"2","stock":null}]},"errors":[{"message":"lost","path":["products"],"extensions":{"code":"INTERNAL","subgraph":"shaky"}}]}
    a port where nobody listens
      200 {"data":{"fine":"well","products":[{"upc":"1","stock":null},{"upc":"2","stock":null}]},"errors":[{"message":"the subgraph `shaky` could not be reached","path":["products"],"extensions":{"code":"UNAVAILABLE","subgraph":"shaky"}}]}
    "#);
}
