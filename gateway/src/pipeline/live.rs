//! Step 5 of a query that is `@live`: it runs again whenever something that it read has changed.

use std::sync::Arc;

use tokio::sync::watch;

use super::execute::{context, in_time};
use super::operate::{Answer, Client, Repeatable, planned};
use super::read_request::GraphqlRequest;
use super::refusal::Refusal;
use super::share;
use crate::engine::{ErrorCode, ExecutionContext, LiveOptions, Operation, RequestError, refused};
use crate::gateway::State;
use crate::streams::live_query::{Asked, BeginLive, Follower};
use crate::supergraph::Served;

/// Follows a live query.
pub(super) async fn follow(
    state: &Arc<State>,
    client: &Client,
    (served, operation): (&Arc<Served>, &Arc<Operation>),
    (request, supergraphs): (Repeatable, watch::Receiver<u64>),
    has_files: bool,
) -> Result<Answer, Refusal> {
    if has_files {
        let text =
            "a live query runs again and again, and a file can be read once: leave out the file or `@live`";
        return Err(Refusal::errors(vec![
            RequestError::new(ErrorCode::BadUserInput, text).because("LIVE_QUERY_FILES"),
        ]));
    }
    let place = state.streams.places.stream()?;
    let (asked, LiveOptions { delta, .. }) = match asked(state, (served, operation), &request.request, client)
    {
        Ok(asked) => asked,
        Err(errors) => return Ok(Answer::Once(refused(&errors))),
    };
    let begin = BeginLive { client: client.clone(), request, asked, delta, supergraphs, place };
    let opening = async { Follower::open(state, begin).await.map(Answer::Stream) };
    in_time(state, client, opening).await
}

/// A live query once more, over the supergraph that is served now. It passes all that it passed when it began.
pub(crate) async fn ask_again(
    state: &Arc<State>,
    client: &Client,
    Repeatable { request, document, .. }: &Repeatable,
) -> Result<(Asked, LiveOptions), Refusal> {
    let served = state.supergraph.served();
    let (operation, _) = planned(state, &served.engine, client, (request, document)).await?;
    asked(state, (&served, &operation), request, client).map_err(Refusal::errors)
}

fn asked(
    state: &Arc<State>,
    (served, operation): (&Arc<Served>, &Arc<Operation>),
    request: &GraphqlRequest,
    client: &Client,
) -> Result<(Asked, LiveOptions), Vec<RequestError>> {
    let config = &state.config.live_queries;
    let options = served.engine.live(operation, request.variables.as_ref())?.unwrap_or_default();
    let context = ExecutionContext {
        include_plan: false,
        tag_limit: Some(config.max_tags),
        ..context(state, request, client)
    };
    let execution = share::execution(state, operation, request.variables.as_ref(), &context, client);
    let asked = Asked {
        state: Arc::clone(state),
        served: Arc::clone(served),
        operation: Arc::clone(operation),
        variables: request.variables.clone(),
        context,
        throttle: options.throttle.unwrap_or(config.throttle).max(config.min_throttle),
        execution,
    };
    Ok((asked, options))
}
