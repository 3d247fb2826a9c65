//! An operation, or several, with files: the GraphQL multipart request specification. `operations` and `map` are read
//! here; the files follow them, and are left in the body until somebody wants them.

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::StatusCode;

use super::{Arrival, GraphqlRequest, Incoming, bad_request, body, parameters};
use crate::config::{BatchingConfig, UploadsConfig};
use crate::pipeline::refusal::Refusal;
use crate::uploads::{self, Parts, UploadLimits, Uploads};
use crate::value::{Object, Value};

/// What the settings say of such requests.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules<'a> {
    pub(super) uploads: &'a UploadsConfig,
    pub(super) batching: &'a BatchingConfig,
}

pub(super) async fn read(
    boundary: &str,
    body: Body,
    arrival: Arrival,
    rules: Rules<'_>,
) -> Result<Incoming, Refusal> {
    let mut parts = uploads::parts(body, boundary);
    let reading = async {
        let operations = field(&mut parts, "operations", "map", arrival.limit).await?;
        let map = field(&mut parts, "map", "the files", arrival.limit).await?;
        Ok::<_, Refusal>((parameters::json(&operations, "`operations`")?, parameters::json(&map, "`map`")?))
    };
    let (mut operations, map) = arrival.within(reading).await?;
    let Value::Object(map) = map else {
        return Err(bad_request(format!("`map` must be an object, not {}", map.kind())));
    };
    let names = place_files(&mut operations, &map, rules.uploads)?;
    let uploads = Uploads::new(parts, names, UploadLimits::from(rules.uploads));
    let give = |request: GraphqlRequest| GraphqlRequest { uploads: Some(uploads.clone()), ..request };
    Ok(match parameters::from_value(operations, rules.batching)? {
        Incoming::One(request) => Incoming::One(Box::new(give(*request))),
        Incoming::Batch(requests) => {
            Incoming::Batch(requests.into_iter().map(|request| request.map(give)).collect())
        }
    })
}

/// The bytes of the next part, which must have this name.
async fn field(parts: &mut Parts, name: &str, next: &str, limit: usize) -> Result<Bytes, Refusal> {
    let malformed = |error: multer::Error| {
        bad_request(format!("the request's body is no well-formed multipart/form-data: {error}"))
    };
    let missing = |found: &str| {
        bad_request(format!(
            "the parts must be `operations`, `map`, then the files in the order of `map`: {found} where `{name}` must be"
        ))
    };
    let Some(mut field) = parts.next_field().await.map_err(malformed)? else {
        return Err(missing("the request ends"));
    };
    if field.name() != Some(name) {
        let found = field.name().unwrap_or_default();
        return Err(missing(&format!("there is {found:?}")));
    }
    let mut bytes = BytesMut::new();
    while let Some(chunk) = field.chunk().await.map_err(malformed)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > limit {
            let message = format!("`{name}`, before {next}, is too large: the limit is {limit} bytes");
            return Err(Refusal::malformed(StatusCode::PAYLOAD_TOO_LARGE, body::TOO_LARGE, message));
        }
    }
    Ok(bytes.freeze())
}

/// Puts a mark for each file where `map` says. The files' names, each with how many places it has.
fn place_files(
    operations: &mut Value,
    map: &Object,
    config: &UploadsConfig,
) -> Result<Vec<(String, usize)>, Refusal> {
    if map.len() > config.max_files {
        return Err(bad_request(format!(
            "too many files: `map` names {}, the limit is {}",
            map.len(),
            config.max_files
        )));
    }
    let mut names = Vec::with_capacity(map.len());
    let mut places = 0;
    for (file, (name, paths)) in map.iter().enumerate() {
        let Value::List(paths) = paths else {
            return Err(bad_request(format!(
                "`map` must give a list of paths for each file, not {}",
                paths.kind()
            )));
        };
        places += paths.len();
        if places > config.max_places {
            return Err(bad_request(format!(
                "too many paths: `map` has more than the limit of {}",
                config.max_places
            )));
        }
        for path in paths {
            let Some(path) = path.as_str() else {
                return Err(bad_request(format!("`map` must list paths as strings, not {}", path.kind())));
            };
            place_file(operations, path, file).map_err(bad_request)?;
        }
        names.push((name.to_string(), paths.len()));
    }
    Ok(names)
}

/// In a batch, a path begins with the position of its operation.
fn place_file(operations: &mut Value, path: &str, file: usize) -> Result<(), String> {
    match operations {
        Value::Object(request) => uploads::put(request, path, file),
        Value::List(requests) => {
            let (position, rest) = path.split_once('.').unwrap_or((path, ""));
            let request = position.parse::<usize>().ok().and_then(|position| requests.get_mut(position));
            match request {
                Some(Value::Object(request)) => uploads::put(request, rest, file),
                _ => Err(format!(
                    "`map` has the path {path:?}, which does not begin with an operation's position"
                )),
            }
        }
        other => Err(format!("`operations` must be an object or a list of them, not {}", other.kind())),
    }
}
