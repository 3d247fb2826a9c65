//! From a document's text to an operation that can be executed: parse, check, validate, normalize, plan.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use graphql_tools::parser::query::{Definition, OperationDefinition, ParseError};
use graphql_tools::static_graphql::query;
use graphql_tools::validation::rules::default_rules_validation_plan;
use graphql_tools::validation::validate::{ValidationPlan, validate};
use hive_router_query_planner::ast::normalization::normalize_operation;
use hive_router_query_planner::ast::selection_item::SelectionItem;
use hive_router_query_planner::ast::selection_set::SelectionSet;
use hive_router_query_planner::planner::plan_nodes::QueryPlan;
use hive_router_query_planner::planner::{Planner, PlannerError};
use hive_router_query_planner::utils::cancellation::CancellationToken;
use rustc_hash::FxHashMap;

use super::aliases::TakenNames;
use super::authorization::{self, Rules};
use super::caching::{self, CachePolicy, Policies};
use super::conditions::{self, Derived};
use super::cost::{OperationCost, Pricer, Pricing};
use super::execute::Masking;
use super::inputs::{Inputs, PageVariables};
use super::live::{self, LiveDirective};
use super::meta_fields::MetaFields;
use super::plan::{Node, PlanCompiler};
use super::schema::{Schema, TypeConditions};
use super::selection::{self, CompiledSelection, Selection};
use super::source::{EventFields, EventSource};
use super::usage::Usage;
use super::variables::Variable;
use super::variant::{PlanKeyRef, PlanVariant};
use super::{
    EngineConfig, ErrorCode, OperationKind, RequestError, expansion, limits, requests, reserved, typenames,
};
use crate::ports::Subgraph;

/// A planned operation; shared by all requests that send the same text and name.
pub struct Operation {
    pub(super) name: Option<String>,
    pub(super) kind: OperationKind,
    pub(super) variables: Vec<Variable>,
    /// Variables that subgraphs are given beside those of the client.
    pub(super) derived: Vec<Derived>,
    pub(super) selection: CompiledSelection,
    /// Variables that say how large a page is to be.
    pub(super) paging: PageVariables,
    /// `None` when no subgraph is needed.
    pub(super) plan: Option<Node>,
    /// Where its events come from, when it is a subscription.
    pub(super) source: Option<EventSource>,
    /// How it is to be answered again, when it is.
    pub(super) live: Option<LiveDirective>,
    /// `None` where costs are not counted.
    pub(super) cost: Option<OperationCost>,
    /// How long the last answer was, so that the next one finds room for its own at once.
    pub(super) answer_size: AtomicUsize,
    pub(super) usage: Usage,
    /// The subgraphs that a query asks, when all of them let equal queries share what they answer.
    sharing: Option<Vec<Arc<dyn Subgraph>>>,
    /// What may be kept of its answer, when it is a query of which anything may.
    caching: Option<Kept>,
    /// The plan for people to read, as JSON. The text takes a tenth of the memory of what it was written from.
    shown_plan: Box<str>,
}

impl Operation {
    /// What it does.
    pub const fn kind(&self) -> OperationKind {
        self.kind
    }

    /// Its name, when it has one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Whether it asks for the schema itself.
    pub(crate) fn is_introspection(&self) -> bool {
        let Selection::One(_, fields) = &*self.selection.root else { return false };
        fields.iter().any(|field| matches!(&*field.name, "__schema" | "__type"))
    }

    /// Whether anything is asked of a subgraph.
    pub(crate) const fn is_planned(&self) -> bool {
        self.plan.is_some()
    }

    /// Whether it is to be answered again when something that it read has changed.
    pub(crate) const fn is_live(&self) -> bool {
        self.live.is_some()
    }

    /// The subgraphs that are asked, each once, when equal queries may share an answer.
    pub(crate) fn sharing(&self) -> Option<&[Arc<dyn Subgraph>]> {
        self.sharing.as_deref()
    }

