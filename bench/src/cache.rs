//! What keeping answers gains, and what it costs: reads with few writes between them over two processes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use pulse_bench_harness::child::Server;
use pulse_bench_harness::load::{Call, Line, Verb};
use pulse_bench_harness::table::{print, say};
use pulse_testkit::{RedisServer, TestDatabase};
use pulse_types::{OrgId, Role};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::platform::access_token_of;

/// Entities that are read and written.
const READ: usize = 2_000;

/// The pause between two changes that one probe follows: long enough that probes are a small part of all writes, which end
/// what is kept of lists.
const BETWEEN_PROBES: Duration = Duration::from_millis(100);

/// A change that takes longer to be seen is a failure.
const PATIENCE: Duration = Duration::from_secs(10);

/// Reads by many callers over two processes, one request in twenty a write, with what is kept of former answers and
/// without.
#[derive(Clone, clap::Args)]
pub(crate) struct Args {
    /// Entities in the archive.
    #[arg(long, default_value_t = 63_724)]
    entities: u32,
    /// Relationships in the archive.
    #[arg(long, default_value_t = 364_184)]
    relationships: u32,
    /// Callers, each with a connection to each process.
    #[arg(long, default_value_t = 16)]
    callers: usize,
    /// Callers who change something again and again and look when others see it.
    #[arg(long, default_value_t = 4)]
    probes: usize,
    /// Seconds of each measurement: enough for a thousand changes that are followed.
    #[arg(long, default_value_t = 40)]
    seconds: u64,
    /// Run without Redis between the processes.
    #[arg(long)]
    no_redis: bool,
}

/// What one run showed.
#[derive(Default)]
struct Run {
    reads: Vec<Duration>,
    requests: u64,
    behind_own: u64,
    staleness: Vec<Duration>,
    hit_rate: Option<f64>,
}

/// Where requests go, and what they are about.
#[derive(Clone)]
struct Stage {
    org: OrgId,
    servers: [std::net::SocketAddr; 2],
    ids: Arc<[String]>,
    until: Instant,
    written: Arc<AtomicU64>,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let database = TestDatabase::new().await?;
    let org = crate::read::load(&database, (args.entities, args.relationships)).await?;
    let redis = if args.no_redis { None } else { Some(RedisServer::start().await?) };
    let written = Arc::<AtomicU64>::default();
    let (mut rows, mut rate_without) = (Vec::new(), None);
    for keeps in [false, true] {
        let mut arguments = vec!["platform-server".to_owned(), database.url()];
        arguments.extend(redis.iter().flat_map(|redis| ["--redis".to_owned(), redis.url()]));
        arguments.extend((!keeps).then(|| "--no-cache".to_owned()));
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let servers = [Server::start(&arguments).await?, Server::start(&arguments).await?];
        crate::read::settle(&database).await?;
        let run = measure(&args, org, &servers, &written).await?;
        #[expect(clippy::cast_precision_loss, reason = "far fewer requests than 2^52")]
        let rate = run.requests as f64 / args.seconds as f64;
        let gain = rate / *rate_without.get_or_insert(rate);
        rows.push(row(if keeps { "kept" } else { "read each time" }, (rate, gain), run)?);
    }
    let head = [
        "answers are",
        "requests/s",
        "gain",
        "p50 ms",
        "p99 ms",
        "hit rate",
        "seen by others: p50 ms",
        "p99 ms",
        "p99.9 ms",
        "changes",
        "older than own write",
    ];
    say(&format!(
        "\n{} entities, {} relationships, {} callers, {} s, 95 reads to 5 writes, two processes, {} Redis",
        args.entities,
        args.relationships,
        args.callers,
        args.seconds,
        if args.no_redis { "no" } else { "one" },
    ));
    print(&head, &rows);
    Ok(())
}

