//! Before an operation runs: it is counted and paid for, or refused. After: what it did not use is given back.

use std::sync::{Arc, Mutex};

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue, RETRY_AFTER};
use metrics::{counter, histogram};

use super::meter::Meter;
use super::operate::{Client, Results};
use super::read_request::GraphqlRequest;
use super::refusal::Refusal;
use super::summary::Summary;
use crate::config::{CostMode, TellCost};
use crate::engine::{
    Cost, Engine, ErrorCode, Estimate, ExecutionResult, Operation, OperationKind, RequestError, Toll,
};
use crate::gateway::State;
use crate::quota::{Asker, Counts, Debit, Shortage, Standing};
use crate::value::Value;

/// What an operation was charged.
#[derive(Default)]
pub(super) struct Charge {
    debit: Debit,
    estimate: Option<Estimate>,
    tells: bool,
    /// For a subscription that pays.
    meter: Option<Arc<Meter>>,
}

/// Counts the request and debits what its operation may cost. A subscription pays with each event, a live query with each
/// answer.
pub(super) async fn charge(
    state: &State,
    engine: &Engine,
    (operation, request): (&Operation, &GraphqlRequest),
    client: &Client,
    summary: &mut Summary,
) -> Result<Charge, Refusal> {
    let estimate = engine.estimate(operation, request.variables.as_ref());
    let asker = asker(client, operation.name());
    if let Some(estimate) = &estimate {
        histogram!("pulse_gateway_operation_cost", "cost" => "estimated").record(estimate.cost.units());
        if let Some(refused) = too_dear(state, &asker, estimate) {
            count(state, &asker, summary).await?;
            return Err(refused);
        }
    }
    let pays_now = operation.kind() != OperationKind::Subscription && !operation.is_live();
    let cost = estimate.as_ref().filter(|_| pays_now).map(|estimate| estimate.cost);
    let debit = state.quotas.debit(&asker, cost).await;
    let debit = debit.map_err(|shortage| refuse(state, &shortage, cost, summary))?;
    let tells = tells(state, request);
    tell(state, (estimate.as_ref().map(|estimate| estimate.cost), None), debit.standings(), summary);
    let meter = estimate.as_ref().filter(|_| !pays_now && state.quotas.has_budgets(&asker)).map(|estimate| {
        Arc::new(Meter {
            quotas: Arc::clone(&state.quotas),
            client: client.clone(),
            operation: operation.name().map(ToOwned::to_owned),
            estimate: estimate.cost,
            paid: Mutex::default(),
        })
    });
    Ok(Charge { debit, estimate, tells, meter })
}

/// Counts a request that came to nothing.
pub(super) async fn refused(
    state: &State,
    request: &GraphqlRequest,
    client: &Client,
    refusal: Refusal,
    summary: &mut Summary,
) -> Refusal {
    let asker = asker(client, request.operation_name.as_deref());
    count(state, &asker, summary).await.err().unwrap_or(refusal)
}

async fn count(state: &State, asker: &Asker<'_>, summary: &mut Summary) -> Result<(), Refusal> {
    let debit = state.quotas.debit(asker, None).await;
    let debit = debit.map_err(|shortage| refuse(state, &shortage, None, summary))?;
    tell(state, (None, None), debit.standings(), summary);
    Ok(())
}

impl Charge {
    /// What the answer's `extensions` are to tell.
    pub(super) fn told(&self) -> Option<Estimate> {
        self.estimate.clone().filter(|_| self.tells)
    }

    /// Who pays for events before they run.
    pub(super) fn toll(&self) -> Option<Arc<dyn Toll>> {
        self.meter.clone().map(|meter| meter as Arc<dyn Toll>)
    }

    /// A stream's results, each paid for.
    pub(super) fn events(self, results: Results) -> Results {
        match self.meter {
            Some(meter) => meter.metered(results),
            None => results,
        }
    }

    /// Settles the debit by what the answer cost.
    pub(super) async fn settle(self, state: &State, result: &ExecutionResult, summary: &mut Summary) {
        let actual = result.cost.unwrap_or_default();
        if result.cost.is_some() {
            histogram!("pulse_gateway_operation_cost", "cost" => "actual").record(actual.units());
        }
        let standings = self.debit.settle(&state.quotas, actual).await;
        tell(state, (self.estimate.map(|estimate| estimate.cost), result.cost), &standings, summary);
    }
}

fn asker<'a>(client: &'a Client, operation: Option<&'a str>) -> Asker<'a> {
    Asker {
        caller: &client.caller,
        terms: client.terms.as_deref(),
        headers: &client.headers,
        address: client.address,
        operation,
    }
}

fn tells(state: &State, request: &GraphqlRequest) -> bool {
    match state.config.cost.extensions {
        TellCost::Never => false,
        TellCost::Asked => request.extensions.get("cost").and_then(Value::as_bool) == Some(true),
        TellCost::Always => true,
    }
}