    /// What may be kept of its answers.
    pub(crate) const fn caching(&self) -> Option<&Kept> {
        self.caching.as_ref()
    }

    /// The subgraphs in which it changes something.
    pub(crate) fn changes_in(&self) -> Vec<Arc<str>> {
        let requests = self.plan.iter().flat_map(Node::requests);
        let changing = requests.filter(|request| request.kind == OperationKind::Mutation);
        changing.map(|request| Arc::clone(&request.name)).collect()
    }

    /// The plan, for people to read.
    pub fn plan_json(&self) -> serde_json::Value {
        serde_json::from_str(&self.shown_plan).expect("it was written as JSON")
    }

    /// How long the plan is as JSON.
    pub(super) const fn plan_length(&self) -> usize {
        self.shown_plan.len()
    }

    /// How long it took to parse, validate and plan it, when that was done.
    pub const fn planned_in(&self) -> Duration {
        self.usage.planned_in
    }
}

impl std::fmt::Debug for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Operation")
            .field("kind", &self.kind)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Everything that preparing operations needs.
pub(super) struct Preparer {
    pub(super) planner: Planner,
    pub(super) schema: Arc<Schema>,
    pub(super) conditions: Arc<TypeConditions>,
    pub(super) taken: TakenNames,
    pub(super) subgraphs: FxHashMap<Arc<str>, Arc<dyn Subgraph>>,
    /// `None` where costs are not counted.
    pub(super) pricing: Option<Pricing>,
    pub(super) authorization: Rules,
    pub(super) inputs: Inputs,
    pub(super) masking: Arc<Masking>,
    pub(super) events: EventFields,
    /// `None` where nothing is kept.
    pub(super) policies: Option<Policies>,
    pub(super) rules: ValidationPlan,
    /// Whether queries may be live.
    pub(super) is_live: bool,
    pub(super) config: EngineConfig,
}

/// The rules of the specification.
pub(super) fn validation_rules() -> ValidationPlan {
    let mut rules = default_rules_validation_plan();
    rules.add_rule(Box::new(MetaFields));
    rules
}

impl Preparer {
    /// Prepares one operation of a document. Takes its time: not for a thread that serves requests.
    pub(super) fn prepare(&self, key: PlanKeyRef<'_>) -> Result<Operation, Vec<RequestError>> {
        let PlanKeyRef { document: text, name, variant } = key;
        limits::scan(text, &self.config).map_err(one)?;
        let document = graphql_tools::parser::parse_query::<String>(text);
        let mut document = document.map_err(|error| vec![syntax_error(&error)])?.into_static();
        limits::check(&document, &self.config).map_err(one)?;
        let mut chosen = Chosen::find(&document, name).map_err(one)?;
        self.validate(&document)?;
        let live = self.is_live.then(|| live::take(&mut document, chosen.0)).flatten();
        let root_type = self.root_type(chosen.parts(&document).kind).map_err(one)?;

        let client_names: Vec<_> =
            chosen.parts(&document).variables.iter().map(|variable| variable.name.clone()).collect();
        if reserved::rename_variables(&mut document) {
            chosen = Chosen::find(&document, name).map_err(one)?;
        }
        self.taken.make_way(&mut document);
        let paging = self.inputs.check(&document).map_err(one)?;
        let parts = chosen.parts(&document);
        expansion::check(&self.planner.supergraph, &document, root_type, parts.selection_set).map_err(one)?;
        let variables = parts.variables.iter().zip(&client_names);
        let (set, keep_arguments) = (parts.selection_set, self.pricing.is_some());
        let terms = (&*self.schema, &self.authorization, &variant.denied);
        let selection = selection::compile(terms, &document, root_type, set, keep_arguments);
        let operation = Operation {
            name: parts.name.map(ToOwned::to_owned),
            kind: parts.kind,
            variables: variables.map(|(definition, name)| Variable::new(definition, name)).collect(),
            derived: Vec::new(),
            selection,
            paging,
            plan: None,
            source: None,
            live,
            cost: None,
            answer_size: AtomicUsize::new(256),
            usage: Usage::default(),
            sharing: None,
            caching: None,
            shown_plan: shown(&QueryPlan { kind: "QueryPlan", node: None }),
        };
        if !variant.denied.is_empty() {
            authorization::remove(&mut document, &self.schema, &self.authorization, &variant.denied);
        }
        let mut operation = self.plan(operation, &document, variant).map_err(one)?;
        operation.cost = self.pricing.as_ref().map(|pricing| {
            let pricer = Pricer { pricing, schema: &self.schema };
            pricer.operation(operation.kind, &operation.selection, operation.plan.as_ref())
        });
        operation.sharing = sharing(&operation);
        operation.caching = Self::kept(&operation, key);
        Ok(operation)
    }

