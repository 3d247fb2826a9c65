//! Operations that clients published, each a resource of its own: `/api/v1/ops/{client}/{name}`.

mod serve;
mod shape;

use std::sync::Arc;

use moka::sync::Cache;
use pulse_manifests::{ClientOperations, PublishedOperation, TextHash};

use crate::RestError;
use crate::routes::Routes;

pub(crate) use serve::serve;
pub use shape::Shape;

/// Where they are, below the root of the API.
pub(crate) const OPERATIONS: &str = "/ops";

/// How many shapes are kept.
const KEPT_SHAPES: u64 = 5_000;

/// The shapes of operations over one supergraph.
pub(crate) struct Shapes(Cache<TextHash, Result<Arc<Shape>, RestError>>);

impl Default for Shapes {
    fn default() -> Self {
        Self(Cache::new(KEPT_SHAPES))
    }
}

impl Routes {
    /// What an operation takes and answers, as far as the schema that is served has it.
    pub fn shape(&self, operation: &PublishedOperation) -> Result<Arc<Shape>, RestError> {
        let key = TextHash::of(&operation.document);
        self.shapes.0.get_with(key, || Shape::of(&self.schema, operation).map(Arc::new))
    }
}

/// Where an operation of a client is, below the root of the API.
pub(crate) fn path(client: &ClientOperations, operation: &PublishedOperation) -> String {
    let part: String = url::form_urlencoded::byte_serialize(client.name().as_bytes()).collect();
    format!("{OPERATIONS}/{}/{}", part.replace('+', "%20"), operation.name)
}
