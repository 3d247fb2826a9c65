//! Routes as operations of OpenAPI.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::schemas::Schemas;
use crate::mapping::Method;
use crate::route::{Does, Route};
use crate::routes::Ready;
use crate::schema::named;
use crate::selection::MAX_NAMES;
use crate::{batch, problem};

/// The statuses of problems that any request may come to, and what they mean.
const PROBLEMS: [(&str, &str); 15] = [
    ("400", "The request is wrong: `detail` says what would be right."),
    ("401", "Sign in, or refresh the token."),
    ("403", "Signed in, and the permission that `detail` names is missing."),
    ("404", "There is none, or none that the caller may see."),
    ("405", "The resource does not take this method; `Allow` says which it takes."),
    ("408", "The body came too slowly; the same request may succeed later."),
    ("409", "It contradicts what is stored."),
    ("412", "It has changed since the version that `If-Match` names."),
    ("413", "The body is too large."),
    ("414", "The address is too long."),
    ("415", "The body is not JSON."),
    ("429", "Too often, or too much at once; `Retry-After` says when again."),
    ("500", "A fault in Pulse; `requestId` finds it in the log."),
    ("503", "Something that is needed cannot be reached; the same request may succeed later."),
    ("504", "It took too long; the same request may succeed later."),
];

/// Under which the batch is listed.
pub(super) const BATCH_TAG: &str = "batch";

/// Several requests in one.
pub(super) fn batch() -> Value {
    let headers = json!({ "type": "object", "additionalProperties": { "type": "string" } });
    // What a head cannot have are control characters, but for the tab.
    let header = json!({ "type": "string", "pattern": "^[^\\x00-\\x08\\x0a-\\x1f\\x7f]*$" });
    let own: Map<String, Value> =
        batch::OF_ONE.iter().map(|name| (name.as_str().to_owned(), header.clone())).collect();
    let request = json!({
        "type": "object", "required": ["method", "path"], "additionalProperties": false,
        "properties": {
            "method": { "type": "string", "enum": batch::METHODS.map(Method::as_str) },
            "path": {
                "type": "string", "pattern": "^/[-0-9A-Za-z._~!$&'()*+,;=:@%/?]*$",
                "description": "Below `/api/v1`, such as `/entities?first=5`.",
            },
            "headers": {
                "type": "object", "properties": own, "additionalProperties": false,
                "description": "Those that are about one request; all others are the batch's.",
            },
            "body": {},
        },
    });
    let answer = json!({
        "type": "object", "required": ["status", "headers"],
        "properties": { "status": { "type": "integer" }, "headers": headers, "body": {} },
    });
    let list = |name: &str, item: Value| {
        json!({ "application/json": { "schema": {
            "type": "object", "required": [name], "properties": { name: { "type": "array", "items": item } },
            "additionalProperties": false,
        } } })
    };
    let problem = |status: &str| json!({ "$ref": format!("#/components/responses/{status}") });
    json!({ "post": {
        "operationId": "batch",
        "tags": [BATCH_TAG],
        "summary": "Several requests in one",
        "description": "Several requests in one, each answered as if it had come alone. Where one of them changes something, \
                        they run one after the other.",
        "requestBody": { "required": true, "content": list("requests", request) },
        "responses": {
            "200": { "description": "The answers, in the order of the requests.", "content": list("responses", answer) },
            "400": problem("400"), "408": problem("408"), "413": problem("413"), "414": problem("414"), "415": problem("415"),
        },
        // Who it is, each of the requests asks for itself.
        "security": [{ "accessToken": [] }, { "apiKey": [] }, {}],
    } })
}

/// The operation of a route.
pub(super) fn operation(route: &Route, is_open: bool, schemas: &mut Schemas<'_>) -> Value {
    let mut operation = Map::new();
    operation.insert("operationId".to_owned(), route.id.as_str().into());
    operation.insert("tags".to_owned(), json!([route.tag]));
    if let Some(description) = &route.description {
        operation.insert("summary".to_owned(), summary(description).into());
        operation.insert("description".to_owned(), description.as_str().into());
    }
    if let Some(reason) = &route.deprecated {
        operation.insert("deprecated".to_owned(), true.into());
        operation.insert("x-deprecated-reason".to_owned(), reason.as_str().into());
    }
    let mut parameters: Vec<Value> =
        route.parameters.iter().map(|parameter| schemas.parameter(parameter)).collect();
    parameters.extend(
        shared_parameters(route, schemas)
            .into_iter()
            .map(|name| json!({ "$ref": format!("#/components/parameters/{name}") })),
    );
    if !parameters.is_empty() {
        operation.insert("parameters".to_owned(), parameters.into());
    }
    if let Some(body) = &route.body {
        let schema = schemas.input(&body.fields);
        let content = json!({ "application/json": { "schema": schema } });
        operation
            .insert("requestBody".to_owned(), json!({ "required": body.is_required(), "content": content }));
    }
    operation.insert("responses".to_owned(), responses(route, schemas));
    if is_open {
        operation.insert("security".to_owned(), json!([]));
    }
    operation.into()
}

