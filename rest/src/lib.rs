#![doc = include_str!("../README.md")]

mod answer;
mod batch;
mod conditions;
mod derive;
mod docs;
mod mapping;
mod matcher;
mod names;
mod openapi;
mod operation;
mod parameters;
mod problem;
mod published;
mod route;
mod routes;
mod schema;
mod selection;
mod surface;

pub use mapping::{Mapping, Method};
pub use openapi::Version;
pub use published::Shape;
pub use routes::{RouteSummary, Routes};
pub use surface::Rest;

/// Where the API is.
pub const ROOT: &str = "/api/v1";

/// Where several requests are taken at once, below that.
const BATCH: &str = "/batch";

/// Why there are no routes.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RestError {
    /// The supergraph cannot be read.
    #[error("the schema cannot be read: {0}")]
    Schema(String),
    /// A published operation does not fit the schema.
    #[error("the operation {0} does not fit the schema: {1}")]
    Operation(String, String),
    /// The mapping says what cannot be.
    #[error("the mapping of REST cannot be used: {0}")]
    Mapping(String),
}