/// Why an operation may not run at all, whatever anybody has left.
fn too_dear(state: &State, asker: &Asker<'_>, estimate: &Estimate) -> Option<Refusal> {
    let config = &state.config.cost;
    let cost = estimate.cost;
    let over = |limit: Cost| !limit.is_zero() && cost > limit;
    let mut over_subgraphs = estimate.subgraphs.iter().filter_map(|(name, cost)| {
        config.subgraphs.get(&**name).filter(|limit| *cost > **limit).map(|limit| (name, *cost, *limit))
    });
    let (reason, error) = if let Some(problem) = estimate.unsized_lists.first() {
        let text = format!("the size of a list cannot be told before it is fetched: {problem}");
        ("LIST_SIZE_UNKNOWN", RequestError::new(ErrorCode::BadUserInput, text))
    } else if over(config.max) {
        let text = format!(
            "the operation may cost {cost}, the limit is {}: ask for shorter lists or fewer fields",
            config.max
        );
        ("OPERATION_COST", exceeded(text, cost, config.max))
    } else if let Some((name, cost, limit)) = over_subgraphs.next() {
        let text = format!(
            "what the operation asks of the subgraph `{name}` may cost {cost}, the limit is {limit}: ask for shorter \
             lists or fewer fields of it"
        );
        let mut error = exceeded(text, cost, limit);
        error.extensions.push(("subgraph", (**name).into()));
        ("SUBGRAPH_COST", error)
    } else if let Some(Shortage::TooDear { bucket, capacity }) = state.quotas.too_dear(asker, cost) {
        ("BUCKET_CAPACITY", above_capacity(&bucket, cost, capacity))
    } else {
        return None;
    };
    let enforced = config.mode == CostMode::Enforce;
    let mode = if enforced { "enforce" } else { "measure" };
    counter!("pulse_gateway_cost_refusals_total", "reason" => reason, "mode" => mode).increment(1);
    enforced.then(|| Refusal::errors(vec![error.because(reason)]))
}

fn exceeded(text: String, cost: Cost, limit: Cost) -> RequestError {
    let mut error = RequestError::new(ErrorCode::CostExceeded, text);
    error.extensions = vec![("estimated", cost.into()), ("limit", limit.into())];
    error
}

fn above_capacity(bucket: &str, cost: Cost, capacity: Cost) -> RequestError {
    let text = format!(
        "the operation may cost {cost}, and the budget `{bucket}` never holds more than {capacity}: ask for shorter lists \
         or fewer fields"
    );
    exceeded(text, cost, capacity)
}

fn refuse(state: &State, shortage: &Shortage, cost: Option<Cost>, summary: &mut Summary) -> Refusal {
    let error = shortage_error(shortage, cost);
    let mut header = None;
    if let Shortage::Empty { rule, retry_after, standings } = shortage {
        counter!("pulse_gateway_rate_limited_total", "rule" => rule.name.to_string()).increment(1);
        header = retry_after.map(|seconds| (RETRY_AFTER, HeaderValue::from(seconds.max(1))));
        tell(state, (cost, None), standings, summary);
    }
    // Nothing was said about the operation itself: HTTP tells it by its status, whatever the client accepts.
    Refusal { well_formed: false, header, ..Refusal::errors(vec![error]) }
}

/// What a client reads who cannot pay.
pub(super) fn shortage_error(shortage: &Shortage, cost: Option<Cost>) -> RequestError {
    match shortage {
        Shortage::TooDear { bucket, capacity } => above_capacity(bucket, cost.unwrap_or_default(), *capacity),
        Shortage::Unavailable => RequestError::new(
            ErrorCode::Unavailable,
            "limits cannot be checked just now; try again in a moment",
        ),
        Shortage::Empty { rule, retry_after, .. } => {
            let name = &rule.name;
            let when = retry_after.map_or_else(
                || "it is not filled again".to_owned(),
                |seconds| format!("try again in {} s", seconds.max(1)),
            );
            let is_requests = rule.counts == Counts::Requests;
            let text = if is_requests {
                format!("too many requests for the limit `{name}`: {when}")
            } else {
                let (cost, left) = (cost.unwrap_or_default(), rule.remaining);
                format!("the operation may cost {cost}, and the budget `{name}` holds {left}: {when}")
            };
            let mut error = RequestError::new(ErrorCode::RateLimited, text);
            error = error.because(if is_requests { "RATE_LIMIT" } else { "BUDGET" });
            error.extensions.push(("limit", (**name).into()));
            if !is_requests {
                error.extensions.push(("estimated", cost.unwrap_or_default().into()));
                error.extensions.push(("remaining", rule.remaining.into()));
            }
            error.extensions.extend(retry_after.map(|seconds| ("retryAfter", seconds.max(1).into())));
            error
        }
    }
}

/// What the response's head says of costs and limits.
fn tell(
    state: &State,
    (estimated, actual): (Option<Cost>, Option<Cost>),
    standings: &[Standing],
    summary: &mut Summary,
) {
    if standings.is_empty() && (estimated.is_none() || !state.config.cost.headers) {
        return;
    }
    let mut headers = HeaderMap::new();
    let mut set = |name: &'static str, value: String| {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    if let Some(estimated) = estimated.filter(|_| state.config.cost.headers) {
        let costs = standings.iter().filter(|standing| standing.counts == Counts::Costs);
        let mut parts = vec![format!("estimated={estimated}")];
        parts.extend(actual.map(|actual| format!("actual={actual}")));
        parts.extend(costs.map(|standing| standing.remaining).min().map(|left| format!("remaining={left}")));
        set("pulse-cost", parts.join(", "));
    }
    if !standings.is_empty() {
        set(
            "ratelimit-policy",
            list(standings, |it| {
                let window = it.window.map(|window| format!(";w={window}")).unwrap_or_default();
                format!("q={}{window}", it.quota)
            }),
        );
        set(
            "ratelimit",
            list(standings, |it| {
                let full_in = it.full_in.map(|seconds| format!(";t={seconds}")).unwrap_or_default();
                format!("r={}{full_in}", it.remaining.whole())
            }),
        );
    }
    summary.tell(headers);
}

/// A list of named items (RFC 9651).
fn list(standings: &[Standing], parameters: impl Fn(&Standing) -> String) -> String {
    let name = |name: &Arc<str>| -> String {
        name.chars().filter(|c| matches!(c, ' '..='~') && !matches!(c, '"' | '\\')).collect()
    };
    let item = |standing: &Standing| format!("\"{}\";{}", name(&standing.name), parameters(standing));
    standings.iter().map(item).collect::<Vec<_>>().join(", ")
}
