//! A request for a published operation.

use std::sync::Arc;

use axum::body::{Body, HttpBody};
use axum::response::Response;
use http::Method;
use http::request::Parts;
use pulse_gateway::value::{Object, Text, Value};
use pulse_gateway::{Answered, Call, Followed, SurfaceOperation};
use pulse_manifests::{OperationKind, PublishedOperation};

use super::{OPERATIONS, Shape};
use crate::answer::{self, Shown};
use crate::problem::Problem;
use crate::routes::Routes;
use crate::{matcher, operation, parameters};

/// Answers a request below the place of published operations.
pub(crate) async fn serve(
    routes: &Routes,
    call: &mut Call,
    path: &str,
    (mut parts, body): (Parts, Body),
) -> Result<Response, Problem> {
    let published = find(call, path, &parts).await?;
    let allowed: &[&str] = match published.kind {
        OperationKind::Query => &["GET", "HEAD", "POST"],
        OperationKind::Mutation => &["POST"],
        OperationKind::Subscription => &["GET"],
    };
    if !allowed.contains(&parts.method.as_str()) {
        return Err(Problem::method(&parts.method, allowed));
    }
    let shape = routes.shape(&published).map_err(|error| {
        // It fitted once, or was never valid; a request by GraphQL would say the same.
        Problem::bad(error.to_string())
    })?;
    let variables = if parts.method == Method::POST {
        in_body(&shape, call, (&mut parts, body)).await?
    } else {
        in_url(&shape, &parts)?
    };
    let document = Text::from(Arc::clone(&published.document));
    let asked = SurfaceOperation { document, variables: Value::Object(variables) };
    if published.kind == OperationKind::Subscription {
        return match call.follow(&parts, asked, |answered| operation::event(answered, &[])).await? {
            Followed::Events(response) => Ok(response),
            Followed::Ended(answered) => Err(Problem::of_errors(&answered.errors, answered.request_error)),
        };
    }
    let Answered { data, errors, request_error, headers } = call.execute(&parts, asked).await?;
    let Some(data) = data.filter(|_| errors.is_empty()) else {
        return Err(Problem::of_errors(&errors, request_error));
    };
    let shown = Shown { has_version: false, pages: false };
    Ok(match published.kind {
        OperationKind::Query => answer::read(shown, (&parts.uri, &parts.headers), data, headers),
        _ => answer::done(data, headers),
    })
}

/// The operation of a path, if the caller may send it.
async fn find(call: &Call, path: &str, parts: &Parts) -> Result<Arc<PublishedOperation>, Problem> {
    let names = path.strip_prefix(OPERATIONS).unwrap_or_default().trim_start_matches('/');
    let published = call.published(parts).await?;
    let found = names
        .split_once('/')
        .and_then(|(client, name)| published.find(&matcher::decoded(client), &matcher::decoded(name)));
    found.ok_or_else(|| {
        Problem::not_found(format!("there is no published operation at {path} that you may send"))
    })
}

fn in_url(shape: &Shape, parts: &Parts) -> Result<Object, Problem> {
    let query = operation::query(parts);
    let names: Vec<&str> = shape.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    operation::check_names(&names, &query)?;
    parameters::read(&shape.parameters, &[], &query)
}

async fn in_body(shape: &Shape, call: &Call, (parts, body): (&mut Parts, Body)) -> Result<Object, Problem> {
    operation::check_names(&[], &operation::query(parts))?;
    if body.size_hint().exact() == Some(0) && parts.headers.get(http::header::CONTENT_TYPE).is_none() {
        return operation::check_fields(&shape.variables, Object::new());
    }
    let given = operation::object(call, (parts, body)).await?;
    operation::check_fields(&shape.variables, given)
}
