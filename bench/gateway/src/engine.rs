//! The engine alone: the deep query over answers recorded as bytes, on one thread, always the same, so that a tool that
//! counts instructions shows what a change saves.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::ensure;
use async_trait::async_trait;
use futures::stream::BoxStream;
use pulse_bench_harness::table::say;
use pulse_bench_subgraphs::{DEEP, SMALL, SUPERGRAPH};
use pulse_gateway::engine::{Engine, EngineConfig, ExecutionContext};
use pulse_gateway::ports::{Subgraph, SubgraphFault, SubgraphRequest, SubgraphResponse, SupergraphSdl};
use pulse_gateway::value::Value;
use pulse_types::{Caller, Clock, RequestId};
use rustc_hash::FxHashMap;

use crate::in_process;

/// The engine alone, over recorded answers, to count instructions.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// How many times the query runs.
    #[arg(long, default_value_t = 1000)]
    requests: u32,
    /// The small query instead of the deep one.
    #[arg(long)]
    small: bool,
    /// Plan anew each time.
    #[arg(long)]
    new: bool,
    /// Have async-graphql answer each time, instead of replaying what it said.
    #[arg(long)]
    live: bool,
}

/// By the document and its variables.
type Answers = FxHashMap<(Arc<str>, Value), Vec<u8>>;

/// Answers as the subgraph behind it did the first time, from bytes.
struct Recorded {
    subgraph: Arc<dyn Subgraph>,
    answers: Mutex<Answers>,
}

#[async_trait]
impl Subgraph for Recorded {
    fn name(&self) -> &str {
        self.subgraph.name()
    }

    async fn sdl(&self) -> Result<String, SubgraphFault> {
        self.subgraph.sdl().await
    }

    async fn execute(&self, request: SubgraphRequest) -> Result<SubgraphResponse, SubgraphFault> {
        let key = (Arc::clone(&request.query), request.variables.clone());
        let known = self.answers.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        let bytes = if let Some(bytes) = known {
            bytes
        } else {
            let bytes = self.subgraph.execute(request).await?.data.to_bytes().to_vec();
            self.answers.lock().unwrap_or_else(PoisonError::into_inner).insert(key, bytes.clone());
            bytes
        };
        let data = Value::parse(&bytes).map_err(|error| SubgraphFault::Malformed(error.to_string()))?;
        Ok(SubgraphResponse { data, ..SubgraphResponse::default() })
    }

    async fn subscribe(
        &self,
        request: SubgraphRequest,
    ) -> Result<BoxStream<'static, Result<SubgraphResponse, SubgraphFault>>, SubgraphFault> {
        self.subgraph.subscribe(request).await
    }
}

pub(crate) async fn run(args: &Args) -> anyhow::Result<()> {
    let supergraph = SupergraphSdl { sdl: SUPERGRAPH.to_owned(), version: "1".to_owned() };
    let mut subgraphs = in_process::subgraphs();
    if !args.live {
        let record =
            |subgraph| Arc::new(Recorded { subgraph, answers: Mutex::default() }) as Arc<dyn Subgraph>;
        subgraphs = subgraphs.into_iter().map(record).collect();
    }
    // A tool that counts instructions takes its time.
    let config = EngineConfig { planning_timeout: Duration::from_mins(1), ..EngineConfig::default() };
    let engine = Engine::load(&supergraph, subgraphs, &config)?;
    let caller = Arc::new(Caller::anonymous(RequestId::new(Clock::system().now())));
    let query = if args.small { SMALL } else { DEEP };
    let started = Instant::now();
    let (mut bytes, mut fetches) = (0, 0);
    for number in 0..args.requests {
        let new = args.new.then(|| query.replace("topProducts", &format!("top{number}: topProducts")));
        let text = new.as_deref().unwrap_or(query);
        let operation = engine.prepare(text, None).await.map_err(|errors| anyhow::anyhow!("{errors:?}"))?;
        let context = ExecutionContext {
            caller: Arc::clone(&caller),
            headers: Arc::default(),
            deadline: Instant::now() + Duration::from_mins(1),
            include_plan: false,
            tell_cost: None,
            tag_limit: None,
            toll: None,
            uploads: None,
        };
        let result = engine.execute(&operation, None, context).await;
        ensure!(result.errors == 0, "{}", String::from_utf8_lossy(&result.body));
        (bytes, fetches) = (result.body.len(), result.fetches.len());
    }
    let each = started.elapsed() / args.requests.max(1);
    say(&format!("{} requests of {bytes} bytes by {fetches} fetches, {each:?} each", args.requests));
    Ok(())
}
