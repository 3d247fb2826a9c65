//! The routes of one supergraph, ready to be asked.

use moka::sync::Cache;
use pulse_gateway::value::Text;

use crate::RestError;
use crate::derive::derive;
use crate::mapping::Mapping;
use crate::matcher::Matcher;
use crate::openapi::Documents;
use crate::problem::Problem;
use crate::published::Shapes;
use crate::route::Route;
use crate::schema::{Schema, named};
use crate::selection::{Selecting, Wanted};

/// How many documents of chosen selections are kept.
const KEPT_DOCUMENTS: u64 = 2_000;

/// The routes that follow from a supergraph and a mapping.
pub struct Routes {
    pub(crate) schema: Schema,
    pub(crate) mapping: Mapping,
    pub(crate) matcher: Matcher,
    pub(crate) ready: Vec<Ready>,
    chosen: Cache<(usize, Wanted), Text>,
    pub(crate) documents: Documents,
    pub(crate) shapes: Shapes,
}

/// A route and the documents that most of its requests need.
pub(crate) struct Ready {
    pub(crate) route: Route,
    usual: Text,
    /// For who wants no more than that it was done.
    least: Text,
    /// Whether what it answers has a version.
    pub(crate) has_version: bool,
}

/// What a route is, in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteSummary {
    /// The operation's name.
    pub id: String,
    /// The method.
    pub method: &'static str,
    /// The path below the root of the API.
    pub path: String,
    /// The document that a request which chooses nothing becomes.
    pub document: String,
    /// By which fields of the answer's data one comes to what the route answers.
    pub keys: Vec<String>,
}

impl Routes {
    /// Derives them.
    pub fn derive(supergraph: &str, mapping: &Mapping) -> Result<Self, RestError> {
        let schema = Schema::of_supergraph(supergraph)?;
        let routes = derive(&schema, mapping)?;
        let selecting = Selecting { schema: &schema, mapping };
        let mut matcher = Matcher::default();
        let mut ready = Vec::with_capacity(routes.len());
        for (index, route) in routes.into_iter().enumerate() {
            matcher.add(route.method, &route.path, index);
            let ty = named(&route.answer);
            let usual = selecting
                .of(ty, route.is_payload, &Wanted::default())
                .map_err(|_| RestError::Schema(format!("{} has nothing to select", route.id)))?;
            let least = if schema.is_leaf(&route.answer) { String::new() } else { selecting.least(ty) };
            let has_version = selecting.has_version(ty) && !crate::schema::is_list(&route.answer);
            let (usual, least) = (document(&route, &usual), document(&route, &least));
            ready.push(Ready { route, usual, least, has_version });
        }
        let (mapping, chosen) = (mapping.clone(), Cache::new(KEPT_DOCUMENTS));
        Ok(Self {
            schema,
            mapping,
            matcher,
            ready,
            chosen,
            documents: Documents::default(),
            shapes: Shapes::default(),
        })
    }

    /// All of them, in the order of the schema.
    pub fn summaries(&self) -> Vec<RouteSummary> {
        let summary = |ready: &Ready| RouteSummary {
            id: ready.route.id.clone(),
            method: ready.route.method.as_str(),
            path: ready.route.path.clone(),
            document: ready.usual.to_string(),
            keys: ready.route.keys.clone(),
        };
        self.ready.iter().map(summary).collect()
    }

    /// The document of a route for a selection; made once.
    pub(crate) fn document(&self, index: usize, wanted: Wanted) -> Result<Text, Problem> {
        let Ready { route, usual, .. } = &self.ready[index];
        if wanted == Wanted::default() {
            return Ok(usual.clone());
        }
        let key = (index, wanted);
        if let Some(known) = self.chosen.get(&key) {
            return Ok(known);
        }
        let selecting = Selecting { schema: &self.schema, mapping: &self.mapping };
        let made = document(route, &selecting.of(named(&route.answer), route.is_payload, &key.1)?);
        self.chosen.insert(key, made.clone());
        Ok(made)
    }

    /// The document of a route for who wants no answer.
    pub(crate) fn least(&self, index: usize) -> Text {
        self.ready[index].least.clone()
    }
}

fn document(route: &Route, selection: &str) -> Text {
    let Route { head, tail, .. } = route;
    format!("{head}{selection}{tail}").into()
}
