//! The parameters of a GraphQL request, by name.

use http::StatusCode;
use percent_encoding::percent_decode_str;

use super::{GraphqlRequest, Incoming, bad_request};
use crate::config::BatchingConfig;
use crate::pipeline::refusal::Refusal;
use crate::value::{JsonError, Object, Text, Value};

/// JSON, out of what `what` names.
pub(super) fn json(bytes: &[u8], what: &str) -> Result<Value, Refusal> {
    Value::parse(bytes).map_err(|error| match error {
        JsonError::Utf8(at) => bad_request(format!("{what} is not UTF-8: byte {at} begins no character")),
        error => bad_request(format!("{what} is not valid JSON: {error}")),
    })
}

/// One request, or a list of them.
pub(super) fn from_value(body: Value, batching: &BatchingConfig) -> Result<Incoming, Refusal> {
    match body {
        Value::List(requests) => batch(requests, batching).map(Incoming::Batch),
        body => Ok(Incoming::One(Box::new(GraphqlRequest::from_value(body)?))),
    }
}

/// The requests of a list. What is wrong with one is said in its place.
fn batch(
    requests: Vec<Value>,
    batching: &BatchingConfig,
) -> Result<Vec<Result<GraphqlRequest, Refusal>>, Refusal> {
    let (count, limit) = (requests.len(), batching.max_operations);
    let refused =
        |message: String| Err(Refusal::malformed(StatusCode::BAD_REQUEST, "BATCH_REFUSED", message));
    match count {
        _ if limit == 0 => {
            refused("batches are switched off here: send each operation in a request of its own".to_owned())
        }
        0 => refused("the batch is empty: it must have at least one operation".to_owned()),
        _ if count > limit => {
            refused(format!("the batch is too large: it has {count} operations, the limit is {limit}"))
        }
        _ => Ok(requests.into_iter().map(GraphqlRequest::from_value).collect()),
    }
}

impl GraphqlRequest {
    /// A request that came as JSON.
    pub(crate) fn from_value(body: Value) -> Result<Self, Refusal> {
        let Value::Object(mut parameters) = body else {
            return Err(bad_request(format!("a GraphQL request must be an object, not {}", body.kind())));
        };
        Ok(Self {
            is_safe: false,
            query: text(&mut parameters, "query")?,
            document_id: text(&mut parameters, "documentId")?,
            operation_name: text(&mut parameters, "operationName")?,
            variables: object(&mut parameters, "variables")?.map(Value::Object),
            extensions: object(&mut parameters, "extensions")?.unwrap_or_default(),
            is_made_here: false,
            uploads: None,
        })
    }
}

pub(super) fn from_url(query: &str) -> Result<GraphqlRequest, Refusal> {
    let mut parameters = Object::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name)?, decode(value)?);
        let value = match name.as_str() {
            "variables" | "extensions" => Value::parse(value.as_bytes())
                .map_err(|error| bad_request(format!("`{name}` is not valid JSON: {error}")))?,
            "query" | "documentId" | "operationName" => Value::from(value),
            _ => continue,
        };
        parameters.insert(name.into(), value);
    }
    let operation_name = text(&mut parameters, "operationName")?.filter(|name| !name.is_empty());
    Ok(GraphqlRequest {
        is_safe: true,
        query: text(&mut parameters, "query")?,
        document_id: text(&mut parameters, "documentId")?,
        operation_name,
        variables: object(&mut parameters, "variables")?.map(Value::Object),
        extensions: object(&mut parameters, "extensions")?.unwrap_or_default(),
        is_made_here: false,
        uploads: None,
    })
}

fn decode(text: &str) -> Result<String, Refusal> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    decoded.map(Into::into).map_err(|_| bad_request("the URL's query is not percent-encoded UTF-8"))
}

fn text(parameters: &mut Object, name: &str) -> Result<Option<Text>, Refusal> {
    match parameters.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(bad_request(format!("`{name}` must be a string, not {}", other.kind()))),
    }
}

fn object(parameters: &mut Object, name: &str) -> Result<Option<Object>, Refusal> {
    match parameters.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(object)) => Ok(Some(object)),
        Some(other) => Err(bad_request(format!("`{name}` must be an object, not {}", other.kind()))),
    }
}
