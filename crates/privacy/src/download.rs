//! `GET /exports/{id}`: what was exported, for the person alone for whom the link was made.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures::future::BoxFuture;
use pulse_files::{Files, FilesError};
use pulse_sealing::Sealer;
use pulse_types::{Caller, Clock, OrgId, UserId};
use serde::Deserialize;
use serde_json::json;
use tokio::fs::File;
use tokio_util::io::ReaderStream;
use uuid::Uuid;

use crate::Link;

/// What exports are: those of persons' data, and those of the audit.
const KINDS: [Kind; 3] = [
    Kind { extension: "json", content_type: "application/json" },
    Kind { extension: "jsonl", content_type: "application/jsonl" },
    Kind { extension: "csv", content_type: "text/csv; charset=utf-8" },
];

#[derive(Clone, Copy)]
struct Kind {
    extension: &'static str,
    content_type: &'static str,
}

/// Who sends a request with these headers; else the status of the answer, and why.
pub type Who =
    Arc<dyn Fn(HeaderMap) -> BoxFuture<'static, Result<Arc<Caller>, (StatusCode, String)>> + Send + Sync>;

struct Parts {
    files: Files,
    sealer: Sealer,
    who: Who,
    clock: Clock,
}

#[derive(Deserialize)]
struct Signed {
    r#for: UserId,
    within: Option<OrgId>,
    expires: i64,
    signature: String,
}

/// The route by which exports are downloaded, for processes that have the files, the key that signs links and know who asks.
pub fn routes(files: Files, sealer: Sealer, who: Who, clock: Clock) -> Router {
    let parts = Arc::new(Parts { files, sealer, who, clock });
    Router::new().route("/exports/{id}", get(download)).with_state(parts)
}

/// Everything that is wrong with a link looks the same: whoever has it shall ask for another one.
async fn download(
    State(parts): State<Arc<Parts>>,
    Path(id): Path<String>,
    signed: Result<Query<Signed>, QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let caller = match (parts.who)(headers).await {
        Ok(caller) => caller,
        Err((status, why)) => return problem(status, &why),
    };
    let Some(user) = caller.user() else {
        return problem(
            StatusCode::UNAUTHORIZED,
            "send your access token as `Authorization: Bearer <token>`: the link is for you alone",
        );
    };
    let refused = || {
        problem(StatusCode::FORBIDDEN, "the link is not for you, or its time is over: ask for another one")
    };
    let (Ok(export), Ok(Query(signed))) = (id.parse::<Uuid>(), signed) else { return refused() };
    let Signed { r#for: person, within: org, expires, signature } = signed;
    let link = Link { export, person, org, expires };
    let is_theirs = user == person && org.is_none_or(|org| caller.org == Some(org));
    if !is_theirs || !link.is_good(&parts.sealer, &signature, parts.clock.now()) {
        return refused();
    }
    match find(&parts.files, export).await {
        Ok(Some((file, size, Kind { extension, content_type }))) => {
            let headers = [
                (header::CONTENT_TYPE, content_type.to_owned()),
                (header::CONTENT_LENGTH, size.to_string()),
                (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{export}.{extension}\"")),
                (header::CACHE_CONTROL, "private, no-store".to_owned()),
            ];
            (headers, Body::from_stream(ReaderStream::new(file))).into_response()
        }
        Ok(None) => problem(StatusCode::NOT_FOUND, "the export is not kept any more: ask for another one"),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "an export cannot be read");
            problem(StatusCode::SERVICE_UNAVAILABLE, "the export cannot be read now: try again later")
        }
    }
}

/// The file of an export, of whichever kind it is.
async fn find(files: &Files, export: Uuid) -> Result<Option<(File, u64, Kind)>, FilesError> {
    for kind in KINDS {
        let name = format!("exports/{export}.{}", kind.extension).parse().expect("an id is plain");
        if let Some((file, size)) = files.open(&name).await? {
            return Ok(Some((file, size, kind)));
        }
    }
    Ok(None)
}

/// RFC 9457.
fn problem(status: StatusCode, detail: &str) -> Response {
    let body = json!({ "type": "about:blank", "title": status.canonical_reason(), "status": status.as_u16(), "detail": detail });
    let headers = [(header::CONTENT_TYPE, "application/problem+json"), (header::CACHE_CONTROL, "no-store")];
    (status, headers, body.to_string()).into_response()
}
