//! `/registry/{environment}/{variant}/supergraph`: what gateways follow. A client of the gateway in its own process: what it may
//! see is decided where it is for everybody.

mod api;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH,
};
use axum::http::{Extensions, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use api::{Api, Supergraph};

/// So many wait for a new supergraph at once in a process; others are answered at once.
const MOST_WAITING: usize = 1_000;

/// So long one waits at most, whatever it prefers.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

const PREFER: HeaderName = HeaderName::from_static("prefer");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
const SIGNATURE: HeaderName = HeaderName::from_static("pulse-signature");

/// What a request says that holds for what is asked on its behalf.
const PASSED_ON: [HeaderName; 4] = [
    AUTHORIZATION,
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("user-agent"),
];

/// What all requests have in common.
struct Supergraphs {
    /// The gateway's own routes.
    api: Router,
    waiting: Arc<Semaphore>,
}

/// What a client prefers and knows.
struct Asked {
    /// How long to wait for something new.
    wait: Option<Duration>,
    /// The version that it has.
    known: Option<HeaderValue>,
}

/// The route, beside those of the gateway that `api` has.
pub(crate) fn route(api: Router) -> Router {
    let supergraphs = Arc::new(Supergraphs { api, waiting: Arc::new(Semaphore::new(MOST_WAITING)) });
    Router::new().route("/registry/{environment}/{variant}/supergraph", get(serve)).with_state(supergraphs)
}

async fn serve(
    State(supergraphs): State<Arc<Supergraphs>>,
    Path((environment, variant)): Path<(String, String)>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let asked = Asked::of(&parts.headers);
    let (headers, extensions) = (passed_on(&parts.headers), without_connection(parts.extensions));
    let api = Api::new(supergraphs.api.clone(), headers, extensions, (environment, variant));
    let waits = asked.wait.is_some();
    let answered = match answer(&supergraphs, &api, &asked).await {
        Ok(answered) => answered,
        Err((status, problem)) => return (status, format!("{problem}\n")).into_response(),
    };
    let mut response = match answered {
        Some(supergraph) => shown(supergraph),
        None => StatusCode::NOT_MODIFIED.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if waits {
        headers.insert(PREFERENCE_APPLIED, HeaderValue::from_static("wait"));
    }
    response
}

/// The supergraph, if it is not the known one, or becomes another one while it is waited for.
async fn answer(
    supergraphs: &Supergraphs,
    api: &Api,
    asked: &Asked,
) -> Result<Option<Supergraph>, (StatusCode, String)> {
    let Some(known) = &asked.known else { return api.supergraph().await.map(Some) };
    // Followed before it is read, so that nothing is missed in between.
    let place = asked.wait.and_then(|wait| Some((wait, supergraphs.waiting.try_acquire().ok()?)));
    let mut changes = match &place {
        Some(_) => Some(api.changes().await?),
        None => None,
    };
    let until = Instant::now() + asked.wait.unwrap_or_default();
    loop {
        if tag(&api.hash().await?) != *known {
            return api.supergraph().await.map(Some);
        }
        let Some(changes) = &mut changes else { return Ok(None) };
        match timeout_at(until, changes.next()).await {
            Ok(true) => {}
            Ok(false) | Err(_) => return Ok(None),
        }
    }
}

fn shown(Supergraph { sdl, hash, signature }: Supergraph) -> Response {
    let mut response = sdl.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/graphql; charset=utf-8"));
    headers.insert(ETAG, tag(&hash));
    if let Ok(signature) = HeaderValue::try_from(signature) {
        headers.insert(SIGNATURE, signature);
    }
    response
}

fn tag(hash: &str) -> HeaderValue {
    HeaderValue::try_from(format!("\"{hash}\"")).expect("a hash is letters and digits")
}

impl Asked {
    fn of(headers: &HeaderMap) -> Self {
        let preferences = headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
        let wait = preferences.flat_map(|text| text.split([',', ';'])).find_map(|preference| {
            let (name, value) = preference.split_once('=')?;
            let seconds = value.trim().trim_matches('"').parse().ok()?;
            (name.trim().eq_ignore_ascii_case("wait")).then_some(Duration::from_secs(seconds))
        });
        let wait = wait.filter(|wait| !wait.is_zero()).map(|wait| wait.min(LONGEST_WAIT));
        Self { wait, known: headers.get(IF_NONE_MATCH).cloned() }
    }
}

fn passed_on(headers: &HeaderMap) -> HeaderMap {
    let passed = headers.iter().filter(|(name, _)| PASSED_ON.contains(name));
    passed.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Where the client is, and when the process stops. Not the connection.
fn without_connection(mut extensions: Extensions) -> Extensions {
    extensions.remove::<hyper::upgrade::OnUpgrade>();
    extensions
}
