//! Scalars that more than one subgraph has.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use serde::{Deserialize, Serialize};

/// A JSON object with any content.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JsonObject(pub serde_json::Map<String, serde_json::Value>);

/// A JSON object with any content.
#[Scalar(name = "JSONObject", specified_by_url = "https://www.rfc-editor.org/rfc/rfc8259#section-4")]
impl ScalarType for JsonObject {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value.into_json() {
            Ok(serde_json::Value::Object(object)) => Ok(Self(object)),
            Ok(_) => Err(InputValueError::custom("expected a JSON object")),
            Err(error) => Err(InputValueError::custom(format!("not JSON: {error}"))),
        }
    }

    fn to_value(&self) -> Value {
        Value::from_json(serde_json::Value::Object(self.0.clone())).unwrap_or_default()
    }
}

impl From<JsonObject> for serde_json::Value {
    fn from(object: JsonObject) -> Self {
        Self::Object(object.0)
    }
}
