//! The faces that the API has beside GraphQL.

use std::sync::Arc;

use pulse_gateway::Surface;
use pulse_mcp::{Mcp, McpOptions};
use pulse_registry::{GraphqlAlone, SurfaceKind, SurfaceOperation, Surfaces};
use pulse_rest::{Mapping, Rest, RestError, RouteSummary, Routes};

use crate::exit::Failure;
use crate::settings::{McpSettings, RestSettings, Settings};

/// What of Pulse's own routes is not as the rules would have it.
const MAPPING: &str = include_str!("../../../schema/rest.toml");

/// The exceptions of Pulse's own routes.
pub fn mapping() -> Result<Mapping, RestError> {
    Mapping::read(MAPPING)
}

/// The faces of Pulse's own API, or of that of other subgraphs.
pub(crate) fn surfaces(settings: &Settings, is_own: bool) -> anyhow::Result<Vec<Arc<dyn Surface>>> {
    let McpSettings { enabled, url } = &settings.mcp;
    if !settings.rest.enabled && !enabled {
        return Ok(Vec::new());
    }
    let rest = Arc::new(Rest::new(chosen(&settings.rest, is_own)?));
    let mut surfaces: Vec<Arc<dyn Surface>> = Vec::new();
    if *enabled {
        let url = Some(url.clone()).filter(|url| !url.is_empty());
        let options = McpOptions { url, needs_credential: is_own || settings.gateway.jwt.is_used() };
        surfaces.push(Arc::new(Mcp::new(Arc::clone(&rest), options)));
    }
    if settings.rest.enabled {
        surfaces.push(rest);
    }
    Ok(surfaces)
}

fn chosen(settings: &RestSettings, is_own: bool) -> anyhow::Result<Mapping> {
    let file = &settings.mapping;
    if file.as_os_str().is_empty() {
        return if is_own { Ok(mapping()?) } else { Ok(Mapping::default()) };
    }
    let wrong = |why: String| Failure::Setting(format!("rest.mapping {}: {why}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
    Ok(Mapping::read(&text).map_err(|error| wrong(error.to_string()))?)
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
