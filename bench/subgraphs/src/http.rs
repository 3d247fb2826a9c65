//! The subgraphs over HTTP, as plainly as can be: what is measured is in front of them.

use async_graphql::{ObjectType, Request, Response, Schema, SubscriptionType};
use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use axum::routing::post;

use crate::schemas;

/// All four, each at `/NAME`.
pub fn router() -> Router {
    Router::new()
        .route("/accounts", endpoint(schemas::accounts::schema()))
        .route("/inventory", endpoint(schemas::inventory::schema()))
        .route("/products", endpoint(schemas::products::schema()))
        .route("/reviews", endpoint(schemas::reviews::schema()))
}

fn endpoint<Q, M, S>(schema: Schema<Q, M, S>) -> axum::routing::MethodRouter
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    post(async move |body: Bytes| {
        let response = match serde_json::from_slice::<Request>(&body) {
            Ok(request) => schema.execute(request).await,
            Err(error) => {
                Response::from_errors(vec![async_graphql::ServerError::new(error.to_string(), None)])
            }
        };
        let body = serde_json::to_vec(&response).expect("a response has only string keys");
        ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
    })
}
