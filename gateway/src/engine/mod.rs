//! The execution engine: everything between a document's text and a response's bytes. One [`Engine`] serves one version
//! of the supergraph.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::stream::BoxStream;
use http::{HeaderMap, HeaderValue};
use metrics::counter;
use moka::future::Cache;
use pulse_types::Caller;
use rustc_hash::FxHashMap;

use crate::changes::Reads;
use crate::ports::{Subgraph, SupergraphSdl};
use crate::response_cache::{Kept, Reuse};
use crate::uploads::Uploads;
use crate::value::{Object, Value};

mod aliases;
mod authorization;
mod caching;
mod conditions;
mod cost;
mod error;
mod execute;
mod expansion;
mod inputs;
mod introspection;
mod leaf;
mod limits;
mod live;
mod load;
mod meta_fields;
mod operation;
mod plan;
mod planning;
mod probe;
mod project;
mod requests;
mod reserved;
mod response;
mod schema;
mod selection;
mod source;
mod subscription;
mod typenames;
mod upgrade;
mod usage;
mod variables;
mod variant;
mod warm_up;
mod workers;

use aliases::TakenNames;
use caching::Policies;
use cost::Pricing;
use operation::Preparer;
use planning::Planning;
use response::Shared;
use schema::{Schema, TypeConditions};
use source::EventFields;
use variant::{PlanKey, PlanKeyRef};

pub use authorization::{Denied, DeniedField, PolicyScopes};
pub use caching::{CachePolicy, CachingRules, Unstated};
pub use cost::{Cost, CostRules, Estimate, Toll};
pub use error::{ErrorCode, LoadError, Location, RequestError};
pub use execute::Masking;
pub use inputs::InputLimits;
pub use live::LiveOptions;
pub(crate) use operation::Kept as KeptOperation;
pub use operation::Operation;
pub use probe::Probe;
pub use source::{Resumption, SharingScope};
pub use subscription::{Asked, Source, Subscription};
pub use variant::{ActiveOverrides, OverrideLabels, PlanVariant, Share};
pub use warm_up::{MostUsed, WarmedUp};

/// What bounds the engine's work.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// How many planned operations are kept.
    pub plan_cache_size: u64,
    /// How much memory they may take together, about, in bytes.
    pub plan_cache_memory: u64,
    /// How long planning one operation may take.
    pub planning_timeout: Duration,
    /// How many operations may be planned or wait for it at once.
    pub planning_queue: usize,
    /// How deeply fields may be nested, fragments followed.
    pub max_depth: usize,
    /// How many aliases an operation may use, fragments followed.
    pub max_aliases: usize,
    /// How many root fields an operation may select, fragments followed.
    pub max_root_fields: usize,
    /// How many directives an operation may use, fragments followed.
    pub max_directives: usize,
    /// How many tokens a document may have.
    pub max_tokens: usize,
    /// How many fields an operation may select, fragments followed.
    pub max_fields: usize,
    /// Whether errors tell clients which subgraph they are from.
    pub name_subgraphs_in_errors: bool,
    /// How costs are counted.
    pub cost: CostRules,
    /// How long lists and pages may be.
    pub inputs: InputLimits,
    /// Which texts of subgraphs' errors clients see.
    pub masking: Masking,
    /// Whether queries may be `@live`.
    pub live_queries: bool,
    /// What may be kept of answers; `None` for nothing.
    pub caching: Option<CachingRules>,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            plan_cache_size: 4096,
            plan_cache_memory: 16_000_000,
            planning_timeout: Duration::from_secs(2),
            planning_queue: 1000,
            max_depth: 20,
            max_aliases: 100,
            max_root_fields: 30,
            max_directives: 100,
            max_tokens: 10_000,
            max_fields: 5_000,
            name_subgraphs_in_errors: true,
            cost: CostRules::default(),
            inputs: InputLimits::default(),
            masking: Masking::default(),
            live_queries: false,
            caching: None,
        }
    }
}

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OperationKind {
    /// Reads.
    Query,
    /// Changes; its root fields run one after the other.
    Mutation,
    /// Streams events.
    Subscription,
}