    /// What may be kept of the answers, told apart from those to any other operation or variant of this supergraph.
    fn kept(operation: &Operation, key: PlanKeyRef<'_>) -> Option<Kept> {
        let plan = operation.plan.as_ref()?;
        let policy = caching::whole(plan);
        let is_any = policy.is_some() || plan.requests().iter().any(|request| request.policy.is_some());
        is_any.then(|| Kept { policy, digest: key.digest(), subgraphs: subgraphs(operation) })
    }

    fn validate(&self, document: &query::Document) -> Result<(), Vec<RequestError>> {
        let errors = validate(&self.planner.consumer_schema.document, document, &self.rules);
        if errors.is_empty() {
            return Ok(());
        }
        Err(errors
            .into_iter()
            .map(|error| {
                let located = RequestError::new(ErrorCode::BadUserInput, error.message)
                    .because("GRAPHQL_VALIDATION_FAILED");
                error.locations.iter().fold(located, |error, at| error.at(at.line, at.column))
            })
            .collect())
    }

    fn root_type(&self, kind: OperationKind) -> Result<&str, RequestError> {
        let name = match kind {
            OperationKind::Query => Some(&self.schema.query),
            OperationKind::Mutation => self.schema.mutation.as_ref(),
            OperationKind::Subscription => self.schema.subscription.as_ref(),
        };
        name.map(|name| &**name).ok_or_else(|| {
            let text = format!("this API has no {}s", kind.as_str());
            RequestError::new(ErrorCode::BadUserInput, text).because("GRAPHQL_VALIDATION_FAILED")
        })
    }

    fn plan(
        &self,
        mut operation: Operation,
        document: &query::Document,
        variant: &PlanVariant,
    ) -> Result<Operation, RequestError> {
        let normalized = normalize_operation(&self.planner.supergraph, document, operation.name.as_deref());
        let mut normalized = normalized.map_err(|error| cannot_plan(&error))?.operation;
        drop_introspection(&mut normalized.selection_set);
        if let Some(name) = introspection_inside(&normalized.selection_set) {
            let text = format!(
                "`{name}` is answered at the root of a query alone, not where a field leads back to it"
            );
            return Err(RequestError::new(ErrorCode::BadUserInput, text).because("GRAPHQL_VALIDATION_FAILED"));
        }
        typenames::make_plain(&mut normalized.selection_set);
        let root_type = self.root_type(operation.kind)?;
        operation.derived = conditions::simplify(&mut normalized, root_type, &self.planner.supergraph);
        if normalized.selection_set.is_empty() {
            return Ok(operation);
        }
        let cancellation = CancellationToken::with_timeout(self.config.planning_timeout);
        let overrides = variant.overrides.context();
        let plan = self.planner.plan_from_normalized_operation(&normalized, overrides, &cancellation);
        let mut plan = plan.map_err(|error| match error {
            PlannerError::CancellationError(_) => planning_timed_out(&self.config),
            other => cannot_plan(&other),
        })?;
        plan.node.iter_mut().for_each(|node| requests::make_acceptable(node, &self.planner.supergraph));
        let policies = self.policies.as_ref().filter(|_| operation.kind == OperationKind::Query);
        let compiler = PlanCompiler { subgraphs: &self.subgraphs, conditions: &self.conditions, policies };
        let node = plan.node.as_ref().map(|node| compiler.node(node, &Vec::new())).transpose();
        operation.plan = node.map_err(|error| cannot_plan(&error))?;
        operation.source = operation.plan.as_ref().and_then(|plan| self.events.source(plan));
        operation.shown_plan = shown(&plan);
        Ok(operation)
    }
}

