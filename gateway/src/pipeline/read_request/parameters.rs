//! The parameters of a GraphQL request, by name.

use percent_encoding::percent_decode_str;

use super::{GraphqlRequest, bad_request};
use crate::pipeline::refusal::Refusal;
use crate::value::{JsonError, Object, Text, Value};

pub(super) fn from_json(bytes: &[u8]) -> Result<GraphqlRequest, Refusal> {
    let body = Value::parse(bytes).map_err(|error| match error {
        JsonError::Utf8(at) => {
            bad_request(format!("the request's body is not UTF-8: byte {at} begins no character"))
        }
        error => bad_request(format!("the request's body is not valid JSON: {error}")),
    })?;
    GraphqlRequest::from_value(body)
}

impl GraphqlRequest {
    /// A request that came as JSON.
    pub(crate) fn from_value(body: Value) -> Result<Self, Refusal> {
        let mut parameters = match body {
            Value::Object(parameters) => parameters,
            Value::List(_) => {
                return Err(bad_request(
                    "batches are not supported: send each operation in a request of its own",
                ));
            }
            other => {
                return Err(bad_request(format!(
                    "the request's body must be an object, not {}",
                    other.kind()
                )));
            }
        };
        Ok(Self {
            is_safe: false,
            query: text(&mut parameters, "query")?,
            document_id: text(&mut parameters, "documentId")?,
            operation_name: text(&mut parameters, "operationName")?,
            variables: object(&mut parameters, "variables")?.map(Value::Object),
            extensions: object(&mut parameters, "extensions")?.unwrap_or_default(),
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
