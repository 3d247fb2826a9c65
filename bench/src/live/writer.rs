//! Changes, written at a rate.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Mutex;

use super::bare::EVENT;
use super::board::Board;
use super::client::until;

/// How often a batch is written.
const TICK: Duration = Duration::from_millis(20);

/// To whom.
pub(super) enum Target {
    Pulse { address: SocketAddr, token: String, entities: usize },
    Bare { address: SocketAddr, entities: usize },
}

/// Writes changes of entities in turns.
pub(super) struct Writer {
    target: Target,
    stream: Mutex<TcpStream>,
    ids: Vec<String>,
    next: usize,
    count: u64,
}

impl Writer {
    /// Connects, and makes the entities.
    pub(super) async fn connect(target: Target) -> anyhow::Result<Self> {
        let (Target::Pulse { address, .. } | Target::Bare { address, .. }) = &target;
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let mut writer = Self { target, stream: Mutex::new(stream), ids: Vec::new(), next: 0, count: 0 };
        if let Target::Pulse { entities, .. } = writer.target {
            let create = "mutation { createEntityType(input: { name: \"thing\" }) { __typename } }";
            writer.graphql(create, json!({})).await?;
            let all: Vec<usize> = (0..entities).collect();
            let data = writer.upsert(&all).await?;
            let results = data["upsertEntities"]["results"].as_array().context("no results")?;
            writer.ids =
                results.iter().filter_map(|result| result["id"].as_str().map(str::to_owned)).collect();
            ensure!(writer.ids.len() == entities, "not all entities were made");
        }
        Ok(writer)
    }

    /// The id of an entity.
    pub(super) fn id(&self, entity: usize) -> &str {
        &self.ids[entity]
    }

    /// Changes these entities, in one commit.
    pub(super) async fn write(&mut self, board: &Board, entities: &[usize]) -> anyhow::Result<()> {
        let versions: Vec<u64> = entities.iter().map(|entity| board.sending(*entity)).collect();
        match self.target {
            Target::Pulse { .. } => self.upsert(entities).await.map(drop),
            Target::Bare { .. } => {
                let lines = entities.iter().zip(versions);
                let lines: String =
                    lines.map(|(entity, version)| format!("{EVENT}{entity} {version}\n")).collect();
                Ok(self.stream.get_mut().write_all(lines.as_bytes()).await?)
            }
        }
    }

    /// Changes `rate` entities a second, evenly, for so long. A server that is too slow for it is written to without pauses.
    pub(super) async fn write_at(
        &mut self,
        board: &Board,
        rate: usize,
        time: Duration,
    ) -> anyhow::Result<()> {
        let (Target::Pulse { entities, .. } | Target::Bare { entities, .. }) = self.target;
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        let began = std::time::Instant::now();
        let mut written = 0;
        while began.elapsed() < time {
            ticks.tick().await;
            let due = usize::try_from(began.elapsed().as_millis())? * rate / 1_000;
            while written < due {
                // An entity changes once in a commit.
                let batch = (due - written).min(entities);
                let chosen: Vec<usize> = (self.next..self.next + batch).map(|n| n % entities).collect();
                self.next = (self.next + batch) % entities;
                self.write(board, &chosen).await?;
                written += batch;
            }
        }
        Ok(())
    }

    /// How many statements the server has run; `None` for one without a database.
    pub(super) async fn statements(&self) -> anyhow::Result<Option<u64>> {
        let Target::Pulse { .. } = self.target else { return Ok(None) };
        let text = self.ask("GET /bench/statements HTTP/1.1\r\nhost: bench\r\n\r\n").await?;
        Ok(Some(text.parse()?))
    }

    async fn upsert(&mut self, entities: &[usize]) -> anyhow::Result<Value> {
        self.count += 1;
        let upsert = "mutation ($items: [UpsertEntityItem!]!) { upsertEntities(input: { items: $items }) { results { id } } }";
        let item = |entity: &usize| json!({ "key": format!("e{entity}"), "type": "thing", "name": format!("name {}", self.count) });
        let items: Vec<Value> = entities.iter().map(item).collect();
        self.graphql(upsert, json!({ "items": items })).await
    }

    async fn graphql(&self, query: &str, variables: Value) -> anyhow::Result<Value> {
        let Target::Pulse { token, .. } = &self.target else { anyhow::bail!("only Pulse speaks GraphQL") };
        let body = json!({ "query": query, "variables": variables }).to_string();
        let request = format!(
            "POST /graphql HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\nauthorization: Bearer {token}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut answer: Value = serde_json::from_str(&self.ask(&request).await?)?;
        ensure!(answer.get("errors").is_none(), "{answer}");
        Ok(answer["data"].take())
    }

    /// The body of the answer to a request.
    async fn ask(&self, request: &str) -> anyhow::Result<String> {
        let mut stream = self.stream.lock().await;
        stream.write_all(request.as_bytes()).await?;
        let mut read = Vec::new();
        let head = String::from_utf8(until(&mut stream, &mut read, b"\r\n\r\n").await?)?;
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
        });
        let length = length.with_context(|| format!("no length: {head}"))?;
        let known = read.len();
        read.resize(length.max(known), 0);
        stream.read_exact(&mut read[known..]).await?;
        Ok(String::from_utf8(read)?)
    }
}
