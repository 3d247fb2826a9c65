//! Requests to subgraphs, and where their answers and errors belong.

use std::ops::ControlFlow;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use futures::FutureExt;
use rustc_hash::FxHashSet;
use tracing::Instrument as _;

use super::errors::{FieldError, Segment};
use super::graph::{Graph, NodeId};
use super::places::{self, Places};
use super::representations::Representations;
use super::{Run, State, rewrite};
use crate::engine::plan::{EntityFetch, Fetch, Request, Rewrite};
use crate::engine::{ErrorCode, FetchReport, OperationKind};
use crate::ports::{SubgraphError, SubgraphFault, SubgraphRequest, SubgraphResponse};
use crate::response_cache::Kept;
use crate::trace;
use crate::value::{Object, Value};

/// An error of a list is repeated at the places of its entity, but not without end.
const MAX_REPEATS: usize = 20;

impl Run<'_> {
    /// Fetches root fields.
    pub(super) async fn fetch(&self, fetch: &Fetch) {
        let found = Places::find(&self.lock().data, &fetch.path).found;
        if found.is_empty() {
            return;
        }
        let targets: Vec<_> = found.into_iter().map(|(id, _)| id).collect();
        match self.root(&fetch.request).await {
            Ok(response) => self.merge_root(fetch, response, &targets),
            Err(fault) => {
                let state = &mut *self.lock();
                for path in places::paths(&state.data, &fetch.path, &targets, MAX_REPEATS) {
                    for key in &fetch.keys {
                        let mut path = path.clone();
                        path.push(Segment::Key(rewrite::client_key(&fetch.output, &Arc::clone(key).into())));
                        state.errors.push(self.fault(&fetch.request, &fault, Some(path)));
                    }
                }
            }
        }
    }

    /// Merges an answer's root fields into some objects.
    pub(super) fn merge_root(&self, fetch: &Fetch, response: SubgraphResponse, targets: &[NodeId]) {
        let SubgraphResponse { mut data, errors, .. } = response;
        for change in &fetch.output {
            rewrite::apply(change, &mut data);
        }
        let state = &mut *self.lock();
        if !errors.is_empty() {
            let paths = places::paths(&state.data, &fetch.path, targets, MAX_REPEATS);
            for (error, path) in errors.iter().flat_map(|error| paths.iter().map(move |path| (error, path))) {
                let mut path = path.clone();
                let rest = error.path.as_list().map(Vec::as_slice).unwrap_or_default();
                extend(&mut path, rest, &fetch.output);
                if rest.is_empty()
                    && let [key] = fetch.keys.as_slice()
                {
                    path.push(Segment::Key(Arc::clone(key).into()));
                }
                let path = (!path.is_empty()).then_some(path);
                state.errors.push(self.subgraph_error(&fetch.request, error, path));
            }
        }
        let since = state.data.len();
        if let [others @ .., last] = targets {
            for target in others {
                state.data.merge(*target, data.clone(), since, self.conditions);
            }
            state.data.merge(*last, data, since, self.conditions);
        }
    }

    /// Fetches fields of entities.
    pub(super) async fn entities(&self, fetch: &EntityFetch) {
        let mut lists: Vec<_> = {
            let state = &mut *self.lock();
            fetch.lists.iter().map(|list| Representations::collect(&mut state.data, list)).collect()
        };
        let count = lists.iter().map(|found| found.count).sum();
        if count == 0 {
            return;
        }
        let mut variables = self.variables_of(&fetch.request);
        for (list, found) in fetch.lists.iter().zip(&mut lists) {
            variables.push(list.variable.clone(), Value::List(std::mem::take(&mut found.values)));
        }
        let (answer, fault) = self.entities_of(fetch, &lists, (variables, count)).await;
        let state = &mut *self.lock();
        if let Some(response) = answer {
            self.merge_entities(state, fetch, &lists, (response, fault.is_some()));
        }
        if let Some(fault) = fault {
            let path = common_path(&state.data, fetch, &lists);
            state.errors.push(self.fault(&fetch.request, &fault, path));
        }
    }

    fn merge_entities(
        &self,
        state: &mut State,
        fetch: &EntityFetch,
        lists: &[Representations],
        (response, is_partial): (SubgraphResponse, bool),
    ) {
        let SubgraphResponse { mut data, errors, .. } = response;
        let explained = is_partial || !errors.is_empty();
        for error in errors {
            let paths = entity_error_paths(&state.data, fetch, lists, &error);
            let paths = paths.unwrap_or_else(|| vec![common_path(&state.data, fetch, lists)]);
            state
                .errors
                .extend(paths.into_iter().map(|path| self.subgraph_error(&fetch.request, &error, path)));
        }
        for (list, found) in fetch.lists.iter().zip(lists) {
            let answer = data.as_object_mut().and_then(|data| data.get_mut(&list.key)).map(std::mem::take);
            let mut entities = match answer {
                Some(Value::List(entities)) if are_entities(&entities, found.count) => entities,
                _ if explained || found.count == 0 => continue,
                _ => {
                    let fault = SubgraphFault::Malformed("not as many entities as were asked for".into());
                    let path = common_path(&state.data, fetch, lists);
                    state.errors.push(self.fault(&fetch.request, &fault, path));
                    continue;
                }
            };
            for entity in &mut entities {
                list.output.iter().for_each(|change| rewrite::apply(change, entity));
            }
            let mut uses = vec![0_usize; entities.len()];
            found.objects.iter().filter_map(|(_, entity)| *entity).for_each(|entity| uses[entity] += 1);
            for (object, entity) in &found.objects {
                let Some(entity) = *entity else { continue };
                uses[entity] -= 1;
                let last = uses[entity] == 0;
                if entities[entity].is_null() && !explained {
                    state.data.mark_missing(*object);
                }
                let value =
                    if last { std::mem::take(&mut entities[entity]) } else { entities[entity].clone() };
                state.data.merge(*object, value, found.since, self.conditions);
            }
        }
    }

    pub(super) fn variables_of(&self, request: &Request) -> Object {
        let chosen = request.variables.iter();
        chosen.filter_map(|name| Some((name.clone(), self.variables.get(name)?.clone()))).collect()
    }

    /// The request as the port takes it.
    pub(in crate::engine) fn subgraph_request(
        &self,
        request: &Request,
        mut variables: Object,
    ) -> SubgraphRequest {
        let uploads = self.context.uploads.as_ref();
        let files = uploads.map_or_else(Vec::new, |uploads| uploads.take(&mut variables));
        SubgraphRequest {
            query: Arc::clone(&request.query),
            query_hash: request.query_hash,
            operation_name: None,
            variables: Value::Object(variables),
            kind: request.kind,
            caller: Arc::clone(&self.context.caller),
            headers: Arc::clone(&self.context.headers),
            wants_tags: request.kind == OperationKind::Query
                && (self.context.tag_limit.is_some() || self.wants_tags_of(request)),
            files,
            deadline: self.context.deadline,
        }
    }

    /// Asks a subgraph. Its answer, and for how long it may be kept.
    pub(super) async fn send(
        &self,
        request: &Request,
        variables: Object,
        entities: usize,
    ) -> (Result<SubgraphResponse, SubgraphFault>, Option<Kept>) {
        let started = Instant::now();
        let span = trace::fetch(&request.name, request.kind, entities);
        let call = request.subgraph.execute(self.subgraph_request(request, variables));
        let call = call.instrument(span.clone());
        // A subgraph in this process may panic; that is its fault, not the request's end.
        let call = AssertUnwindSafe(call).catch_unwind();
        let answer = match tokio::time::timeout_at(self.context.deadline.into(), call).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(SubgraphFault::Malformed("it panicked".into())),
            Err(_) => Err(SubgraphFault::TimedOut(started.elapsed())),
        };
        let errors = answer.as_ref().map_or(1, |response| response.errors.len());
        trace::fetched(&span, errors, answer.as_ref().err());
        let (headers, kept) = self.judged(request, answer.as_ref().ok());
        let mut state = self.lock();
        if let Some(reads) = &mut state.reads {
            match &answer {
                Ok(response) => crate::changes::add_answer(reads, &request.name, response),
                Err(_) => reads.add_missing(),
            }
        }
        state.fetches.push(FetchReport {
            subgraph: Arc::clone(&request.name),
            duration: started.elapsed(),
            entities,
            errors,
            headers,
            from_cache: false,
            kept,
        });
        drop(state);
        (answer, kept)
    }

    /// An error that a subgraph reported, at its place in the response.
    fn subgraph_error(
        &self,
        request: &Request,
        error: &SubgraphError,
        path: Option<Vec<Segment>>,
    ) -> FieldError {
        let mut extensions = error.extensions.as_object().cloned().unwrap_or_default();
        if extensions.get("code").is_none() {
            extensions.push("code".into(), ErrorCode::Internal.as_str().into());
        }
        let error = FieldError { message: error.message.clone(), path, extensions };
        let error = self.masking.apply(error, &request.name, self.context.caller.request);
        self.named(error, request)
    }

    /// An error that says that a subgraph gave no answer.
    pub(in crate::engine) fn fault(
        &self,
        request: &Request,
        fault: &SubgraphFault,
        path: Option<Vec<Segment>>,
    ) -> FieldError {
        tracing::warn!(
            subgraph = &*request.name,
            error = fault as &dyn std::error::Error,
            "a subgraph gave no answer"
        );
        let (code, what) = match fault {
            // The client sent the file: its fault, and no word of subgraphs.
            SubgraphFault::Upload(error) => {
                return FieldError::new(error.code(), error.to_string(), path).with("reason", error.reason());
            }
            SubgraphFault::Unreachable(_) | SubgraphFault::CircuitOpen => {
                (ErrorCode::Unavailable, fault.to_string())
            }
            SubgraphFault::TimedOut(_) => (ErrorCode::Timeout, fault.to_string()),
            SubgraphFault::Malformed(_) | SubgraphFault::TooLarge(_) => {
                (ErrorCode::Internal, "gave an answer that cannot be used".to_owned())
            }
        };
        let who = if self.names_subgraphs {
            format!("the subgraph `{}`", request.name)
        } else {
            "a subgraph".into()
        };
        let error = FieldError::new(code, format!("{who} {what}"), path);
        let error = match fault {
            SubgraphFault::CircuitOpen => error.with("reason", "CIRCUIT_OPEN"),
            _ => error,
        };
        self.named(error, request)
    }

    fn named(&self, error: FieldError, request: &Request) -> FieldError {
        if self.names_subgraphs { error.with("subgraph", &*request.name) } else { error }
    }
}