/// The first sentence.
fn summary(description: &str) -> String {
    let line = description.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    let end = line.find(". ").map_or(line.len(), |end| end);
    line[..end].trim_end_matches('.').to_owned()
}

/// The names of the parameters that are the same wherever they are.
fn shared_parameters(route: &Route, schemas: &Schemas<'_>) -> Vec<String> {
    let mut names = Vec::new();
    match route.does {
        Does::Reads if route.body.is_none() => names.push("IfNoneMatch"),
        Does::Reads => {}
        Does::Changes => {
            names.push("Prefer");
            names.extend(route.idempotency.as_ref().map(|_| "IdempotencyKey"));
            names.extend(route.precondition.as_ref().map(|_| "IfMatch"));
        }
        Does::Streams => names.push("LastEventId"),
    }
    let chosen =
        chosen(route, schemas).into_iter().flat_map(|ty| CHOOSING.map(|(name, _)| choosing(name, ty)));
    chosen.chain(names.into_iter().map(ToOwned::to_owned)).collect()
}

/// By which parameters a request chooses what it is shown.
const CHOOSING: [(&str, &str); 2] = [
    ("fields", "Only these fields, beside id and version; fields of fields with a dot, as in `source.name`."),
    ("include", "These fields besides the usual ones; of a list also `totalCount`."),
];

/// Under which name a parameter is kept that chooses among the fields of a type.
fn choosing(name: &str, ty: &str) -> String {
    format!("{name}Of{ty}")
}

/// The type whose fields a request to a route chooses from.
fn chosen<'r>(route: &'r Route, schemas: &Schemas<'_>) -> Option<&'r str> {
    let ty = named(&route.answer);
    (route.selects() && schemas.names_of_fields(ty).is_some()).then_some(ty)
}

/// Parameters that are the same wherever they are.
pub(super) fn parameters(ready: &[Ready], schemas: &Schemas<'_>) -> Map<String, Value> {
    let mut parameters = Map::new();
    let types: BTreeSet<&str> = ready.iter().filter_map(|ready| chosen(&ready.route, schemas)).collect();
    for ty in types {
        let names = schemas.names_of_fields(ty).unwrap_or_default();
        for (name, description) in CHOOSING {
            let items = json!({ "type": "string", "pattern": names });
            let schema = json!({ "type": "array", "items": items, "minItems": 1, "maxItems": MAX_NAMES });
            let parameter = json!({
                "name": name, "in": "query", "required": false, "description": description,
                "style": "form", "explode": false, "schema": schema,
            });
            parameters.insert(choosing(name, ty), parameter);
        }
    }
    for (key, name, description, pattern, example) in HEADERS {
        // Who reads a stream sends the one of these, who does not the others.
        let is_of = |ready: &Ready| shared_parameters(&ready.route, schemas).iter().any(|name| name == key);
        if ready.iter().any(is_of) {
            let mut parameter = json!({
                "name": name, "in": "header", "required": false, "description": description,
                "schema": { "type": "string" }, "example": example,
            });
            if let Some(pattern) = pattern {
                parameter["schema"]["pattern"] = pattern.into();
            }
            parameters.insert(key.to_owned(), parameter);
        }
    }
    parameters
}

/// Headers of requests: under which name each is kept, what it is called and for, what it may be, and an example.
const HEADERS: [(&str, &str, &str, Option<&str>, &str); 5] = [
    (
        "IfNoneMatch",
        "If-None-Match",
        "The `ETag` of the answer that the client has.",
        None,
        "\"7.0123456789abcdef01234567\"",
    ),
    (
        "IfMatch",
        "If-Match",
        "The `ETag` by which it was read, or its version in quotes: another one is refused.",
        Some("^(\\*|\"[0-9]+(\\.[0-9a-f]*)?\")$"),
        "\"7\"",
    ),
    (
        "IdempotencyKey",
        "Idempotency-Key",
        "The same key with the same request is done once; kept for a day.",
        Some("^[!-~]([ -~]{0,253}[!-~])?$"),
        "\"5b0e7a2c\"",
    ),
    ("Prefer", "Prefer", "`return=minimal` for no more than that it was done.", None, "return=minimal"),
    ("LastEventId", "Last-Event-ID", "Go on behind this event.", Some("^[!-~]([ -~]*[!-~])?$"), "1024"),
];