impl OperationKind {
    /// The keyword of the GraphQL language.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Mutation => "mutation",
            Self::Subscription => "subscription",
        }
    }
}

/// What one execution needs beside the operation and its variables.
#[derive(Debug, Clone)]
pub struct ExecutionContext {
    /// Who asks.
    pub caller: Arc<Caller>,
    /// The head of the client's request, for subgraphs that are to see some of it.
    pub headers: Arc<HeaderMap>,
    /// When the answer is no longer of use.
    pub deadline: Instant,
    /// Files that the variables refer to.
    pub uploads: Option<Uploads>,
    /// Whether the response's `extensions` carry the plan and the fetches.
    pub include_plan: bool,
    /// The estimated cost that the response's `extensions` are to tell, beside the actual one.
    pub tell_cost: Option<Estimate>,
    /// Who pays for a subscription's events.
    pub toll: Option<Arc<dyn Toll>>,
    /// Whether the result is to say what it was made of, and how many tags are told apart in it.
    pub tag_limit: Option<usize>,
}

/// An executed operation.
#[derive(Debug, Clone, Default)]
pub struct ExecutionResult {
    /// The whole response: `{"data":…,"errors":…,"extensions":…}`.
    pub body: Bytes,
    /// How many errors it has.
    pub errors: usize,
    /// Whether `data` is `null`.
    pub data_is_null: bool,
    /// Whether the request itself was at fault (its variables): there is no `data`, and HTTP answers 400.
    pub request_error: bool,
    /// What was asked of subgraphs, in the order in which the answers came.
    pub fetches: Vec<FetchReport>,
    /// What it cost, where costs are counted.
    pub cost: Option<Cost>,
    /// Whether it is the result of an equal query that was under way.
    pub is_shared: bool,
    /// Headers for the client, beside those that say what the body is.
    pub headers: HeaderMap,
    /// Where the source of this event is, when this answers one whose source says so.
    pub cursor: Option<Arc<Value>>,
    /// What it was made of, when that was asked for.
    pub reads: Option<Arc<Reads>>,
    /// What became of it where answers are kept; `None` when it may not be.
    pub cached: Option<Box<Cached>>,
}

/// What became of a query where answers are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cached {
    /// It was run, for this reason.
    Miss(&'static str),
    /// It was not run: an answer was there.
    Hit {
        /// The answer's `Cache-Control`, as far as it does not depend on who asks.
        told: Option<HeaderValue>,
        /// How many seconds old it is.
        age: u64,
    },
}

/// One request to a subgraph.
#[derive(Debug, Clone)]
pub struct FetchReport {
    /// The subgraph's name.
    pub subgraph: Arc<str>,
    /// How long its answer took.
    pub duration: Duration,
    /// How many entities were asked for; zero for a root fetch.
    pub entities: usize,
    /// How many errors it answered with; a fault counts as one.
    pub errors: usize,
    /// The head of its answer; empty for a subgraph in this process.
    pub headers: Arc<HeaderMap>,
    /// Whether it was not asked, as its answer was kept.
    pub from_cache: bool,
    /// For how long its answer is kept, if it is.
    pub(crate) kept: Option<Kept>,
}

/// Plans and executes operations over one version of the supergraph.
pub struct Engine {
    preparer: Arc<Preparer>,
    planning: Planning,
    plans: Cache<PlanKey, Arc<Operation>>,
    labels: OverrideLabels,
}