async fn measure(
    args: &Args,
    org: OrgId,
    servers: &[Server; 2],
    written: &Arc<AtomicU64>,
) -> anyhow::Result<Run> {
    let mut stage = Stage {
        org,
        servers: [servers[0].address, servers[1].address],
        ids: Arc::new([]),
        until: Instant::now(),
        written: Arc::clone(written),
    };
    stage.ids = stage.ids().await?.into();
    ensure!(stage.ids.len() > args.callers + args.probes, "too few entities for so many callers");
    stage.until = Instant::now() + Duration::from_secs(args.seconds);
    let mut callers = JoinSet::new();
    for number in 0..args.callers {
        callers.spawn(read_and_write(stage.clone(), number));
    }
    let mut probes = JoinSet::new();
    for number in 0..args.probes {
        probes.spawn(probe(stage.clone(), args.callers + number));
    }
    let mut run = Run::default();
    while let Some(done) = callers.join_next().await {
        let (reads, requests, behind) = done??;
        run.reads.extend(reads);
        run.requests += requests;
        run.behind_own += behind;
    }
    while let Some(done) = probes.join_next().await {
        run.staleness.extend(done??);
    }
    run.hit_rate = hit_rate(&stage.servers).await?;
    Ok(run)
}

impl Stage {
    async fn line(&self, server: usize, role: Role) -> anyhow::Result<Line> {
        self.line_with(server, access_token_of(self.org, role)?).await
    }

    async fn line_with(&self, server: usize, token: String) -> anyhow::Result<Line> {
        let authorization = Some(format!("Bearer {token}"));
        Call {
            address: self.servers[server],
            path: "/graphql",
            authorization,
            body: "{}".into(),
            verb: Verb::Post,
        }
        .open()
        .await
    }

    /// The entities that are read and written.
    async fn ids(&self) -> anyhow::Result<Vec<String>> {
        let query = r#"query ($after: String) { entities(filter: { type: "package" }, first: 100, after: $after)
            { nodes { id } pageInfo { endCursor hasNextPage } } }"#;
        let (mut line, mut ids, mut after) = (self.line(0, Role::Viewer).await?, Vec::new(), Value::Null);
        while ids.len() < READ {
            let answer = ask(&mut line, query, json!({ "after": after })).await?;
            let entities = &answer["data"]["entities"];
            let nodes = entities["nodes"].as_array().context("no entities")?;
            ids.extend(nodes.iter().filter_map(|node| Some(node["id"].as_str()?.to_owned())));
            after = entities["pageInfo"]["endCursor"].clone();
            if entities["pageInfo"]["hasNextPage"] != true {
                break;
            }
        }
        Ok(ids)
    }

    /// Gives an entity a name that is greater than all before it.
    async fn write(&self, line: &mut Line, id: &str) -> anyhow::Result<String> {
        let name = format!("{:012}", self.written.fetch_add(1, Ordering::Relaxed));
        let query = "mutation ($id: ID!, $name: String!) { updateEntity(input: { id: $id, name: $name }) { entity { id } } }";
        ask(line, query, json!({ "id": id, "name": name })).await?;
        Ok(name)
    }
}

async fn ask(line: &mut Line, query: &str, variables: Value) -> anyhow::Result<Value> {
    let body = serde_json::to_vec(&json!({ "query": query, "variables": variables }))?;
    Ok(serde_json::from_slice(&line.ask(body).await?)?)
}

async fn name_of(line: &mut Line, id: &str) -> anyhow::Result<String> {
    let answer = ask(line, "query ($id: ID!) { entity(id: $id) { name } }", json!({ "id": id })).await?;
    Ok(answer["data"]["entity"]["name"].as_str().context("the entity is there")?.to_owned())
}

/// One caller: reads what is asked for often more often than the rest, through either process; now and then writes an
/// entity of its own through one and reads it through the other. The times of the reads, how many requests there were,
/// and how many answers were older than what the caller had written.
async fn read_and_write(stage: Stage, number: usize) -> anyhow::Result<(Vec<Duration>, u64, u64)> {
    let mut random = StdRng::seed_from_u64(number as u64);
    let token = access_token_of(stage.org, Role::Member)?;
    let mut lines = [stage.line_with(0, token.clone()).await?, stage.line_with(1, token).await?];
    let (mut reads, mut requests, mut behind) = (Vec::new(), 0, 0);
    let own = stage.ids[number].clone();
    while Instant::now() < stage.until {
        let server = random.random_range(0..2);
        requests += 1;
        // With the two reads after it, one request in twenty is a write.
        if random.random_bool(1.0 / 18.0) {
            let name = stage.write(&mut lines[server], &own).await?;
            for server in [1 - server, server] {
                requests += 1;
                behind += u64::from(name_of(&mut lines[server], &own).await? < name);
            }
            continue;
        }
        let (query, variables) = some_read(&stage, &mut random);
        let asked = Instant::now();
        ask(&mut lines[server], query, variables).await?;
        reads.push(asked.elapsed());
    }
    Ok((reads, requests, behind))
}

