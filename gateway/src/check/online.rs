//! Whether the subgraphs of a supergraph answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use pulse_types::{Caller, Clock, RequestId};

use super::{Finding, SubgraphReport};
use crate::engine::OperationKind;
use crate::ports::{Subgraph, SubgraphFault, SubgraphRequest, SubgraphResponse, SupergraphSdl};
use crate::supergraph::Subgraphs;
use crate::value::{Object, Value};

/// How long one may take at most.
const LIMIT: Duration = Duration::from_secs(10);

/// Asks each for its `__typename`.
pub(super) async fn ask(
    sdl: &SupergraphSdl,
    subgraphs: &Subgraphs,
    reports: &mut [SubgraphReport],
    clock: &Clock,
) -> Vec<Finding> {
    let Ok(reached) = subgraphs.of(sdl) else { return Vec::new() };
    let answers = join_all(reached.iter().map(|subgraph| answer(subgraph, clock))).await;
    let mut findings = Vec::new();
    for (subgraph, answer) in reached.iter().zip(answers) {
        let Some(report) = reports.iter_mut().find(|report| report.name == subgraph.name()) else { continue };
        report.answers = Some(answer.is_ok());
        if let Err(why) = answer {
            let text =
                format!("{why}; its address is {}, which gateway.subgraph_urls can replace", report.url);
            findings.push(Finding::error(format!("subgraph {}", report.name), text));
        }
    }
    findings
}

async fn answer(subgraph: &Arc<dyn Subgraph>, clock: &Clock) -> Result<(), String> {
    let deadline = Instant::now() + LIMIT;
    let request = SubgraphRequest {
        query: "{__typename}".into(),
        query_hash: 0,
        operation_name: None,
        variables: Value::Object(Object::new()),
        kind: OperationKind::Query,
        caller: Arc::new(Caller::anonymous(RequestId::new(clock.now()))),
        headers: Arc::default(),
        wants_tags: false,
        files: Vec::new(),
        deadline,
    };
    let asked = tokio::time::timeout_at(deadline.into(), subgraph.execute(request)).await;
    match asked.unwrap_or(Err(SubgraphFault::TimedOut(LIMIT))) {
        // One that wants a sign-in answers too.
        Ok(SubgraphResponse { .. }) => Ok(()),
        Err(fault) => Err(with_cause(&fault)),
    }
}

fn with_cause(fault: &SubgraphFault) -> String {
    let mut deepest: &(dyn std::error::Error + 'static) = fault;
    while let Some(cause) = deepest.source() {
        deepest = cause;
    }
    let (text, cause) = (fault.to_string(), deepest.to_string());
    if text == cause { text } else { format!("{text} ({cause})") }
}
