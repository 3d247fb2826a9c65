//! Redis goes and comes, PostgreSQL is started again, connections are cut: health says so, requests are refused as
//! unavailable and as nothing else, and streams and jobs go on by themselves, without loss or double.

use std::str::FromStr;
use std::time::Duration;

use anyhow::Context;
use pulse_postgres::{Cluster, ClusterOptions};
use pulse_testkit::RedisServer;
use serde_json::{Value, json};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio::time::{Instant, interval};

use crate::support::events::Events;
use crate::support::http::{answer, get};
use crate::support::organization::{database, people, sign_in};
use crate::support::roles::Roles;

const CHANGED: &str = "subscription { entityChanged { kind cursor } }";
const TYPE: &str =
    "mutation ($input: CreateEntityTypeInput!) { createEntityType(input: $input) { __typename } }";
const UPSERT: &str =
    "mutation ($input: UpsertEntitiesInput!) { upsertEntities(input: $input) { results { id } } }";
const CREATE: &str =
    "mutation ($input: CreateCollectionInput!) { createCollection(input: $input) { collection { id } } }";
const DELETE: &str = "mutation ($input: DeleteCollectionInput!) { deleteCollection(input: $input) { id } }";

/// Longer than anything takes to recover.
const PATIENCE: Duration = Duration::from_mins(2);

/// A platform of processes, and one who follows.
struct Stage {
    database: String,
    roles: Roles,
    url: String,
    token: String,
    stream: Events,
    heard: Vec<i64>,
    /// How often a request was refused as unavailable.
    refused: usize,
    written: usize,
}

impl Stage {
    async fn start(database: &str, redis: Option<&RedisServer>) -> anyhow::Result<Self> {
        let redis = redis.map(RedisServer::url);
        let environment: Vec<_> = redis.iter().map(|url| ("REDIS_URL", url.as_str())).collect();
        let roles = Roles::start_with(database, &environment).await?;
        let url = roles.gateway.url().to_owned();
        let token = sign_in(&url).await?;
        let stream = Events::open(&url, &token, CHANGED, json!({})).await?;
        let database = database.to_owned();
        let mut stage =
            Self { database, roles, url, token, stream, heard: Vec::new(), refused: 0, written: 0 };
        stage.done(TYPE, json!({ "name": "package" })).await?;
        stage.hears_another().await?;
        Ok(stage)
    }

    /// Sends a mutation until it is done. It may be refused as unavailable meanwhile, and in no other way.
    async fn done(&mut self, mutation: &str, input: Value) -> anyhow::Result<Value> {
        let (began, mut again) = (Instant::now(), interval(Duration::from_millis(50)));
        loop {
            again.tick().await;
            let answer = answer(&self.url, Some(&self.token), mutation, json!({ "input": input })).await?;
            let mut body: Value = serde_json::from_str(&answer.text)?;
            let Some(errors) = body.get("errors") else { return Ok(body["data"].take()) };
            anyhow::ensure!(errors[0]["extensions"]["code"] == "UNAVAILABLE", "{body}");
            anyhow::ensure!(began.elapsed() < PATIENCE, "it does not recover: {body}");
            self.refused += 1;
        }
    }

    async fn write(&mut self) -> anyhow::Result<()> {
        self.written += 1;
        let name = format!("name {}", self.written);
        let item = json!({ "key": "bash", "type": "package", "name": name });
        self.done(UPSERT, json!({ "items": [item], "idempotencyKey": name })).await?;
        Ok(())
    }

    /// One more change, which the stream that was opened at first tells of.
    async fn hears_another(&mut self) -> anyhow::Result<()> {
        self.write().await?;
        let heard = self.stream.data().await?;
        let cursor = heard["entityChanged"]["cursor"].as_str().context("it has a cursor")?;
        let position = cursor.rsplit_once('.').context("of a log")?.1;
        self.heard.push(i64::from_str_radix(position, 16)?);
        Ok(())
    }

    /// A job is enqueued and done.
    async fn a_job_is_done(&mut self) -> anyhow::Result<()> {
        let name = format!("collection {}", self.written);
        let input = json!({ "name": name, "dimension": 2, "metric": "COSINE", "idempotencyKey": name });
        let made = self.done(CREATE, input).await?;
        let id = made["createCollection"]["collection"]["id"].as_str().context("it has an id")?.to_owned();
        self.done(DELETE, json!({ "id": id })).await?;
        let (began, mut again) = (Instant::now(), interval(Duration::from_millis(50)));
        let mut connection = connect(&self.database).await?;
        loop {
            let sql = "SELECT count(*) FROM platform.jobs_ended WHERE payload ->> 'collection' = $1 AND status = 'completed'";
            let done: i64 = sqlx::query_scalar(sql).bind(&id).fetch_one(&mut connection).await?;
            if done > 0 {
                anyhow::ensure!(done == 1, "the job was done {done} times");
                return Ok(());
            }
            anyhow::ensure!(began.elapsed() < PATIENCE, "the job is not done");
            again.tick().await;
        }
    }

