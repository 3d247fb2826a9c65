//! A subscription over one version of the supergraph: where its events come from, and what becomes of each.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::stream::BoxStream;

use super::execute::Run;
use super::operation::Operation;
use super::plan::Fetch;
use super::response::{self, Event, Shared};
use super::source::{Resumption, SharingScope};
use super::{ErrorCode, ExecutionContext, ExecutionResult, RequestError};
use crate::ports::{Subgraph, SubgraphFault, SubgraphRequest, SubgraphResponse};
use crate::value::{Object, Value};

/// One client's subscription. The rest of its plan runs once per event, each with the time that the request had.
#[derive(Clone)]
pub struct Subscription {
    shared: Shared,
    operation: Arc<Operation>,
    variables: Object,
    context: ExecutionContext,
    budget: Duration,
    /// Behind which event it begins, unless the operation says so itself.
    last_event: Option<Value>,
}

/// Where a subscription's events come from.
#[derive(Clone)]
pub struct Source {
    /// Who streams.
    pub subgraph: Arc<dyn Subgraph>,
    /// What is asked of it.
    pub request: SubgraphRequest,
    /// Whose streams may be this one.
    pub scope: SharingScope,
    /// Where the client wants it to begin, when it says so.
    pub begins_after: Option<Value>,
    /// How it is opened behind an event, where the source has cursors.
    pub resumption: Option<Resumption>,
}

/// An operation with its variables, whoever sends it.
#[derive(Clone)]
pub struct Asked {
    operation: Arc<Operation>,
    variables: Object,
}

impl PartialEq for Asked {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.operation, &other.operation) && self.variables == other.variables
    }
}

impl Eq for Asked {}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked").field("variables", &self.variables).finish_non_exhaustive()
    }
}

impl Source {
    /// What to ask for to get what comes behind an event.
    pub fn request_after(&self, cursor: Option<&Value>) -> SubgraphRequest {
        let mut request = self.request.clone();
        if let (Some(cursor), Some(resumption)) = (cursor, &self.resumption) {
            request.query = Arc::clone(&resumption.query);
            request.query_hash = resumption.query_hash;
            if let Some(variables) = request.variables.as_object_mut() {
                variables.insert(resumption.variable.clone(), cursor.clone());
            }
        }
        request
    }
}

impl Subscription {
    pub(super) fn try_new(
        shared: Shared,
        operation: Arc<Operation>,
        variables: Object,
        context: ExecutionContext,
    ) -> Result<Self, Vec<RequestError>> {
        if operation.plan.as_ref().and_then(super::plan::Node::source).is_none() {
            let text = "the operation is no subscription";
            return Err(vec![RequestError::new(ErrorCode::BadUserInput, text)]);
        }
        let budget = context.deadline.saturating_duration_since(Instant::now());
        Ok(Self { shared, operation, variables, context, budget, last_event: None })
    }

    /// Begins behind the event with this cursor, as a client was told it: where the operation does not say behind which
    /// event it begins, and its field can be told. Otherwise it begins as it would have.
    #[must_use]
    pub fn behind(mut self, cursor: &str) -> Self {
        self.last_event = self.operation.source.as_ref().and_then(|source| source.cursor(cursor));
        self
    }

    /// Where its events come from.
    pub fn source(&self) -> Source {
        let fetch = self.fetch();
        let wanted = fetch.request.variables.iter();
        let chosen =
            wanted.filter_map(|name| Some((name.clone(), self.variables.get(name)?.clone()))).collect();
        let known = self.operation.source.clone().unwrap_or_default();
        let mut source = Source {
            subgraph: Arc::clone(&fetch.request.subgraph),
            request: self.run(&self.context).subgraph_request(&fetch.request, chosen),
            scope: known.scope,
            begins_after: known.begins_after(&self.variables),
            resumption: known.resumption,
        };
        if source.begins_after.is_none() && source.resumption.is_some() && self.last_event.is_some() {
            source.request = source.request_after(self.last_event.as_ref());
            source.begins_after.clone_from(&self.last_event);
        }
        source
    }

    /// The answer to an event. `gap` says that events may be missing before it.
    pub async fn complete(
        &self,
        event: Result<SubgraphResponse, SubgraphFault>,
        gap: bool,
    ) -> ExecutionResult {
        // One that is not paid for ends the stream; who charges for it says so.
        if let Some(toll) = &self.context.toll
            && !toll.pay().await
        {
            return response::refused(&[]);
        }
        let context = ExecutionContext { deadline: Instant::now() + self.budget, ..self.context.clone() };
        let event = Event { fetch: self.fetch(), outcome: event, gap };
        self.shared.execute(&self.operation, &self.variables, (&context, None), Some(event)).await
    }

    /// What its answers depend on beside their events. `None` where that is more: the rest of the plan asks as this client,
    /// or the answers tell how they were made.
    pub fn asked(&self) -> Option<Asked> {
        let is_all = matches!(self.operation.plan, Some(super::plan::Node::Subscription(_)));
        let tells = self.context.include_plan || self.context.tell_cost.is_some();
        let asked = || Asked { operation: Arc::clone(&self.operation), variables: self.variables.clone() };
        (is_all && !tells).then(asked)
    }

    /// The answer when the stream cannot be opened.
    pub fn failed(&self, fault: &SubgraphFault) -> ExecutionResult {
        response::failed(&self.run(&self.context).fault(&self.fetch().request, fault, None))
    }

    /// Opens the stream for this client alone.
    pub async fn open(self) -> Result<BoxStream<'static, ExecutionResult>, ExecutionResult> {
        let Source { subgraph, request, .. } = self.source();
        let opened = tokio::time::timeout_at(self.context.deadline.into(), subgraph.subscribe(request)).await;
        let opened = opened.unwrap_or(Err(SubgraphFault::TimedOut(self.budget)));
        let events = opened.map_err(|fault| self.failed(&fault))?;
        let results = events.then(move |event| {
            let subscription = self.clone();
            async move { subscription.complete(event, false).await }
        });
        Ok(results.boxed())
    }

    fn fetch(&self) -> &Fetch {
        let source = self.operation.plan.as_ref().and_then(super::plan::Node::source);
        source.expect("only operations with a source become subscriptions")
    }

    fn run<'a>(&'a self, context: &'a ExecutionContext) -> Run<'a> {
        self.shared.run(&self.variables, context, Object::new())
    }
}