fn some_read(stage: &Stage, random: &mut StdRng) -> (&'static str, Value) {
    const BY_ID: &str = "query ($id: ID!) { entity(id: $id) { id key name type description } }";
    const RELATED: &str =
        "query ($id: ID!) { entity(id: $id) { id name relationships(direction: OUTGOING, first: 10)
        { nodes { id type target { id key name } } } } }";
    const LIST: &str = r#"{ entities(filter: { type: "package" }, first: 20) { nodes { id key name } } }"#;
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a place in a list"
    )]
    let place = (random.random::<f64>().powi(3) * stage.ids.len() as f64) as usize;
    let id = json!({ "id": stage.ids[place.min(stage.ids.len() - 1)] });
    match random.random_range(0..10) {
        0..5 => (BY_ID, id),
        5..9 => (RELATED, id),
        _ => (LIST, Value::Null),
    }
}

/// Changes an entity through one process, and has somebody else look through the other one until they see it: how long
/// after the answer to the change the first look was taken that showed it.
async fn probe(stage: Stage, number: usize) -> anyhow::Result<Vec<Duration>> {
    let own = stage.ids[number].clone();
    let mut writer = stage.line(number % 2, Role::Member).await?;
    let mut reader = stage.line(1 - number % 2, Role::Viewer).await?;
    let mut staleness = Vec::new();
    while Instant::now() < stage.until {
        name_of(&mut reader, &own).await?;
        let name = stage.write(&mut writer, &own).await?;
        let committed = Instant::now();
        loop {
            let looked = committed.elapsed();
            if name_of(&mut reader, &own).await? >= name {
                staleness.push(looked);
                break;
            }
            ensure!(looked < PATIENCE, "a change was not seen by others");
        }
        tokio::time::sleep(BETWEEN_PROBES).await;
    }
    Ok(staleness)
}

/// The share of look-ups that were answered without a load, by the servers' own count.
async fn hit_rate(servers: &[std::net::SocketAddr; 2]) -> anyhow::Result<Option<f64>> {
    let (mut hits, mut loads) = (0.0, 0.0);
    for server in servers {
        let text = metrics(*server).await?;
        let sum = |name: &str| -> f64 {
            let lines = text.lines().filter(|line| line.starts_with(name));
            lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
        };
        hits += sum("pulse_cache_hits_total{");
        loads += sum("pulse_cache_loads_total{");
    }
    Ok((hits + loads > 0.0).then(|| hits / (hits + loads)))
}

async fn metrics(server: std::net::SocketAddr) -> anyhow::Result<String> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(server).await?;
    let request = format!("GET /metrics HTTP/1.1\r\nhost: {server}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await?;
    Ok(text)
}

fn row(name: &str, (rate, gain): (f64, f64), run: Run) -> anyhow::Result<Vec<String>> {
    let Run { mut reads, mut staleness, behind_own, hit_rate, requests: _ } = run;
    reads.sort_unstable();
    staleness.sort_unstable();
    let at = |sorted: &[Duration], per_mille: usize| {
        let time = sorted.get(sorted.len() * per_mille / 1000).context("nothing was measured")?;
        anyhow::Ok(format!("{:.2}", time.as_secs_f64() * 1000.0))
    };
    Ok(vec![
        name.to_owned(),
        format!("{rate:.0}"),
        format!("{gain:.2}"),
        at(&reads, 500)?,
        at(&reads, 990)?,
        hit_rate.map_or_else(|| "–".to_owned(), |rate| format!("{:.1} %", rate * 100.0)),
        at(&staleness, 500)?,
        at(&staleness, 990)?,
        at(&staleness, 999)?,
        staleness.len().to_string(),
        behind_own.to_string(),
    ])
}