fn responses(route: &Route, schemas: &mut Schemas<'_>) -> Value {
    let mut responses = Map::new();
    let mut headers = Map::new();
    let text = |description: &str| json!({ "description": description, "schema": { "type": "string" } });
    let has_body = route.selects();
    if route.does != Does::Streams && has_body {
        headers
            .insert("ETag".to_owned(), text("What names this answer, or the version of what was changed."));
    }
    if route.pages() {
        headers.insert(
            "Link".to_owned(),
            text("Where the first, the next and the previous page are (RFC 8288)."),
        );
    }
    if route.location.is_some() {
        headers.insert("Location".to_owned(), text("Where it is found."));
    }
    let mut success = json!({ "description": if has_body { "As asked." } else { "It is done." } });
    if !headers.is_empty() {
        success["headers"] = headers.into();
    }
    if route.does == Does::Streams {
        let schema = json!({ "type": "string", "description": format!("Server-sent events, each of whose data is a {}.", named(&route.answer)) });
        success["content"] = json!({ "text/event-stream": { "schema": schema } });
    } else if has_body {
        success["content"] = json!({ "application/json": { "schema": schemas.present(&route.answer) } });
    }
    responses.insert(route.success.as_str().to_owned(), success);
    if route.does == Does::Reads && route.body.is_none() {
        responses.insert("304".to_owned(), json!({ "description": "The client has this answer already." }));
    }
    if route.does == Does::Changes && route.success.as_u16() == 200 {
        let description = "It is done, and there is nothing to show of it, or nothing was wanted.";
        responses.insert("204".to_owned(), json!({ "description": description }));
    }
    if let Some(gone) = (route.does == Does::Streams).then_some("410") {
        responses.insert(gone.to_owned(), json!({ "$ref": "#/components/responses/410" }));
    }
    for (status, _) in PROBLEMS {
        let is_of = match status {
            "412" => route.precondition.is_some(),
            "409" => route.does == Does::Changes,
            "408" | "413" | "415" => route.body.is_some(),
            "405" => false,
            _ => true,
        };
        if is_of {
            let reference = format!("#/components/responses/{status}");
            responses.insert(status.to_owned(), json!({ "$ref": reference }));
        }
    }
    responses.into()
}

/// The responses that are the same wherever they come.
pub(super) fn problems(has_published: bool) -> Value {
    let gone = ("410", "What comes behind the cursor is no longer kept: read it again.");
    let response = |(status, description): (&str, &str)| {
        let content =
            json!({ problem::MEDIA_TYPE: { "schema": { "$ref": "#/components/schemas/Problem" } } });
        (status.to_owned(), json!({ "description": description, "content": content }))
    };
    // Routes are described with their methods; of what is published one may know the address alone.
    let used = PROBLEMS.into_iter().filter(|(status, _)| has_published || *status != "405");
    used.chain([gone]).map(response).collect::<Map<_, _>>().into()
}

/// What went wrong (RFC 9457).
pub(super) fn problem() -> Value {
    let text = |description: &str| json!({ "type": "string", "description": description });
    json!({
        "type": "object",
        "description": "What went wrong (RFC 9457).",
        "required": ["type", "title", "status", "detail", "code"],
        "properties": {
            "type": text("Always `about:blank`: the code tells problems apart."),
            "title": text("The status in words."),
            "status": { "type": "integer", "description": "The status." },
            "detail": text("What is wrong, and what would be right."),
            "code": text("One of the codes of the API's errors."),
            "field": text("The parameter, header or field of the body that it concerns."),
            "requestId": text("Finds it in the log."),
            "errors": {
                "type": "array",
                "description": "Each error by itself.",
                "items": { "type": "object", "additionalProperties": true },
            },
        },
        "example": {
            "type": "about:blank", "title": "Bad Request", "status": 400, "code": "BAD_USER_INPUT", "field": "first",
            "detail": "the parameter `first` must be a whole number of 32 bits, not \"many\"",
        },
    })
}
