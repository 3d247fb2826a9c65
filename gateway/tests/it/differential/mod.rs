//! The gateway over the four subgraphs of the bench, against one server that has the same schema and the same data:
//! random valid queries must be answered alike. `cargo xtask soak differential --seed N --rounds N` runs as many as are
//! wanted; the test runs some.

mod generate;
mod monolith;
mod subgraphs;

use std::sync::Arc;
use std::time::{Duration, Instant};

use pulse_gateway::engine::{Engine, EngineConfig, ExecutionContext};
use pulse_gateway::ports::SupergraphSdl;
use pulse_gateway::value::Value;
use pulse_types::{Caller, RequestId};

use generate::Generator;

/// What the environment says, for `cargo xtask soak`.
fn setting(name: &str, default: u64) -> u64 {
    let value = std::env::var_os(name).map(|value| value.to_str().unwrap().parse().unwrap());
    value.unwrap_or(default)
}

#[tokio::test]
async fn random_queries_are_answered_as_by_one_server() {
    let (seed, rounds) = (setting("PULSE_SOAK_SEED", 1), setting("PULSE_SOAK_ROUNDS", 60));
    let supergraph = SupergraphSdl { sdl: pulse_bench_subgraphs::SUPERGRAPH.into(), version: "test".into() };
    // Each query is planned once.
    let config = EngineConfig {
        plan_cache_size: 1,
        planning_timeout: Duration::from_mins(1),
        max_aliases: 10_000,
        max_directives: 10_000,
        ..EngineConfig::default()
    };
    let engine = Engine::load(&supergraph, subgraphs::all(), &config).unwrap();
    let monolith = monolith::schema();
    let mut generator = Generator::new(&monolith.sdl(), seed);
    for round in 0..rounds {
        let (query, variables) = generator.query();
        let expected = monolith
            .execute(
                async_graphql::Request::new(&query)
                    .variables(async_graphql::Variables::from_json(variables.clone())),
            )
            .await;
        assert!(expected.is_ok(), "seed {seed}, round {round}: {:?}\n{query}\n{variables}", expected.errors);
        let expected = Value::from(&serde_json::to_value(&expected.data).unwrap());
        let operation = engine.prepare(&query, None).await;
        let operation = operation.unwrap_or_else(|error| {
            panic!("seed {seed}, round {round}: {error:?}\n{query}\n{variables}");
        });
        let answer = engine.execute(&operation, Some(Value::from(&variables)), context()).await;
        let answer = Value::parse(&answer.body).unwrap();
        assert_eq!(
            answer.to_string(),
            format!("{{\"data\":{expected}}}"),
            "seed {seed}, round {round}:\n{query}\n{variables}"
        );
    }
}

fn context() -> ExecutionContext {
    ExecutionContext {
        caller: Arc::new(Caller::anonymous(RequestId::new(chrono::DateTime::UNIX_EPOCH))),
        deadline: Instant::now() + Duration::from_mins(1),
        ..crate::engine::context()
    }
}
