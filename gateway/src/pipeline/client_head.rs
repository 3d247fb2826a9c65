//! What the subgraphs' answers give the head of the client's: headers by the rules, and how long it may be kept.

use http::header::{
    AGE, AUTHORIZATION, CACHE_CONTROL, COOKIE, HeaderMap, HeaderName, HeaderValue, SET_COOKIE, VARY,
};
use pulse_types::Subject;

use super::operate::Client;
use crate::engine::{Cached, ExecutionResult, Operation, OperationKind};
use crate::gateway::State;
use crate::http::CacheControl;
use crate::remote::headers::MergedHeaders;

/// The headers of the answer to an operation.
pub(super) fn client_head(
    state: &State,
    client: &Client,
    operation: &Operation,
    result: &ExecutionResult,
) -> HeaderMap {
    let mut merged = MergedHeaders::default();
    for fetch in &result.fetches {
        state.response_headers.add(&fetch.subgraph, &fetch.headers, &mut merged);
    }
    let mut headers = merged.headers;
    let sets_cookies = headers.contains_key(SET_COOKIE);
    if let Some(kept) = cache_control(state, client, (operation, result), sets_cookies) {
        headers.insert(CACHE_CONTROL, kept);
        if let Some(Cached::Hit { age, .. }) = result.cached.as_deref() {
            headers.insert(AGE, HeaderValue::from(*age));
        }
        headers.append(VARY, HeaderValue::from_static("accept"));
        for name in state.response_headers.varies_on() {
            headers.append(VARY, HeaderValue::from(name.clone()));
        }
    }
    headers
}

/// For how long the answer may be kept: as long as all of its parts. Nothing is said of answers that nobody may keep.
fn cache_control(
    state: &State,
    client: &Client,
    (operation, result): (&Operation, &ExecutionResult),
    sets_cookies: bool,
) -> Option<HeaderValue> {
    if !state.config.merge_cache_control || operation.kind() != OperationKind::Query || result.errors > 0 {
        return None;
    }
    let mut all = match result.cached.as_deref() {
        Some(Cached::Hit { told, .. }) => CacheControl::read([told.as_ref()?])?,
        Some(Cached::Miss(_)) | None => of_parts(result)?,
    };
    if is_for_one(client) || sets_cookies || state.response_headers.varies_on_anything() {
        all.make_private();
    }
    Some(all.to_value())
}

/// What all parts of an answer allow. `None` when one of them allows nothing, or there are none.
pub(super) fn of_parts(result: &ExecutionResult) -> Option<CacheControl> {
    let mut parts = result.fetches.iter().map(|fetch| CacheControl::of(&fetch.headers));
    let mut all = parts.next().flatten()?;
    for part in parts {
        all.narrow(&part?);
    }
    Some(all)
}

/// Whether the answer is for one client alone, as far as anybody knows.
fn is_for_one(client: &Client) -> bool {
    let credentials = [AUTHORIZATION, COOKIE, HeaderName::from_static("x-api-key")];
    client.caller.subject != Subject::Anonymous
        || credentials.iter().any(|name| client.headers.contains_key(name))
}
