//! The federated read beside the bare handler.

use std::time::Duration;

use anyhow::{Context, ensure};
use pulse_entities::import::{ImportOptions, import};
use pulse_store::{PoolOptions, Store};
use pulse_testkit::TestDatabase;
use pulse_types::{Clock, OrgId};
use serde_json::{Value, json};

use crate::archive;
use crate::platform::access_token;
use pulse_bench_harness::child::Server;
use pulse_bench_harness::load::{Body, Call, Measured};
use pulse_bench_harness::table::{print, say};

/// What the federated API is asked.
const QUERY: &str = r#"{ entities(filter: { type: "package" }, first: 20) { nodes { id key name type
  relationships(direction: OUTGOING, first: 10) { nodes { id type target { id key name } } } } } }"#;

/// Numbers of connections that are compared.
const CONNECTIONS: [usize; 3] = [1, 8, 32];

/// 20 entities by type with 10 relationships and their targets each.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Entities in the archive.
    #[arg(long, default_value_t = 63_724)]
    entities: u32,
    /// Relationships in the archive.
    #[arg(long, default_value_t = 364_184)]
    relationships: u32,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Rounds: each measures both servers, in turns.
    #[arg(long, default_value_t = 2)]
    rounds: u32,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let database = TestDatabase::new().await?;
    let org = load(&database, (args.entities, args.relationships)).await?;
    let url = database.url();
    let bare = Server::start(&["bare-server", &url, &org.to_string()]).await?;
    let platform = Server::start(&["platform-server", &url]).await?;
    let bare_call = Call { address: bare.address, path: "/", authorization: None, body: "{}".into() };
    let body = Body::Same(serde_json::to_vec(&json!({ "query": QUERY }))?.into());
    let authorization = Some(format!("Bearer {}", access_token(org)?));
    let platform_call = Call { address: platform.address, path: "/graphql", authorization, body };
    compare_answers(&bare_call, &platform_call).await?;

    let time = Duration::from_secs(args.seconds);
    let mut rows = Vec::new();
    let mut bares = Vec::new();
    for connections in CONNECTIONS {
        let (mut by_bare, mut by_platform) = (Vec::new(), Vec::new());
        for _ in 0..args.rounds {
            by_bare.push(measure(&bare, &bare_call, connections, time).await?);
            by_platform.push(measure(&platform, &platform_call, connections, time).await?);
        }
        let bare = best(&by_bare)?;
        rows.push(row("bare handler", connections, bare, bare));
        bares.push(bare);
        rows.push(row("Pulse", connections, best(&by_platform)?, bare));
        let (tps, latency) = crate::pgbench::run(&url, org.uuid(), connections, time).await?;
        rows.push(vec![
            "pgbench".to_owned(),
            connections.to_string(),
            format!("{tps:.0}"),
            format!("{:.2}", tps / bare.0.per_second),
            format!("{latency:.2} (mean)"),
            String::new(),
            String::new(),
            String::new(),
        ]);
    }
    drop(platform);
    // Equal queries under way are run once; this is what each of them costs by itself.
    let alone = Server::start(&["platform-server", &url, "--no-deduplication"]).await?;
    let alone_call = Call { address: alone.address, ..platform_call };
    compare_answers(&bare_call, &alone_call).await?;
    for (connections, bare) in CONNECTIONS.into_iter().zip(bares) {
        let mut by_alone = Vec::new();
        for _ in 0..args.rounds {
            by_alone.push(measure(&alone, &alone_call, connections, time).await?);
        }
        rows.push(row("Pulse, each by itself", connections, best(&by_alone)?, bare));
    }
    let head =
        ["server", "connections", "requests/s", "of bare", "p50 ms", "of bare", "p99 ms", "CPU-ms/request"];
    say(&format!(
        "\n{} entities, {} relationships, best of {} rounds of {} s",
        args.entities, args.relationships, args.rounds, args.seconds
    ));
    print(&head, &rows);
    Ok(())
}

/// Fills the database with an archive, as an import would.
pub(crate) async fn load(
    database: &TestDatabase,
    (entities, relationships): (u32, u32),
) -> anyhow::Result<OrgId> {
    let clock = Clock::system();
    let org = OrgId::new(clock.now());
    let store = Store::new(database.options(), &PoolOptions::default(), clock);
    let mut text = String::new();
    for line in archive::lines(entities, relationships, 7) {
        text.push_str(&line);
        text.push('\n');
    }
    let report = import(&store, org, text.as_bytes(), &ImportOptions::default(), |_| {}).await?;
    say(&format!("loaded: {report}"));
    store.close().await;
    let mut connection = database.connect().await?;
    sqlx::raw_sql("VACUUM ANALYZE").execute(&mut connection).await?;
    Ok(org)
}

/// A comparison of servers that say different things would mean nothing.
async fn compare_answers(bare: &Call, platform: &Call) -> anyhow::Result<()> {
    let expected: Value = serde_json::from_slice(&bare.once().await?)?;
    let mut found: Value = serde_json::from_slice(&platform.once().await?)?;
    let nodes = found["data"]["entities"]["nodes"].as_array_mut().context("no entities in the answer")?;
    for node in nodes.iter_mut() {
        let relationships = node["relationships"]["nodes"].take();
        node["relationships"] = relationships;
    }
    let found = Value::Array(std::mem::take(nodes));
    ensure!(found == expected, "the servers' answers differ:\n{expected:#}\n{found:#}");
    Ok(())
}

/// A measurement with the CPU time that the server took for each request, in milliseconds.
async fn measure(
    server: &Server,
    call: &Call,
    connections: usize,
    time: Duration,
) -> anyhow::Result<(Measured, f64)> {
    call.load(connections, time / 10).await?;
    let before = server.cpu_ms()?;
    let measured = call.load(connections, time).await?;
    ensure!(measured.errors == 0, "{} requests failed", measured.errors);
    let cpu = server.cpu_ms()? - before;
    Ok((measured, cpu / (measured.per_second * time.as_secs_f64())))
}

fn best(measured: &[(Measured, f64)]) -> anyhow::Result<(Measured, f64)> {
    let by_rate = |a: &&(Measured, f64), b: &&(Measured, f64)| a.0.per_second.total_cmp(&b.0.per_second);
    measured.iter().max_by(by_rate).copied().context("no round")
}

fn row(
    name: &str,
    connections: usize,
    (measured, cpu): (Measured, f64),
    (bare, _): (Measured, f64),
) -> Vec<String> {
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    vec![
        name.to_owned(),
        connections.to_string(),
        format!("{:.0}", measured.per_second),
        format!("{:.2}", measured.per_second / bare.per_second),
        format!("{:.2}", ms(measured.p50)),
        format!("{:.2}", ms(measured.p50) / ms(bare.p50)),
        format!("{:.2}", ms(measured.p99)),
        format!("{cpu:.3}"),
    ]
}