/// Whether a list is what so many entities are answered with.
fn are_entities(list: &[Value], count: usize) -> bool {
    list.len() == count && list.iter().all(|entity| matches!(entity, Value::Null | Value::Object(_)))
}

/// Appends the rest of a subgraph's path, in the names that clients know.
fn extend(path: &mut Vec<Segment>, rest: &[Value], rewrites: &[Rewrite]) {
    for segment in rest {
        match segment {
            Value::String(key) => path.push(Segment::Key(rewrite::client_key(rewrites, key))),
            Value::Int(index) => path.extend(usize::try_from(*index).ok().map(Segment::Index)),
            _ => {}
        }
    }
}

/// Where clients find an error whose path leads into an `_entities` list: at every place of that entity. `None` when the
/// path leads elsewhere.
fn entity_error_paths(
    data: &Graph,
    fetch: &EntityFetch,
    lists: &[Representations],
    error: &SubgraphError,
) -> Option<Vec<Option<Vec<Segment>>>> {
    let [Value::String(key), rest @ ..] = error.path.as_list()?.as_slice() else { return None };
    let position = fetch.lists.iter().position(|list| *list.key == **key)?;
    let found = &lists[position];
    let (entity, rest) = match rest {
        [Value::Int(index), rest @ ..] => (usize::try_from(*index).ok()?, rest),
        // async-graphql leaves out the index; it is clear where there is but one entity.
        rest if found.count == 1 => (0, rest),
        _ => return None,
    };
    let objects: Vec<_> = found.told_by(entity).collect();
    let list = &fetch.lists[position];
    let paths = list.paths.iter().flat_map(|path| places::paths(data, path, &objects, MAX_REPEATS));
    let paths = paths.take(MAX_REPEATS).map(|mut path| {
        extend(&mut path, rest, &list.output);
        Some(path)
    });
    // One that leads to no place of the response is told all the same.
    let paths: Vec<_> = paths.collect();
    (!paths.is_empty()).then_some(paths)
}

/// What the places of some entities have in common, for an error that concerns them all.
fn common_path(data: &Graph, fetch: &EntityFetch, lists: &[Representations]) -> Option<Vec<Segment>> {
    let mut common: Option<Vec<Segment>> = None;
    for (list, found) in fetch.lists.iter().zip(lists) {
        let told = found.objects.iter().filter(|(_, entity)| entity.is_some());
        let told: FxHashSet<_> = told.map(|(id, _)| data.resolve(*id)).collect();
        for path in &list.paths {
            let _all_seen = places::visit(data, path, &mut |id, path| {
                if !told.contains(&id) {
                    return ControlFlow::Continue(());
                }
                let known = common.get_or_insert_with(|| path.to_vec());
                known.truncate(known.iter().zip(path).take_while(|(a, b)| a == b).count());
                if known.is_empty() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
        }
    }
    common.filter(|path| !path.is_empty())
}
