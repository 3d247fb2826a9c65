//! A route: what a request to one place by one method means.

use async_graphql_parser::types::Type as TypeRef;
use http::StatusCode;
use pulse_gateway::value::Text;

use crate::mapping::Method;
use crate::parameters::Parameter;
use crate::schema::Field;

/// What a route does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Does {
    /// Reads.
    Reads,
    /// Changes.
    Changes,
    /// Tells of events as they come.
    Streams,
}

/// A route, and the operation that its requests become.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    /// What the operation is called, here and in GraphQL.
    pub(crate) id: String,
    pub(crate) does: Does,
    pub(crate) method: Method,
    /// Below the root of the API, such as `/entities/{id}`.
    pub(crate) path: String,
    /// Under which it is listed in documents.
    pub(crate) tag: String,
    pub(crate) description: Option<String>,
    pub(crate) deprecated: Option<String>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: Option<RequestBody>,
    /// By which fields of the answer's data one comes to what is answered.
    pub(crate) keys: Vec<String>,
    /// What is answered.
    pub(crate) answer: TypeRef,
    /// Whether it is all that a mutation answers.
    pub(crate) is_payload: bool,
    pub(crate) success: StatusCode,
    /// Where what it made is found, by its id.
    pub(crate) location: Option<String>,
    /// The variable that takes `Idempotency-Key`.
    pub(crate) idempotency: Option<Vec<Text>>,
    /// The variable that takes the version out of `If-Match`.
    pub(crate) precondition: Option<Vec<Text>>,
    /// The document up to the selection, and behind it.
    pub(crate) head: String,
    pub(crate) tail: String,
}

/// What a request's body is.
#[derive(Debug, Clone)]
pub(crate) struct RequestBody {
    /// The variable whose fields the body's are; the variables themselves, where there is none.
    pub(crate) variable: Option<Text>,
    pub(crate) fields: Vec<Field>,
}

impl RequestBody {
    /// Whether there has to be one.
    pub(crate) fn is_required(&self) -> bool {
        self.fields.iter().any(Field::is_required)
    }
}

impl Route {
    /// Whether it answers pages.
    pub(crate) fn pages(&self) -> bool {
        let has = |name| self.parameters.iter().any(|parameter| parameter.name == name);
        has("first") && has("after")
    }

    /// Whether `fields` and `include` choose what it answers.
    pub(crate) fn selects(&self) -> bool {
        self.success != StatusCode::NO_CONTENT
    }

    /// The names of what it takes behind the question mark.
    pub(crate) fn query_names(&self) -> Vec<&str> {
        let names = self.parameters.iter().filter(|parameter| !parameter.is_in_path);
        let mut names: Vec<&str> = names.map(|parameter| parameter.name.as_str()).collect();
        if self.selects() {
            names.extend(["fields", "include"]);
        }
        names
    }
}
