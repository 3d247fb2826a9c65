//! REST, published operations by GET and by URL, beside the same operation by GraphQL.

use std::time::Duration;

use anyhow::{Context, ensure};
use pulse_bench_harness::child::Server;
use pulse_bench_harness::load::{Body, Call, Verb};
use pulse_bench_harness::table::{print, say};
use pulse_rest::Routes;
use pulse_testkit::TestDatabase;
use pulse_wiring::platform::{compose_own, mapping};
use serde_json::{Value, json};

use crate::pairs::{Measure, Pairs, Round, Target};
use crate::platform::access_token;
use crate::read::{load, settle};

/// Numbers of connections that are compared.
const CONNECTIONS: [usize; 2] = [1, 16];

/// What routes and operations are compared by.
const ROUTE: &str = "listEntities";

const HEAD: [&str; 7] = [
    "asked by",
    "answers",
    "connections",
    "requests/s",
    "CPU-ms/request",
    "CPU of GraphQL's",
    "p50 of GraphQL's",
];

/// REST and published operations beside GraphQL.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Entities in the archive.
    #[arg(long, default_value_t = 20_000)]
    entities: u32,
    /// Relationships in the archive.
    #[arg(long, default_value_t = 114_000)]
    relationships: u32,
    /// Seconds of each round.
    #[arg(long, default_value_t = 2)]
    seconds: u64,
    /// Pairs of rounds for each row.
    #[arg(long, default_value_t = 9)]
    pairs: u32,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let database = TestDatabase::new().await?;
    let org = load(&database, (args.entities, args.relationships)).await?;
    let url = database.url();
    let routes = Routes::derive(&compose_own().map_err(anyhow::Error::from)?, &mapping()?)?.summaries();
    let route = routes.into_iter().find(|route| route.id == ROUTE).context("there is no such route")?;
    let folder = tempfile::tempdir()?;
    let manifest = folder.path().join("bench.json");
    std::fs::write(&manifest, json!({ "read": route.document }).to_string())?;
    let authorization = format!("Bearer {}", access_token(org)?);
    let time = Duration::from_secs(args.seconds);
    let mut rows = Vec::new();
    for (kept, options) in [("kept", &[][..]), ("nothing kept", &["--no-cache", "--no-deduplication"])] {
        let manifest = manifest.to_str().context("a path is text")?;
        let server = [&["platform-server", &url, "--manifest", manifest], options].concat();
        let server = Server::start(&server).await?;
        settle(&database).await?;
        let variables = json!({ "first": 20, "filter": { "type": "package" } });
        let call = |path, verb, body: Value| call(&server, &authorization, (path, verb, &body));
        let graphql =
            call("/graphql", Verb::Post, json!({ "query": route.document, "variables": variables }));
        let others = [
            ("REST", call("/api/v1/entities?type=package&first=20", Verb::Get, json!(null))),
            ("published, by GET", call(BY_GET, Verb::Get, json!(null))),
            (
                "published, by POST",
                call("/graphql", Verb::Post, json!({ "documentId": "read", "variables": variables })),
            ),
            (
                "published, by URL",
                call("/api/v1/ops/bench/listEntities?type=package&first=20", Verb::Get, json!(null)),
            ),
        ];
        for (name, other) in &others {
            compare_answers(&graphql, other, &route.keys).await.with_context(|| (*name).to_owned())?;
            let one = Target { server: &server, call: &graphql };
            let other = Target { server: &server, call: other };
            for connections in CONNECTIONS {
                let pairs =
                    Pairs::measure(one, other, Measure { connections, pairs: args.pairs, time }).await?;
                rows.push(row((name, kept, connections), &pairs)?);
            }
        }
        server.stop().await?;
    }
    say(&format!(
        "\n{} entities, {} relationships; medians of {} pairs of rounds of {} s, with their quartiles",
        args.entities, args.relationships, args.pairs, args.seconds
    ));
    print(&HEAD, &rows);
    Ok(())
}

fn call(server: &Server, authorization: &str, (path, verb, body): (&'static str, Verb, &Value)) -> Call {
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let (address, authorization) = (server.address, Some(authorization.to_owned()));
    Call { address, path, authorization, body: Body::Same(body.into()), verb }
}

/// The variables of the operation, in a URL.
const BY_GET: &str =
    "/graphql?documentId=read&variables=%7B%22first%22:20,%22filter%22:%7B%22type%22:%22package%22%7D%7D";

/// A comparison of answers that say different things would mean nothing.
async fn compare_answers(graphql: &Call, other: &Call, keys: &[String]) -> anyhow::Result<()> {
    let expected: Value = serde_json::from_slice(&graphql.once().await?)?;
    let mut found: Value = serde_json::from_slice(&other.once().await?)?;
    let mut expected = &expected["data"];
    if let Some(data) = found.get_mut("data") {
        found = data.take();
    } else if !keys.iter().all(|key| found.get(key).is_some()) {
        // A route answers what its keys lead to.
        expected = keys.iter().fold(expected, |value, key| &value[key]);
    }
    ensure!(!expected.is_null() && *expected == found, "the answers differ:\n{expected:#}\n{found:#}");
    Ok(())
}

fn row((name, kept, connections): (&str, &str, usize), pairs: &Pairs) -> anyhow::Result<Vec<String>> {
    let best = pairs.best(1)?;
    Ok(vec![
        name.to_owned(),
        kept.to_owned(),
        connections.to_string(),
        format!("{:.0}", best.rate()),
        format!("{:.3}", best.cpu),
        pairs.ratio(|round: &Round| round.cpu).to_string(),
        pairs.ratio(Round::p50).to_string(),
    ])
}