/// Which of a document's operations is meant.
struct Chosen(usize);

/// The parts of an operation that its four forms have in common.
struct Parts<'d> {
    kind: OperationKind,
    name: Option<&'d str>,
    variables: &'d [query::VariableDefinition],
    selection_set: &'d query::SelectionSet,
}

impl Chosen {
    fn find(document: &query::Document, name: Option<&str>) -> Result<Self, RequestError> {
        let operations: Vec<_> = document
            .definitions
            .iter()
            .enumerate()
            .filter_map(|(index, definition)| match definition {
                Definition::Operation(operation) => Some((index, parts(operation).name)),
                Definition::Fragment(_) => None,
            })
            .collect();
        let names = || {
            let names: Vec<_> = operations.iter().filter_map(|(_, name)| *name).collect();
            if names.is_empty() { "no name".to_owned() } else { format!("`{}`", names.join("`, `")) }
        };
        let refused =
            |text: String| RequestError::new(ErrorCode::BadUserInput, text).because("OPERATION_NOT_FOUND");
        match (name, operations.as_slice()) {
            (_, []) => Err(refused("the document has no operation".into())),
            (None, [(index, _)]) => Ok(Self(*index)),
            (None, _) if operations.iter().any(|(_, name)| name.is_none()) => Err(refused(format!(
                "the document has {} operations: each needs a name, and `operationName` names the one to run",
                operations.len()
            ))),
            (None, _) => Err(refused(format!(
                "the document has {} operations: name one of {} in `operationName`",
                operations.len(),
                names()
            ))),
            (Some(wanted), _) => operations
                .iter()
                .find(|(_, name)| *name == Some(wanted))
                .map(|(index, _)| Self(*index))
                .ok_or_else(|| {
                    refused(format!("the document has no operation `{wanted}`, it has {}", names()))
                }),
        }
    }

    fn parts<'d>(&self, document: &'d query::Document) -> Parts<'d> {
        match &document.definitions[self.0] {
            Definition::Operation(operation) => parts(operation),
            Definition::Fragment(_) => unreachable!("only operations are chosen"),
        }
    }
}

fn parts(operation: &query::OperationDefinition) -> Parts<'_> {
    let (kind, name, variables, selection_set) = match operation {
        OperationDefinition::SelectionSet(set) => (OperationKind::Query, None, [].as_slice(), set),
        OperationDefinition::Query(it) => {
            (OperationKind::Query, it.name.as_deref(), it.variable_definitions.as_slice(), &it.selection_set)
        }
        OperationDefinition::Mutation(it) => (
            OperationKind::Mutation,
            it.name.as_deref(),
            it.variable_definitions.as_slice(),
            &it.selection_set,
        ),
        OperationDefinition::Subscription(it) => (
            OperationKind::Subscription,
            it.name.as_deref(),
            it.variable_definitions.as_slice(),
            &it.selection_set,
        ),
    };
    Parts { kind, name, variables, selection_set }
}

fn shown(plan: &QueryPlan) -> Box<str> {
    serde_json::to_string(plan).expect("a plan has only string keys").into()
}