impl Engine {
    /// Reads a supergraph and builds the planner over it. Every subgraph that the supergraph names must be served.
    pub fn load(
        supergraph: &SupergraphSdl,
        subgraphs: Vec<Arc<dyn Subgraph>>,
        config: &EngineConfig,
    ) -> Result<Self, LoadError> {
        let load::Loaded { mut planner, weights, hints, slicing, document } = load::load(&supergraph.sdl)?;
        let subgraphs: FxHashMap<Arc<str>, _> =
            subgraphs.into_iter().map(|subgraph| (subgraph.name().into(), subgraph)).collect();
        load::check_served(&planner, &subgraphs)?;
        let labels = OverrideLabels::of(&planner);
        let is_live = config.live_queries && live::define(&mut planner);
        let rules = config.cost.clone();
        let supergraph = (rules.counted && rules.by_subgraph).then(|| Schema::new(&document));
        let authorization = authorization::Rules::read(&document);
        let mut schema = Schema::new(&planner.consumer_schema.document);
        schema.hide(|name| authorization.names.is_machinery(name));
        let preparer = Preparer {
            events: EventFields::of(&document, schema.subscription.as_deref(), &hints),
            policies: config.caching.clone().map(|rules| {
                let schema = Schema::new(&document);
                Policies { rules, hints, schema }
            }),
            pricing: rules.counted.then_some(Pricing { rules, weights, supergraph }),
            schema: Arc::new(schema),
            authorization,
            inputs: inputs::Inputs::new(&config.inputs, slicing),
            masking: Arc::new(config.masking.clone()),
            conditions: Arc::new(TypeConditions::new(&planner.supergraph)),
            taken: TakenNames::of(&planner.supergraph),
            planner,
            subgraphs,
            rules: operation::validation_rules(),
            is_live,
            config: config.clone(),
        };
        let plans = Self::plan_cache(config);
        Ok(Self { preparer: Arc::new(preparer), planning: Planning::new(), plans, labels })
    }

    /// Bounded by number and by memory: an operation that is larger than its share counts as several.
    fn plan_cache(config: &EngineConfig) -> Cache<PlanKey, Arc<Operation>> {
        let share = (config.plan_cache_memory / config.plan_cache_size.max(1)).max(1);
        let weight = move |_: &PlanKey, operation: &Arc<Operation>| {
            u32::try_from((operation.usage.size as u64).div_ceil(share)).unwrap_or(u32::MAX).max(1)
        };
        Cache::builder().max_capacity(config.plan_cache_size).weigher(weight).build()
    }

    /// How many planned operations are kept just now.
    pub async fn planned_operations(&self) -> u64 {
        self.plans.run_pending_tasks().await;
        self.plans.entry_count()
    }

    /// The labels of progressive `@override` that the supergraph uses.
    pub const fn override_labels(&self) -> &OverrideLabels {
        &self.labels
    }

    /// Parses, checks and plans an operation, or finds it planned already. No label of an `@override` is on.
    pub async fn prepare(
        &self,
        document: &str,
        operation_name: Option<&str>,
    ) -> Result<Arc<Operation>, Vec<RequestError>> {
        self.prepare_variant(document, operation_name, &PlanVariant::default()).await
    }

    /// Parses, checks and plans a variant of an operation, or finds it planned already.
    pub async fn prepare_variant(
        &self,
        document: &str,
        operation_name: Option<&str>,
        variant: &PlanVariant,
    ) -> Result<Arc<Operation>, Vec<RequestError>> {
        self.find_or_prepare(document, operation_name, variant).await.map(|(operation, _)| operation)
    }

    /// The same, and whether it was planned already.
    pub async fn find_or_prepare(
        &self,
        document: &str,
        operation_name: Option<&str>,
        variant: &PlanVariant,
    ) -> Result<(Arc<Operation>, bool), Vec<RequestError>> {
        let name = operation_name.filter(|name| !name.is_empty());
        let key = PlanKeyRef { document, name, variant };
        if let Some(known) = self.plans.get(&key).await {
            counter!("pulse_gateway_plan_cache_total", "outcome" => "hit").increment(1);
            known.usage.count();
            return Ok((known, true));
        }
        counter!("pulse_gateway_plan_cache_total", "outcome" => "miss").increment(1);
        let planning = self.planning.prepare(&self.preparer, key);
        let planned = Box::pin(self.plans.try_get_with(key.to_key(), planning)).await;
        let planned = planned.map_err(|errors| errors.as_ref().clone())?;
        planned.usage.count();
        Ok((planned, false))
    }

    /// What an operation costs at most with these variables. `None` where costs are not counted, or where the variables are
    /// wrong, which the execution will say.
    pub fn estimate(&self, operation: &Operation, variables: Option<&Value>) -> Option<Estimate> {
        let cost = operation.cost.as_ref()?;
        let variables = self.coerced(operation, variables).ok()?;
        Some(cost.estimate(&variables))
    }

