//! Whether operations can be sent to the API at all.

use std::sync::{Arc, OnceLock};

use graphql_tools::parser::{parse_query, parse_schema};
use graphql_tools::static_graphql::schema::Document as Schema;
use graphql_tools::validation::rules::default_rules_validation_plan;
use graphql_tools::validation::validate::validate;
use pulse_graphql::Error;
use pulse_manifests::ManifestOperation;

use super::ClientAppError;

/// The schema that clients see; read when it is first needed.
#[derive(Clone)]
pub struct Api(Arc<Later>);

struct Later {
    sdl: Box<dyn Fn() -> Result<String, String> + Send + Sync>,
    schema: OnceLock<Result<Schema, InvalidApi>>,
}

const BUILTIN: &str = "\nscalar Int\nscalar Float\nscalar String\nscalar Boolean\nscalar ID\n";

/// It is no schema.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the API's schema cannot be read: {0}")]
pub struct InvalidApi(String);

impl Api {
    /// The API whose SDL `sdl` writes, or says why it cannot.
    pub fn new(sdl: impl Fn() -> Result<String, String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(Later { sdl: Box::new(sdl), schema: OnceLock::new() }))
    }

    /// Lets through operations that are valid, all of them or none.
    pub(super) async fn check(
        &self,
        operations: Vec<ManifestOperation>,
    ) -> Result<Vec<ManifestOperation>, Error<ClientAppError>> {
        let later = Arc::clone(&self.0);
        // A large manifest takes a while.
        let checked = tokio::task::spawn_blocking(move || {
            let schema = later.schema().as_ref().map_err(Clone::clone)?;
            let problems: Vec<String> =
                operations.iter().filter_map(|operation| problem(schema, operation)).collect();
            Ok::<_, InvalidApi>((operations, problems))
        });
        let (operations, problems) = checked.await.map_err(Error::internal)?.map_err(Error::internal)?;
        match problems.first() {
            None => Ok(operations),
            Some(first) => {
                Err(ClientAppError::Invalid { count: problems.len(), first: first.clone() }.into())
            }
        }
    }
}

impl Later {
    fn schema(&self) -> &Result<Schema, InvalidApi> {
        self.schema.get_or_init(|| {
            // The specification's own scalars are in no SDL, and validation asks for them.
            let sdl = (self.sdl)().map_err(InvalidApi)? + BUILTIN;
            let schema = parse_schema(&sdl).map_err(|error| InvalidApi(error.to_string()))?;
            Ok(schema.into_static())
        })
    }
}

/// What is wrong with an operation.
fn problem(schema: &Schema, operation: &ManifestOperation) -> Option<String> {
    let named = |what: &str| format!("{} ({}): {what}", operation.name, operation.id);
    let document = match parse_query(&operation.document) {
        Ok(document) => document.into_static(),
        Err(error) => return Some(named(&error.to_string())),
    };
    let errors = validate(schema, &document, &default_rules_validation_plan());
    errors.first().map(|error| named(&error.message))
}