/// What may be kept of an operation's answers.
#[derive(Clone)]
pub(crate) struct Kept {
    /// Of the whole answer; `None` when only parts of it may be kept.
    pub(crate) policy: Option<CachePolicy>,
    /// Names the operation: its text, its name, and the variant of it that callers like this one get.
    pub(crate) digest: [u8; 32],
    /// The subgraphs that it asks, each once.
    pub(crate) subgraphs: Vec<Arc<dyn Subgraph>>,
}

/// The subgraphs that an operation asks, each once.
fn subgraphs(operation: &Operation) -> Vec<Arc<dyn Subgraph>> {
    let mut subgraphs: Vec<&Arc<dyn Subgraph>> = Vec::new();
    for request in operation.plan.iter().flat_map(Node::requests) {
        if subgraphs.iter().all(|known| known.name() != request.subgraph.name()) {
            subgraphs.push(&request.subgraph);
        }
    }
    subgraphs.into_iter().cloned().collect()
}

/// The subgraphs that a query asks, each once, when all of them deduplicate.
fn sharing(operation: &Operation) -> Option<Vec<Arc<dyn Subgraph>>> {
    if operation.kind != OperationKind::Query || operation.plan.is_none() {
        return None;
    }
    let subgraphs = subgraphs(operation);
    subgraphs.iter().all(|subgraph| subgraph.deduplicates()).then_some(subgraphs)
}

/// What an operation selects.
pub(super) fn selection_set(operation: &query::OperationDefinition) -> &query::SelectionSet {
    parts(operation).selection_set
}

/// A field for the schema itself that is left when those of the root are dropped.
fn introspection_inside(selections: &SelectionSet) -> Option<&str> {
    selections.items.iter().find_map(|item| match item {
        SelectionItem::Field(field) if matches!(field.name.as_str(), "__schema" | "__type") => {
            Some(&*field.name)
        }
        SelectionItem::Field(field) => introspection_inside(&field.selections),
        SelectionItem::InlineFragment(fragment) => introspection_inside(&fragment.selections),
        SelectionItem::FragmentSpread(_) => None,
    })
}

/// Root fields that the gateway answers itself: `__schema`, `__type`, `__typename`.
fn drop_introspection(selections: &mut SelectionSet) {
    selections.items.retain_mut(|item| match item {
        SelectionItem::Field(field) => !field.name.starts_with("__"),
        SelectionItem::InlineFragment(fragment) => {
            drop_introspection(&mut fragment.selections);
            !fragment.selections.is_empty()
        }
        SelectionItem::FragmentSpread(_) => true,
    });
}

fn one(error: RequestError) -> Vec<RequestError> {
    vec![error]
}

fn syntax_error(error: &ParseError) -> RequestError {
    let position = error.0.position;
    let details = error.0.errors.iter().map(|error| error.to_string().to_lowercase());
    let (expected, others): (Vec<_>, Vec<_>) = details.partition(|text| text.starts_with("expected "));
    let expected: Vec<_> = expected.iter().map(|text| text.trim_start_matches("expected ")).collect();
    let mut text = format!("the document is not valid GraphQL: {}", others.join(", "));
    if !expected.is_empty() {
        text = format!("{text}, expected {}", expected.join(" or "));
    }
    RequestError::new(ErrorCode::BadUserInput, text)
        .because("GRAPHQL_PARSE_FAILED")
        .at(position.line, position.column)
}

/// The planner's own reasons say nothing to clients.
fn cannot_plan(error: &(dyn std::error::Error + 'static)) -> RequestError {
    tracing::error!(error, "an operation could not be planned");
    RequestError::new(ErrorCode::Internal, "the operation could not be planned").because("PLANNING_FAILED")
}

/// Planning took longer than allowed.
pub(super) fn planning_timed_out(config: &EngineConfig) -> RequestError {
    let limit = config.planning_timeout.as_millis();
    let text = format!("planning the operation takes longer than {limit} ms: ask for less at once");
    RequestError::new(ErrorCode::Timeout, text).because("PLANNING_TIMED_OUT")
}
