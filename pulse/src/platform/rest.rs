//! The REST face of the API.

use std::sync::Arc;

use pulse_gateway::Surface;
use pulse_registry::{GraphqlAlone, SurfaceKind, SurfaceOperation, Surfaces};
use pulse_rest::{Mapping, Rest, RestError, RouteSummary, Routes};

use crate::exit::Failure;
use crate::settings::RestSettings;

/// What of Pulse's own routes is not as the rules would have it.
const MAPPING: &str = include_str!("../../../schema/rest.toml");

/// The exceptions of Pulse's own routes.
pub fn mapping() -> Result<Mapping, RestError> {
    Mapping::read(MAPPING)
}

/// The faces that an API has beside GraphQL: Pulse's own, or that of other subgraphs.
pub(crate) fn surfaces(settings: &RestSettings, is_own: bool) -> anyhow::Result<Vec<Arc<dyn Surface>>> {
    if !settings.enabled {
        return Ok(Vec::new());
    }
    let file = &settings.mapping;
    let mapping = if !file.as_os_str().is_empty() {
        let text = std::fs::read_to_string(file)
            .map_err(|error| Failure::Setting(format!("rest.mapping {}: {error}", file.display())))?;
        Mapping::read(&text)
            .map_err(|error| Failure::Setting(format!("rest.mapping {}: {error}", file.display())))?
    } else if is_own {
        mapping()?
    } else {
        Mapping::default()
    };
    Ok(vec![Arc::new(Rest::new(mapping))])
}

/// What checks of schemas have to know of REST: the routes that a supergraph of a tenant's own graph would have.
pub(super) fn routes_of_others(settings: &RestSettings) -> Arc<dyn Surfaces> {
    if settings.enabled { Arc::new(RoutesOfOthers) } else { Arc::new(GraphqlAlone) }
}

/// Routes by the rules alone: a graph that has exceptions keeps them at its own gateway.
#[derive(Debug)]
struct RoutesOfOthers;

impl Surfaces for RoutesOfOthers {
    fn operations(&self, supergraph: &str) -> Vec<SurfaceOperation> {
        let Ok(routes) = Routes::derive(supergraph, &Mapping::default()) else { return Vec::new() };
        let operation = |route: RouteSummary| SurfaceOperation {
            kind: SurfaceKind::RestRoute,
            name: format!("{} {}", route.method, route.path),
            document: route.document,
        };
        routes.summaries().into_iter().map(operation).collect()
    }
}
