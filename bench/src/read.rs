//! The federated read beside the bare handler.

use std::time::Duration;

use anyhow::{Context, ensure};
use pulse_entities::import::{ImportOptions, import};
use pulse_store::{PoolOptions, Store};
use pulse_testkit::TestDatabase;
use pulse_types::{Clock, OrgId};
use serde_json::{Value, json};

use crate::archive;
use crate::pairs::{Measure, Pairs, Round, Target};
use crate::platform::access_token;
use pulse_bench_harness::child::Server;
use pulse_bench_harness::load::{Body, Call, Verb};
use pulse_bench_harness::table::{print, say};

/// What the federated API is asked.
const QUERY: &str = r#"{ entities(filter: { type: "package" }, first: 20) { nodes { id key name type
  relationships(direction: OUTGOING, first: 10) { nodes { id type target { id key name } } } } } }"#;

/// Numbers of connections that are compared.
const CONNECTIONS: [usize; 3] = [1, 8, 32];

/// How long the server may take to be done with what the import has left it to do.
const SETTLING: Duration = Duration::from_mins(10);

/// 20 entities by type with 10 relationships and their targets each.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Entities in the archive.
    #[arg(long, default_value_t = 63_724)]
    entities: u32,
    /// Relationships in the archive.
    #[arg(long, default_value_t = 364_184)]
    relationships: u32,
    /// Seconds of each round.
    #[arg(long, default_value_t = 2)]
    seconds: u64,
    /// Pairs of rounds, one of each server, for each row.
    #[arg(long, default_value_t = 9)]
    pairs: u32,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let database = TestDatabase::new().await?;
    let org = load(&database, (args.entities, args.relationships)).await?;
    let url = database.url();
    let bare = Server::start(&["bare-server", &url, &org.to_string()]).await?;
    let bare_call =
        Call { address: bare.address, path: "/", authorization: None, body: "{}".into(), verb: Verb::Post };
    let bare = Target { server: &bare, call: &bare_call };
    let time = Duration::from_secs(args.seconds);
    let mut rows = Vec::new();
    // What was read is kept until it changes, and equal queries under way are run once. The others say what reading costs, and
    // what each query costs by itself. One server is there at a time.
    let servers = [
        ("Pulse", &[][..]),
        ("Pulse, nothing kept", &["--no-cache"]),
        ("Pulse, nothing kept, each by itself", &["--no-cache", "--no-deduplication"]),
    ];
    for (name, options) in servers {
        let server = Server::start(&[&["platform-server", &url], options].concat()).await?;
        settle(&database).await?;
        let body = Body::Same(serde_json::to_vec(&json!({ "query": QUERY }))?.into());
        let authorization = Some(format!("Bearer {}", access_token(org)?));
        let call = Call { address: server.address, path: "/graphql", authorization, body, verb: Verb::Post };
        compare_answers(&bare_call, &call).await?;
        let platform = Target { server: &server, call: &call };
        for connections in CONNECTIONS {
            let pairs =
                Pairs::measure(bare, platform, Measure { connections, pairs: args.pairs, time }).await?;
            rows.push(row("bare handler", connections, pairs.best(0)?, None));
            rows.push(row(name, connections, pairs.best(1)?, Some(&pairs)));
        }
        server.stop().await?;
    }
    for connections in CONNECTIONS {
        let (tps, latency) = crate::pgbench::run(&url, org.uuid(), connections, time).await?;
        let (tps, latency) = (format!("{tps:.0}"), format!("{latency:.2} (mean)"));
        let cells = ["pgbench", &connections.to_string(), &tps, "", &latency, "", "", ""];
        rows.push(cells.map(str::to_owned).to_vec());
    }
    say(&format!(
        "\n{} entities, {} relationships; best of {pairs} rounds of {} s, and the median of {pairs} pairs of rounds with its quartiles",
        args.entities,
        args.relationships,
        args.seconds,
        pairs = args.pairs
    ));
    let head =
        ["server", "connections", "requests/s", "of bare", "p50 ms", "of bare", "p99 ms", "CPU-ms/request"];
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
    // What is measured is reading; a vacuum that begins when it likes would be measured with some of the rounds.
    sqlx::raw_sql(include_str!("no_autovacuum.sql")).execute(&mut connection).await?;
    Ok(org)
}

/// Waits until the import's events have come to the end of their way, and does what the server would do some time later.
pub(crate) async fn settle(database: &TestDatabase) -> anyhow::Result<()> {
    let mut connection = database.connect().await?;
    let waiting = async {
        while sqlx::query_scalar::<_, bool>(include_str!("is_busy.sql")).fetch_one(&mut connection).await? {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        sqlx::raw_sql("VACUUM (ANALYZE)").execute(&mut connection).await?;
        sqlx::raw_sql("CHECKPOINT").execute(&mut connection).await
    };
    tokio::time::timeout(SETTLING, waiting)
        .await
        .context("the import's events do not come to their end")??;
    Ok(())
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

/// A row of the table: the best round, and where it is compared with something, what the pairs say.
fn row(name: &str, connections: usize, best: Round, pairs: Option<&Pairs>) -> Vec<String> {
    let of_bare = |figure: fn(&Round) -> f64| {
        pairs.map_or_else(|| "1.00".to_owned(), |pairs| pairs.ratio(figure).to_string())
    };
    vec![
        name.to_owned(),
        connections.to_string(),
        format!("{:.0}", best.rate()),
        of_bare(Round::rate),
        format!("{:.2}", best.p50()),
        of_bare(Round::p50),
        format!("{:.2}", best.p99()),
        format!("{:.3}", best.cpu),
    ]
}
