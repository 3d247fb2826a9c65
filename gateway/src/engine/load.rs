//! Supergraphs into planners.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use graphql_tools::static_graphql::schema as sdl;
use hive_router_query_planner::planner::{Planner, QueryPlannerOptions};
use hive_router_query_planner::utils::parsing::safe_parse_schema;
use rustc_hash::FxHashMap;

use super::caching::Hints;
use super::cost::Weights;
use super::{LoadError, inputs, upgrade};
use crate::ports::Subgraph;

/// What is read from a supergraph.
pub(super) struct Loaded {
    pub(super) planner: Planner,
    pub(super) weights: Weights,
    /// What may be kept, and by whom.
    pub(super) hints: Hints,
    /// The names of paging arguments.
    pub(super) slicing: BTreeSet<String>,
    /// The supergraph's document.
    pub(super) document: sdl::Document,
}

/// Builds the planner. It may panic on supergraphs that it does not expect; such a one is refused.
pub(super) fn load(sdl: &str) -> Result<Loaded, LoadError> {
    let mut document = safe_parse_schema(sdl).map_err(|error| LoadError::Syntax(error.to_string()))?;
    upgrade::upgrade(&mut document)?;
    let slicing = inputs::slicing_arguments(&document);
    let weights = Weights::take(&mut document)?;
    let hints = Hints::take(&mut document);
    let build = || Planner::new_from_supergraph(&document, QueryPlannerOptions::default());
    match catch_unwind(AssertUnwindSafe(build)) {
        Ok(Ok(planner)) => Ok(Loaded { planner, weights, hints, slicing, document }),
        Ok(Err(error)) => Err(LoadError::Planner(error.to_string())),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            Err(LoadError::Planner(text.unwrap_or("it panicked").to_owned()))
        }
    }
}

/// Refuses a supergraph that names a subgraph which nobody serves.
pub(super) fn check_served(
    planner: &Planner,
    served: &FxHashMap<Arc<str>, Arc<dyn Subgraph>>,
) -> Result<(), LoadError> {
    let mut needed: Vec<&String> = planner.supergraph.known_subgraphs.values().collect();
    needed.sort_unstable();
    let missing = needed.into_iter().find(|name| !served.contains_key(name.as_str()));
    missing.map_or(Ok(()), |needed| {
        let mut served: Vec<_> = served.keys().map(|name| format!("`{name}`")).collect();
        served.sort_unstable();
        let served = if served.is_empty() {
            "nothing is served".into()
        } else {
            format!("only {} is served", served.join(", "))
        };
        Err(LoadError::MissingSubgraph { needed: needed.clone(), served })
    })
}