    /// What of an operation is denied to a caller; `None` when nothing is.
    pub fn denied(&self, operation: &Operation, caller: &Caller, policies: &PolicyScopes) -> Option<Denied> {
        let needed = operation.selection.needed.as_slice();
        if needed.is_empty() {
            return None;
        }
        Denied::to(caller, &self.preparer.authorization, needed, policies)
    }

    /// The fields of an operation without which it was planned, but for those that `@skip` or `@include` leave out.
    pub fn denied_fields(&self, operation: &Operation, variables: Option<&Value>) -> Vec<DeniedField> {
        // Variables that are no good are refused when the operation runs.
        self.coerced(operation, variables)
            .map_or_else(|_| Vec::new(), |given| authorization::denied_fields(&operation.selection, &given))
    }

    /// The values of an operation's variables, and of those that the gateway makes of them.
    fn coerced(&self, operation: &Operation, given: Option<&Value>) -> Result<Object, Vec<RequestError>> {
        let mut variables = variables::coerce(&self.preparer.schema, &operation.variables, given)?;
        conditions::derive(&operation.derived, &mut variables);
        Ok(variables)
    }

    /// The same, within the limits.
    fn variables(&self, operation: &Operation, given: Option<&Value>) -> Result<Object, Vec<RequestError>> {
        let variables = self.coerced(operation, given)?;
        let checked = self.preparer.inputs.check_variables(&operation.paging, &variables);
        checked.map(|()| variables).map_err(|error| vec![error])
    }

    /// How the client wants the answers of an operation that is `@live`; `None` for any other. The error says what is wrong
    /// with the variables.
    pub fn live(
        &self,
        operation: &Operation,
        variables: Option<&Value>,
    ) -> Result<Option<LiveOptions>, Vec<RequestError>> {
        let Some(live) = &operation.live else { return Ok(None) };
        let variables = self.variables(operation, variables)?;
        live.options(&variables).map(Some).map_err(|error| vec![error])
    }

    /// Runs a query or a mutation. `variables` is an object, `null` or absent.
    pub async fn execute(
        &self,
        operation: &Operation,
        variables: Option<Value>,
        context: ExecutionContext,
    ) -> ExecutionResult {
        self.execute_with(operation, variables, (context, None)).await
    }

    /// The same, with what is kept of subgraphs' answers.
    pub(crate) async fn execute_with(
        &self,
        operation: &Operation,
        variables: Option<Value>,
        (context, reuse): (ExecutionContext, Option<Reuse>),
    ) -> ExecutionResult {
        if operation.kind() == OperationKind::Subscription {
            let text = "subscriptions need a transport that streams: use WebSocket or server-sent events";
            return response::refused(&[RequestError::new(ErrorCode::BadUserInput, text)]);
        }
        let shared = Shared::new(&self.preparer);
        match self.variables(operation, variables.as_ref()) {
            Ok(variables) => {
                if let (Some(uploads), Some(plan)) = (&context.uploads, &operation.plan) {
                    uploads.expect_calls(plan.requests().iter().map(|request| request.given(&variables)));
                }
                shared.execute(operation, &variables, (&context, reuse.as_ref()), None).await
            }
            Err(errors) => response::refused(&errors),
        }
    }

    /// A subscription, ready to be opened. The error says what is wrong with its variables.
    pub fn subscription(
        &self,
        operation: Arc<Operation>,
        variables: Option<&Value>,
        context: ExecutionContext,
    ) -> Result<Subscription, Vec<RequestError>> {
        let shared = Shared::new(&self.preparer);
        let variables = self.variables(&operation, variables)?;
        Subscription::try_new(shared, operation, variables, context)
    }

    /// Runs a subscription: one result per event. The error is a whole response, as from `execute`.
    pub async fn subscribe(
        &self,
        operation: Arc<Operation>,
        variables: Option<Value>,
        context: ExecutionContext,
    ) -> Result<BoxStream<'static, ExecutionResult>, ExecutionResult> {
        let subscription = self.subscription(operation, variables.as_ref(), context);
        subscription.map_err(|errors| response::refused(&errors))?.open().await
    }
}

/// A response to a request that was not executed.
pub fn refused(errors: &[RequestError]) -> ExecutionResult {
    response::refused(errors)
}
