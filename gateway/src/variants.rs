//! Other supergraphs than the usual one, such as those of pull requests: a request chooses one by a header. Each is loaded when it
//! is first asked for, follows its source, and goes when nobody has asked for it for a while.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use http::header::HeaderName;
use moka::future::Cache;
use tokio::task::JoinSet;

use crate::config::SupergraphConfig;
use crate::engine::{ErrorCode, Operation, OperationKind};
use crate::gateway::State;
use crate::pipeline::{Client, Refusal};
use crate::ports::SupergraphSource;
use crate::supergraph::{Loader, Supergraph};

/// So many are kept at once.
const MOST: u64 = 20;

/// So long one is kept that nobody asks for.
const IDLE: Duration = Duration::from_mins(15);

/// So long it is not tried again to load one that could not be.
const REFUSED: Duration = Duration::from_secs(10);

/// A name has at most so many characters.
const LONGEST_NAME: usize = 64;

/// The supergraph that a client's request chooses: nearly always the usual one.
pub(crate) async fn chosen(state: &State, client: &Client) -> Result<Arc<Supergraph>, Refusal> {
    let chosen = match &state.variants {
        Some(variants) => variants.chosen(&client.headers).await?,
        None => None,
    };
    Ok(chosen.unwrap_or_else(|| Arc::clone(&state.supergraph)))
}

/// Refuses what a variant cannot answer: streams, as it may go while they last.
pub(crate) fn check_operation(
    state: &State,
    supergraph: &Arc<Supergraph>,
    operation: &Operation,
) -> Result<(), Refusal> {
    let is_stream = operation.kind() == OperationKind::Subscription || operation.is_live();
    if is_stream && !Arc::ptr_eq(supergraph, &state.supergraph) {
        let text = "variants answer queries and mutations: leave out the header for streams";
        return Err(Refusal::error(ErrorCode::BadUserInput, text));
    }
    Ok(())
}

/// The supergraphs that requests may choose.
pub(crate) struct Variants {
    header: HeaderName,
    source: Arc<dyn SupergraphSource>,
    loader: Loader,
    known: Cache<String, Arc<Followed>>,
    /// Why the last ones could not be loaded.
    refused: Cache<String, Arc<str>>,
}

/// A supergraph, for as long as it is followed.
struct Followed {
    supergraph: Arc<Supergraph>,
    _following: JoinSet<()>,
}

impl Variants {
    /// Those of `source`, if requests may choose any.
    pub(crate) fn new(
        config: &SupergraphConfig,
        source: &Arc<dyn SupergraphSource>,
        loader: &Loader,
    ) -> Option<Self> {
        let header = HeaderName::try_from(&config.variant_header).ok()?;
        Some(Self {
            header,
            source: Arc::clone(source),
            loader: loader.clone(),
            known: Cache::builder().max_capacity(MOST).time_to_idle(IDLE).build(),
            refused: Cache::builder().max_capacity(1_000).time_to_live(REFUSED).build(),
        })
    }

    /// The supergraph that a request chooses; none for the usual one.
    async fn chosen(&self, headers: &HeaderMap) -> Result<Option<Arc<Supergraph>>, Refusal> {
        let Some(name) = headers.get(&self.header) else { return Ok(None) };
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_');
        let name = name.to_str().ok().filter(|name| {
            (1..=LONGEST_NAME).contains(&name.len())
                && name.chars().all(is_part)
                && name.starts_with(|letter: char| letter.is_ascii_alphanumeric())
        });
        let header = &self.header;
        let Some(name) = name else {
            return Err(Refusal::error(
                ErrorCode::BadUserInput,
                format!("`{header}` is no name of a variant"),
            ));
        };
        if let Some(why) = self.refused.get(name).await {
            return Err(refusal(name, &why));
        }
        match self.known.try_get_with(name.to_owned(), self.load(name)).await {
            Ok(followed) => Ok(Some(Arc::clone(&followed.supergraph))),
            Err(why) => {
                self.refused.insert(name.to_owned(), Arc::clone(&why)).await;
                Err(refusal(name, &why))
            }
        }
    }

    async fn load(&self, name: &str) -> Result<Arc<Followed>, Arc<str>> {
        let source = self.source.variant(name).ok_or("the supergraph's source has none")?;
        let supergraph = Supergraph::init(&*source, self.loader.clone()).await;
        let supergraph = Arc::new(supergraph.map_err(|error| error.to_string())?);
        let mut following = JoinSet::new();
        following.spawn(Arc::clone(&supergraph).follow(source));
        tracing::info!(variant = name, "serving a variant");
        Ok(Arc::new(Followed { supergraph, _following: following }))
    }
}

/// Why it cannot be served is for the log: the source's address is none of the client's business.
fn refusal(name: &str, why: &str) -> Refusal {
    tracing::warn!(variant = name, error = why, "a variant cannot be served");
    Refusal::error(ErrorCode::NotFound, format!("the variant {name} cannot be served now"))
}
