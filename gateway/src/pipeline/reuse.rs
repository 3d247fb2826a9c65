//! Step 5 where answers are kept: a query whose answer is there is not run, and the answer of one that is run is kept.

use std::hash::Hash;
use std::sync::Arc;

use http::HeaderMap;
use http::header::CACHE_CONTROL;

use super::client_head::of_parts;
use super::execute::Query;
use super::operate::{Client, Transport};
use crate::engine::{
    CachePolicy, Cached, ExecutionContext, ExecutionResult, KeptOperation, Operation, SharingScope,
};
use crate::gateway::State;
use crate::response_cache::{Asking, Content, Entry, Kept, Key, Kind, Reuse};
use crate::supergraph::Served;
use crate::value::Value;

/// How a query may use what is kept; `None` where nothing is kept of it.
pub(super) fn reuse(
    state: &State,
    served: &Served,
    operation: &Operation,
    context: &ExecutionContext,
    client: &Client,
) -> Option<Reuse> {
    let cache = state.response_cache.as_ref()?;
    operation.caching()?;
    if context.uploads.is_some() {
        return None;
    }
    // Over a connection of many operations the head is that of the connection, and says nothing of any of them.
    let is_heeded = cache.heeds_clients() && client.transport == Transport::Once;
    let (reads, keeps) = if is_heeded { wishes(&client.headers) } else { (true, true) };
    let asking = Asking {
        caller: Arc::clone(&client.caller),
        headers: Arc::clone(&client.headers),
        supergraph: served.version.clone(),
        reads,
        keeps,
    };
    (reads || keeps).then(|| Reuse::begin(cache, asking))
}

/// Whether a client takes what is kept, and whether its answer may be kept (RFC 9111 §5.2.1).
fn wishes(headers: &HeaderMap) -> (bool, bool) {
    let values = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let (mut reads, mut keeps) = (true, true);
    for directive in values.flat_map(|value| value.split(',')) {
        match directive.trim().to_ascii_lowercase().as_str() {
            "no-cache" | "max-age=0" => reads = false,
            "no-store" => (reads, keeps) = (false, false),
            _ => {}
        }
    }
    (reads, keeps)
}

/// A whole answer that may be kept.
struct Whole {
    key: Key,
    policy: CachePolicy,
    subgraphs: Arc<[Arc<str>]>,
}

/// The answer that is kept, or that of a run. `None` if it panicked.
pub(super) async fn run(
    query: Query<'_>,
    mut context: ExecutionContext,
    reuse: Reuse,
) -> Option<ExecutionResult> {
    let Some(whole) = whole(&query, &context, &reuse) else { return query.run(context, Some(reuse)).await };
    let why = match reuse.find(Kind::Response, None, &[whole.key]).await.pop()? {
        Ok(entry) => return Some(kept(&entry, &reuse)),
        Err(miss) => miss.as_str(),
    };
    let cache = query.state.response_cache.as_ref()?;
    context.tag_limit = cache.tag_limit();
    let is_for_several = whole.policy.scope != SharingScope::Caller && reuse.reads() && reuse.keeps();
    if !is_for_several {
        let result = query.run(context, Some(reuse.clone())).await?;
        if !result.is_shared {
            drop(keep(&whole, &reuse, &result));
        }
        return Some(ExecutionResult { cached: Some(Box::new(Cached::Miss(why))), ..result });
    }
    let (served, operation) = (Arc::clone(query.served), Arc::clone(query.operation));
    let (variables, own_context, own) = (query.variables.clone(), context.clone(), reuse.clone());
    let work = |_| async move {
        let context = (own_context, Some(own.clone()));
        let result = served.engine.execute_with(&operation, variables, context).await;
        let entry = keep(&whole, &own, &result);
        (result, entry)
    };
    let landed = cache.loads.join(whole_key(&query, &reuse)?, work).await?;
    if !landed.is_shared {
        let (result, _) = Arc::try_unwrap(landed.outcome).unwrap_or_else(|shared| shared.as_ref().clone());
        return Some(ExecutionResult { cached: Some(Box::new(Cached::Miss(why))), ..result });
    }
    // What others have made is for this caller too if it could be kept; else everybody makes their own.
    match landed.outcome.1.as_ref().and_then(|entry| reuse.joined(entry)) {
        Some(entry) => Some(kept(&entry, &reuse)),
        None => query.run(context, Some(reuse)).await,
    }
}

/// What the whole answer is kept under, when it may be kept and does not tell of its own run.
fn whole(query: &Query<'_>, context: &ExecutionContext, reuse: &Reuse) -> Option<Whole> {
    let KeptOperation { policy, subgraphs, .. } = query.operation.caching()?;
    let tells_of_itself = context.include_plan || context.tell_cost.is_some();
    let policy = (*policy).filter(|_| !tells_of_itself)?;
    let subgraphs = subgraphs.iter().map(|subgraph| Arc::from(subgraph.name())).collect();
    Some(Whole { key: whole_key(query, reuse)?, policy, subgraphs })
}

fn whole_key(query: &Query<'_>, reuse: &Reuse) -> Option<Key> {
    let KeptOperation { policy, digest: name, subgraphs } = query.operation.caching()?;
    let mut digest = reuse.digest(Kind::Response, (*policy)?.scope, subgraphs.iter());
    let variables: Option<&Value> = query.variables.as_ref();
    (name, variables).hash(&mut digest);
    Some(Key::of(digest))
}

/// Keeps an answer that is whole, and all of whose parts are kept.
fn keep(whole: &Whole, reuse: &Reuse, result: &ExecutionResult) -> Option<Arc<Entry>> {
    if result.errors > 0 || result.request_error || !reuse.keeps() {
        return None;
    }
    let mut parts = result.fetches.iter().map(|fetch| fetch.kept);
    let first = parts.next()??;
    let kept = parts.try_fold(first, |all: Kept, part| Some(all.narrowed(part?)))?;
    // What has changed meanwhile is not kept.
    let tracking = reuse.track(&kept, result.reads.clone()).ok()?;
    let content = Content {
        body: result.body.clone(),
        kept,
        told: of_parts(result).map(|told| told.to_value()),
        cost: result.cost,
        subgraphs: Arc::clone(&whole.subgraphs),
    };
    reuse.keep(whole.key, content, tracking)
}

/// An answer that is kept.
fn kept(entry: &Entry, reuse: &Reuse) -> ExecutionResult {
    ExecutionResult {
        body: entry.body.clone(),
        cost: entry.cost,
        cached: Some(Box::new(Cached::Hit { told: entry.told.clone(), age: entry.age(reuse.now()) })),
        ..ExecutionResult::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_say_what_they_want() {
        let wishes = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(CACHE_CONTROL, value.parse().unwrap());
            super::wishes(&headers)
        };
        assert_eq!(wishes("max-age=60"), (true, true));
        assert_eq!(wishes("No-Cache"), (false, true));
        assert_eq!(wishes("max-age=0, must-revalidate"), (false, true));
        assert_eq!(wishes("no-store"), (false, false));
        assert_eq!(super::wishes(&HeaderMap::new()), (true, true));
    }
}