    /// Waits until `/health/ready` of a process says this of a check.
    async fn says(&self, process: &str, expected: (u16, &str)) -> anyhow::Result<()> {
        let (began, mut again) = (Instant::now(), interval(Duration::from_millis(50)));
        loop {
            let ready = get(process, "/health/ready").await?;
            if (ready.status, ready.text.contains(expected.1)) == (expected.0, true) {
                return Ok(());
            }
            anyhow::ensure!(began.elapsed() < PATIENCE, "health says {} {}", ready.status, ready.text);
            again.tick().await;
        }
    }

    /// The stream has told of each change once, in order, and of nothing else.
    async fn everything_was_heard(mut self) -> anyhow::Result<()> {
        let mut connection = connect(&self.database).await?;
        let sql = "SELECT position FROM platform.log WHERE subject = 'entities.entity' ORDER BY position";
        let log: Vec<i64> = sqlx::query_scalar(sql).fetch_all(&mut connection).await?;
        connection.close().await?;
        while self.heard.len() < log.len() {
            let heard = self.stream.data().await?;
            let cursor = heard["entityChanged"]["cursor"].as_str().context("it has a cursor")?;
            self.heard.push(i64::from_str_radix(cursor.rsplit_once('.').context("of a log")?.1, 16)?);
        }
        assert_eq!(self.heard, log);
        self.roles.stop().await
    }
}

async fn connect(database: &str) -> anyhow::Result<PgConnection> {
    Ok(PgConnectOptions::from_str(database)?.connect().await?)
}

#[tokio::test]
async fn redis_goes_and_comes_and_streams_and_jobs_go_on() -> anyhow::Result<()> {
    let (database, mut redis) = (database().await?, RedisServer::start().await?);
    let mut stage = Stage::start(&database.url(), Some(&redis)).await?;
    let gateway = stage.url.clone();
    let is_ready = (200, r#"{"name":"redis","status":"ready"}"#);
    stage.says(&gateway, is_ready).await?;
    for _ in 0..2 {
        redis.kill()?;
        stage.says(&gateway, (200, r#"{"name":"redis","status":"degraded""#)).await?;
        stage.hears_another().await?;
        stage.a_job_is_done().await?;
        redis.restart().await?;
        stage.says(&gateway, is_ready).await?;
        stage.hears_another().await?;
    }
    assert_eq!(stage.refused, 0, "requests need no Redis");
    stage.everything_was_heard().await
}

#[tokio::test]
async fn connections_that_the_server_cuts_are_opened_again() -> anyhow::Result<()> {
    let database = database().await?;
    let mut stage = Stage::start(&database.url(), None).await?;
    let mut connection = database.connect().await?;
    for _ in 0..5 {
        let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                    WHERE datname = current_database() AND pid <> pg_backend_pid()";
        let count: i64 = sqlx::query_scalar(cut).fetch_one(&mut connection).await?;
        assert!(count > 5, "only {count} connections were cut");
        stage.hears_another().await?;
    }
    stage.a_job_is_done().await?;
    let vectors = stage.roles.subgraphs["vectors"].url().to_owned();
    stage.says(&vectors, (200, "true")).await?;
    stage.everything_was_heard().await
}

#[tokio::test]
async fn postgresql_is_started_again_and_nothing_else_needs_to_be() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let options = || ClusterOptions::new(folder.path().join("postgres"));
    let cluster = Cluster::start(options()).await?;
    cluster.ensure_database("pulse").await?;
    let url = cluster.url("pulse");
    Roles::migrate(&url).await?;
    people(PgConnectOptions::from_str(&url)?).await?;
    let mut stage = Stage::start(&url, None).await?;
    let (gateway, entities) = (stage.url.clone(), stage.roles.subgraphs["entities"].url().to_owned());
    cluster.stop().await;
    stage.says(&entities, (503, r#""database":"does not answer""#)).await?;
    let upsert = json!({ "input": { "items": [{ "key": "dash", "type": "package", "name": "dash" }] } });
    let refused = answer(&gateway, Some(&stage.token), UPSERT, upsert).await?;
    assert!(refused.text.contains(r#""code":"UNAVAILABLE""#), "{}", refused.text);

    let cluster = Cluster::start(options()).await?;
    assert_eq!(cluster.url("pulse"), url);
    for _ in 0..3 {
        stage.hears_another().await?;
    }
    stage.a_job_is_done().await?;
    stage.says(&entities, (200, "true")).await?;
    stage.says(&gateway, (200, r#""status":"ready""#)).await?;
    stage.everything_was_heard().await?;
    cluster.stop().await;
    Ok(())
}
