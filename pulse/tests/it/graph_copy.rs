//! The graph's copy in Neo4j: `pulse graph`, and walks and health of roles while Neo4j goes and comes.

use std::fs;
use std::time::Duration;

use pulse_testkit::{Neo4jServer, TestDatabase};
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::time::{Instant, interval};

use crate::support::http::{ask, get};
use crate::support::organization::{SLUG, database, sign_in};
use crate::support::process::{Ended, Running, pulse, run};
use crate::support::roles::{READY, Roles, role, terminate};

/// Longer than anything takes to recover.
const PATIENCE: Duration = Duration::from_mins(2);

const UPSERT: &str =
    "mutation ($items: [UpsertEntityItem!]!) { upsertEntities(input: { items: $items }) { results { id } } }";
const WALK: &str = "query ($from: [ID!]!) {
    subgraph(from: $from, depth: 3) { nodes { distance entity { key } } edges { type } relationshipsRead cutOff }
}";

fn environment(server: &Neo4jServer) -> [(&'static str, String); 3] {
    let password = Neo4jServer::PASSWORD.to_owned();
    // Walks have all the time that a busy machine takes.
    [
        ("NEO4J_URI", server.uri()),
        ("NEO4J_PASSWORD", password),
        ("PULSE__ENTITIES__NEO4J__TIMEOUT", "5s".to_owned()),
    ]
}

/// A database that shares a Neo4j with others: they tell their copies apart by the names of their logs, which are copied, too.
async fn named_database() -> anyhow::Result<TestDatabase> {
    let database = database().await?;
    let rename = "UPDATE platform.log_head SET name = 'test-' || gen_random_uuid()";
    sqlx::query(rename).execute(&mut database.connect().await?).await?;
    Ok(database)
}

/// A chain of three things.
async fn import(database: &TestDatabase) -> anyhow::Result<()> {
    let file = tempfile::NamedTempFile::new()?;
    let entities = ["a", "b", "c"]
        .map(|key| json!({ "kind": "entity", "key": key, "type": "node", "name": key }).to_string());
    let relationships = [("a", "b"), ("b", "c")].map(|(source, target)| {
        json!({ "kind": "relationship", "type": "knows", "source": source, "target": target }).to_string()
    });
    let lines: Vec<_> = entities.into_iter().chain(relationships).collect();
    fs::write(
        file.path(),
        lines.join(
            "
",
        ),
    )?;
    let mut import = pulse(["import", &file.path().to_string_lossy(), "--org", SLUG]);
    import.env("DATABASE_URL", database.url());
    run(import).await?.success()?;
    Ok(())
}

fn graph(database: &TestDatabase, server: &Neo4jServer, words: &[&str]) -> Command {
    let mut command = pulse([&["graph"], words].concat());
    command.env("DATABASE_URL", database.url()).envs(environment(server));
    command
}

/// The id of the organization, which a report names.
async fn organization(database: &TestDatabase) -> anyhow::Result<String> {
    let id = sqlx::query_scalar("SELECT DISTINCT org_id::text FROM entities.entities");
    Ok(id.fetch_one(&mut database.connect().await?).await?)
}

#[tokio::test]
async fn what_differs_is_told_and_repaired() -> anyhow::Result<()> {
    let (database, server) = (named_database().await?, Neo4jServer::shared().await?);
    import(&database).await?;
    let org = organization(&database).await?;
    let ended =
        async |words: &[&str]| -> anyhow::Result<Ended> { run(graph(&database, &server, words)).await };
    let same = "1 organizations, 5 entities and relationships: the copy is the same as the graph\n";
    // Nobody has begun the copy yet, and no worker runs.
    assert_eq!(ended(&["verify"]).await?.success()?, same);

    // No event tells of it.
    let change = "UPDATE entities.relationships SET confidence = 0.25 WHERE source_id = (SELECT id FROM entities.entities WHERE key = 'a')";
    sqlx::query(change).execute(&mut database.connect().await?).await?;
    insta::assert_snapshot!(ended(&["verify", "--org", SLUG]).await?.refusal(&[(&org, "[id]")]), @"
    exit code 54
    [id]: relationship knows: 2 in PostgreSQL, 2 in Neo4j, of which some differ
    error: 1 differences; `pulse graph verify --repair` reads the parts that have some anew
    ");
    insta::assert_snapshot!(ended(&["verify", "--repair"]).await?.success()?, @"
    1 organizations: read anew
    1 organizations, 5 entities and relationships: the copy is the same as the graph
    ");
    assert_eq!(ended(&["verify"]).await?.success()?, same);
    insta::assert_snapshot!(ended(&["rebuild", "--org", SLUG]).await?.success()?, @"1 organizations: read anew");
    assert_eq!(ended(&["verify"]).await?.success()?, same);
    insta::assert_snapshot!(ended(&["rebuild", "--org", "nobody"]).await?.refusal(&[]), @r#"
    exit code 42
    error: there is no organization "nobody"; create it with the mutation createOrganization, or check the slug
    "#);
    Ok(())
}

#[tokio::test]
async fn without_a_neo4j_it_is_said_what_is_missing() -> anyhow::Result<()> {
    let database = database().await?;
    let mut none = pulse(["graph", "verify"]);
    none.env("DATABASE_URL", database.url());
    insta::assert_snapshot!(run(none).await?.refusal(&[]), @"
    exit code 3
    error: entities.neo4j.uri is not set, so that there is no copy of the graph: set NEO4J_URI and NEO4J_PASSWORD
    ");
    let mut away = pulse(["graph", "rebuild"]);
    away.env("DATABASE_URL", database.url())
        .env("NEO4J_URI", "bolt://127.0.0.1:1")
        .env("NEO4J_PASSWORD", "x");
    insta::assert_snapshot!(run(away).await?.refusal(&[]), @"
    exit code 45
    error: Neo4j did not do it: an IO error occurred: Connection refused: Connection refused
    ");
    Ok(())
}

/// A platform that walks, whatever its processes are.
struct Walker {
    url: String,
    token: String,
    from: Value,
    /// The process that answers walks.
    process: String,
}

impl Walker {
    async fn begin(url: &str, process: &str) -> anyhow::Result<Self> {
        let token = sign_in(url).await?;
        let create = "mutation { createEntityType(input: { name: \"node\" }) { __typename } }";
        ask(url, Some(&token), create, json!({})).await?;
        let item = |key: &str| json!({ "key": key, "type": "node", "name": key });
        let items = ["a", "b", "c"].map(item);
        let mut written = ask(url, Some(&token), UPSERT, json!({ "items": items })).await?;
        let ids = ["0", "1", "2"].map(|place| {
            written.pointer_mut(&format!("/upsertEntities/results/{place}/id")).map(Value::take)
        });
        let [a, b, c] = ids.map(Option::unwrap_or_default);
        let connect = "mutation ($source: ID!, $target: ID!) {
            createRelationship(input: { type: \"knows\", sourceId: $source, targetId: $target }) { __typename }
        }";
        for (source, target) in [(&a, &b), (&b, &c)] {
            ask(url, Some(&token), connect, json!({ "source": source, "target": target })).await?;
        }
        Ok(Self { url: url.to_owned(), token, from: json!([a]), process: process.to_owned() })
    }

    /// What a walk finds.
    async fn walk(&self) -> anyhow::Result<Value> {
        let mut found = ask(&self.url, Some(&self.token), WALK, json!({ "from": self.from })).await?;
        Ok(found["subgraph"].take())
    }

    /// How many walks went through an engine.
    async fn walked_by(&self, engine: &str) -> anyhow::Result<u64> {
        let metrics = get(&self.process, "/metrics").await?.text;
        let name = format!("pulse_graph_walks_total{{engine=\"{engine}\"}} ");
        let line = metrics.lines().find_map(|line| line.strip_prefix(&name));
        Ok(line.map(str::parse).transpose()?.unwrap_or(0))
    }

    /// Walks until one more has gone through Neo4j; all find the same.
    async fn walks_in_neo4j(&self, expected: &Value) -> anyhow::Result<()> {
        let before = self.walked_by("neo4j").await?;
        let (began, mut again) = (Instant::now(), interval(Duration::from_millis(50)));
        while self.walked_by("neo4j").await? == before {
            assert_eq!(self.walk().await?, *expected);
            anyhow::ensure!(began.elapsed() < PATIENCE, "no walk goes through Neo4j");
            again.tick().await;
        }
        Ok(())
    }

    /// Waits until its process says this.
    async fn says(&self, expected: &str) -> anyhow::Result<()> {
        let (began, mut again) = (Instant::now(), interval(Duration::from_millis(50)));
        loop {
            let ready = get(&self.process, "/health/ready").await?;
            assert_eq!(ready.status, 200, "it serves all the same: {}", ready.text);
            if ready.text.contains(expected) {
                return Ok(());
            }
            anyhow::ensure!(began.elapsed() < PATIENCE, "health says {}", ready.text);
            again.tick().await;
        }
    }

    /// Neo4j goes: health tells, and walks find the same all the time, which is what is found.
    async fn goes_on(&self, server: &mut Neo4jServer, [ready, degraded]: [&str; 2]) -> anyhow::Result<Value> {
        self.says(ready).await?;
        let found = self.walk().await?;
        assert_eq!(found["nodes"].as_array().map(Vec::len), Some(3), "{found}");
        self.walks_in_neo4j(&found).await?;
        server.kill()?;
        self.says(degraded).await?;
        let before = self.walked_by("postgresql").await?;
        assert_eq!(self.walk().await?, found);
        assert_eq!(self.walked_by("postgresql").await?, before + 1);
        Ok(found)
    }
}

#[tokio::test]
async fn walks_go_through_neo4j_in_one_process_and_apart_and_on_without_it() -> anyhow::Result<()> {
    let mut server = Neo4jServer::start().await?;
    let environment = environment(&server);

    let together = named_database().await?;
    let mut all = role(&together.url(), &["serve", "all", "--listen", "127.0.0.1:0"]);
    all.envs(environment.clone()).env("PULSE__CACHE__ENABLED", "false");
    let all = Running::start(all, READY).await?;
    let walker = Walker::begin(all.url(), all.url()).await?;
    let said = [r#"{"name":"neo4j","status":"ready"}"#, r#"{"name":"neo4j","status":"degraded""#];
    let found = walker.goes_on(&mut server, said).await?;
    server.restart().await?;
    walker.says(said[0]).await?;
    walker.walks_in_neo4j(&found).await?;
    terminate(all).await?;

    let apart = named_database().await?;
    let mut environment: Vec<_> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    environment.push(("PULSE__CACHE__ENABLED", "false"));
    let roles = Roles::start_with(&apart.url(), &environment).await?;
    let walker = Walker::begin(roles.gateway.url(), roles.subgraphs["entities"].url()).await?;
    walker
        .goes_on(&mut server, [r#"{"ready":true}"#, r#""degraded":{"neo4j":"Neo4j does not answer"#])
        .await?;
    roles.stop().await
}
