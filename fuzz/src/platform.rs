//! The gateway that the targets fuzz: three subgraphs that use what federation has.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::stream::BoxStream;
use pulse_gateway::engine::{CostRules, Engine, EngineConfig, ExecutionContext};
use pulse_gateway::ports::{Subgraph, SubgraphFault, SubgraphRequest, SubgraphResponse, SupergraphSdl};
use pulse_schema::{SubgraphSdl, compose};
use pulse_types::{Caller, RequestId};

/// Each subgraph's name and SDL.
const SUBGRAPHS: [(&str, &str); 3] = [
    ("people", include_str!("../subgraphs/people.graphql")),
    ("reviews", include_str!("../subgraphs/reviews.graphql")),
    ("shop", include_str!("../subgraphs/shop.graphql")),
];

/// What answers in the subgraphs' place.
pub(super) type Answer = dyn Fn() -> Result<SubgraphResponse, SubgraphFault> + Send + Sync;

/// Asks nobody: whatever the request, it is answered by the function.
struct Scripted {
    name: String,
    answer: Arc<Answer>,
}

#[async_trait]
impl Subgraph for Scripted {
    fn name(&self) -> &str {
        &self.name
    }

    async fn sdl(&self) -> Result<String, SubgraphFault> {
        Err(SubgraphFault::CircuitOpen)
    }

    async fn execute(&self, _: SubgraphRequest) -> Result<SubgraphResponse, SubgraphFault> {
        (self.answer)()
    }

    async fn subscribe(
        &self,
        _: SubgraphRequest,
    ) -> Result<BoxStream<'static, Result<SubgraphResponse, SubgraphFault>>, SubgraphFault> {
        Err(SubgraphFault::CircuitOpen)
    }
}

/// A subgraph that this name is answered for.
pub(super) fn subgraph(name: impl Into<String>, answer: &Arc<Answer>) -> Arc<dyn Subgraph> {
    Arc::new(Scripted { name: name.into(), answer: Arc::clone(answer) })
}

/// An engine over the subgraphs. It counts costs, and keeps no plan: each input is planned anew.
pub(super) fn engine(
    answer: impl Fn() -> Result<SubgraphResponse, SubgraphFault> + Send + Sync + 'static,
) -> Engine {
    let sdls =
        SUBGRAPHS.map(|(name, sdl)| SubgraphSdl { name: name.to_owned(), url: None, sdl: sdl.to_owned() });
    let composed = compose(&sdls).expect("the subgraphs compose");
    let supergraph = SupergraphSdl { sdl: composed.supergraph, version: "fuzzed".to_owned() };
    let answer: Arc<Answer> = Arc::new(answer);
    let subgraphs = SUBGRAPHS.map(|(name, _)| subgraph(name, &answer));
    let config = EngineConfig {
        plan_cache_size: 0,
        cost: CostRules { counted: true, by_subgraph: true, ..CostRules::default() },
        ..EngineConfig::default()
    };
    Engine::load(&supergraph, subgraphs.into(), &config).expect("the supergraph can be served")
}

/// What an execution needs; the subgraphs answer at once.
pub(super) fn context() -> ExecutionContext {
    ExecutionContext {
        caller: Arc::new(Caller::anonymous(RequestId::new(chrono::DateTime::UNIX_EPOCH))),
        headers: Arc::default(),
        deadline: Instant::now() + Duration::from_mins(1),
        uploads: None,
        include_plan: false,
        tell_cost: None,
        tag_limit: None,
        toll: None,
    }
}

/// Runs a future on this thread.
pub(super) fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.expect("this thread can wait").block_on(future)
}
