//! Requests to subgraphs whose answers are kept: of entities those are asked for that are not there.

use std::borrow::Borrow;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::header::CACHE_CONTROL;

use super::Run;
use super::representations::Representations;
use crate::engine::FetchReport;
use crate::engine::caching::CachePolicy;
use crate::engine::plan::{EntityFetch, Request};
use crate::http::CacheControl;
use crate::ports::{SubgraphFault, SubgraphResponse};
use crate::response_cache::{Content, Entry, Kept, Key, Kind, Reuse};
use crate::value::{Object, Value};

/// The entities of one list, each with its key and what is kept of it.
struct Sought {
    keys: Vec<Key>,
    found: Vec<Option<Arc<Entry>>>,
}

impl Sought {
    /// The places of those that are to be asked for.
    fn missing(&self) -> Vec<usize> {
        (0..self.found.len()).filter(|at| self.found[*at].is_none()).collect()
    }
}

impl Run<'_> {
    /// Where what is kept of a request's answers is found, when any may be kept.
    fn reusing(&self, request: &Request) -> Option<(&Reuse, CachePolicy)> {
        // Files are read once.
        self.reuse.filter(|_| self.context.uploads.is_none()).zip(request.policy)
    }

    pub(super) fn wants_tags_of(&self, request: &Request) -> bool {
        self.reusing(request).is_some_and(|(reuse, _)| reuse.wants_tags())
    }

    /// The head of an answer with what the supergraph says of it, and for how long it may be kept.
    pub(super) fn judged(
        &self,
        request: &Request,
        response: Option<&SubgraphResponse>,
    ) -> (Arc<HeaderMap>, Option<Kept>) {
        let Some(response) = response else { return (Arc::default(), None) };
        match self.reusing(request) {
            Some((reuse, policy)) => (Reuse::told(policy, &response.headers), reuse.judge(policy, response)),
            None => (Arc::clone(&response.headers), None),
        }
    }

    /// The answer to a request for root fields.
    pub(super) async fn root(&self, request: &Request) -> Result<SubgraphResponse, SubgraphFault> {
        let variables = self.variables_of(request);
        let Some((reuse, policy)) = self.reusing(request) else {
            return self.send(request, variables, 0).await.0;
        };
        let mut digest = reuse.digest(Kind::Root, policy.scope, std::iter::once(&request.subgraph));
        (&request.query, &variables).hash(&mut digest);
        let key = Key::of(digest);
        let found = reuse.find(Kind::Root, Some(&request.name), &[key]).await;
        if let Some(Ok(entry)) = found.first()
            && let Ok(data) = Value::parse(&entry.body)
        {
            self.report(reuse, (request, 0), &[entry]);
            return Ok(SubgraphResponse { data, ..SubgraphResponse::default() });
        }
        let (answer, kept) = self.send(request, variables, 0).await;
        if let (Ok(response), Some(kept)) = (&answer, kept) {
            let body = response.data.to_bytes();
            keep(reuse, (request, policy), (response, kept), vec![(key, body)]);
        }
        answer
    }

    /// The answer to a request for entities, as if all had been asked for, and why some are missing.
    pub(super) async fn entities_of(
        &self,
        fetch: &EntityFetch,
        lists: &[Representations],
        (mut variables, count): (Object, usize),
    ) -> (Option<SubgraphResponse>, Option<SubgraphFault>) {
        let request = &fetch.request;
        let Some((reuse, policy)) = self.reusing(request) else {
            return split(self.send(request, variables, count).await.0);
        };
        let sought = self.seek(fetch, (reuse, policy), &variables).await;
        let hits: Vec<_> = sought.iter().flat_map(|sought| sought.found.iter().flatten()).collect();
        if !hits.is_empty() {
            self.report(reuse, (request, hits.len()), &hits);
        }
        let missing = count - hits.len();
        if missing == 0 {
            let nothing = SubgraphResponse::default();
            return (Some(completed(fetch, lists, &sought, (nothing, true))), None);
        }
        for (list, sought) in fetch.lists.iter().zip(&sought) {
            if let Some(Value::List(values)) = variables.get_mut(&list.variable) {
                let mut found = sought.found.iter();
                values.retain(|_| found.next().is_some_and(Option::is_none));
            }
        }
        let (answer, kept) = self.send(request, variables, missing).await;
        match answer {
            Ok(response) => {
                if let Some(kept) = kept {
                    let bodies = asked_for(fetch, &sought, &response);
                    keep(reuse, (request, policy), (&response, kept), bodies);
                }
                let is_explained = !response.errors.is_empty();
                (Some(completed(fetch, lists, &sought, (response, is_explained))), None)
            }
            Err(fault) if hits.is_empty() => (None, Some(fault)),
            Err(fault) => {
                let nothing = SubgraphResponse::default();
                (Some(completed(fetch, lists, &sought, (nothing, true))), Some(fault))
            }
        }
    }

    /// What is kept of the entities that are wanted.
    async fn seek(
        &self,
        fetch: &EntityFetch,
        (reuse, policy): (&Reuse, CachePolicy),
        variables: &Object,
    ) -> Vec<Sought> {
        let request = &fetch.request;
        let mut base = reuse.digest(Kind::Entity, policy.scope, std::iter::once(&request.subgraph));
        (&request.query, self.variables_of(request)).hash(&mut base);
        let keys: Vec<Vec<Key>> = fetch
            .lists
            .iter()
            .map(|list| {
                let values = variables.get(&list.variable).and_then(Value::as_list);
                let key = |representation: &Value| {
                    let mut digest = base.clone();
                    (&list.key, representation).hash(&mut digest);
                    Key::of(digest)
                };
                values.map(|values| values.iter().map(key).collect()).unwrap_or_default()
            })
            .collect();
        // All lists in one look.
        let all: Vec<_> = keys.iter().flatten().copied().collect();
        let mut found = reuse.find(Kind::Entity, Some(&request.name), &all).await.into_iter();
        keys.into_iter()
            .map(|keys| {
                let found = found.by_ref().take(keys.len()).map(Result::ok).collect();
                Sought { keys, found }
            })
            .collect()
    }

    /// Tells of what was taken from what is kept as of a fetch.
    fn report<E: Borrow<Arc<Entry>>>(
        &self,
        reuse: &Reuse,
        (request, entities): (&Request, usize),
        entries: &[E],
    ) {
        let kept = entries.iter().map(|entry| entry.borrow().kept).reduce(Kept::narrowed);
        // The one that is told to be good for the shortest time speaks for all.
        let head = entries
            .iter()
            .map(|entry| reuse.head(entry.borrow()))
            .reduce(|all, head| if all.contains_key(CACHE_CONTROL) { shorter(&all, &head) } else { all });
        let mut state = self.lock();
        if let Some(reads) = &mut state.reads {
            for entry in entries {
                match &entry.borrow().tracking {
                    Some(tracking) => reads.merge(&tracking.reads),
                    None => reads.add_untracked(&request.name),
                }
            }
        }
        state.fetches.push(FetchReport {
            subgraph: Arc::clone(&request.name),
            duration: Duration::ZERO,
            entities,
            errors: 0,
            headers: head.unwrap_or_default(),
            from_cache: true,
            kept,
        });
    }
}

/// Keeps parts of an answer, unless what they were made of has changed meanwhile.
fn keep(
    reuse: &Reuse,
    (request, policy): (&Request, CachePolicy),
    (response, kept): (&SubgraphResponse, Kept),
    bodies: Vec<(Key, Bytes)>,
) {
    if bodies.is_empty() {
        return;
    }
    let reads = reuse.reads_of(&request.name, response);
    let Ok(tracking) = reuse.track(&kept, reads) else { return };
    let told = Reuse::told(policy, &response.headers).get(CACHE_CONTROL).cloned();
    let subgraphs: Arc<[Arc<str>]> = [Arc::clone(&request.name)].into();
    for (key, body) in bodies {
        let (told, subgraphs) = (told.clone(), Arc::clone(&subgraphs));
        let content = Content { body, kept, told, cost: None, subgraphs };
        drop(reuse.keep(key, content, tracking.clone()));
    }
}

fn shorter(one: &HeaderMap, other: &HeaderMap) -> Arc<HeaderMap> {
    match (CacheControl::of(one), CacheControl::of(other)) {
        (Some(mut all), Some(theirs)) => {
            all.narrow(&theirs);
            Arc::new([(CACHE_CONTROL, all.to_value())].into_iter().collect())
        }
        _ => Arc::default(),
    }
}

fn split(
    answer: Result<SubgraphResponse, SubgraphFault>,
) -> (Option<SubgraphResponse>, Option<SubgraphFault>) {
    match answer {
        Ok(response) => (Some(response), None),
        Err(fault) => (None, Some(fault)),
    }
}

/// The entities of an answer to those that were missing, by key. One that is not there may come to be: it is not kept.
fn asked_for(fetch: &EntityFetch, sought: &[Sought], response: &SubgraphResponse) -> Vec<(Key, Bytes)> {
    let mut bodies = Vec::new();
    for (list, sought) in fetch.lists.iter().zip(sought) {
        let missing = sought.missing();
        let Some(entities) = response.data.get(&list.key).and_then(Value::as_list) else { continue };
        if entities.len() == missing.len() {
            let given = missing.iter().zip(entities).filter(|(_, entity)| entity.as_object().is_some());
            bodies.extend(given.map(|(at, entity)| (sought.keys[*at], entity.to_bytes())));
        }
    }
    bodies
}

/// An answer to those that were missing, with those that are kept at their places: as if all had been asked for. Where
/// `is_explained`, it is known why some are not there.
fn completed(
    fetch: &EntityFetch,
    lists: &[Representations],
    sought: &[Sought],
    (mut response, is_explained): (SubgraphResponse, bool),
) -> SubgraphResponse {
    let mut data = Object::with_capacity(fetch.lists.len());
    for ((list, found), sought) in fetch.lists.iter().zip(lists).zip(sought) {
        let missing = sought.missing();
        let given = response.data.as_object_mut().and_then(|data| data.get_mut(&list.key));
        let given = match given.map(std::mem::take) {
            Some(Value::List(entities)) if entities.len() == missing.len() => entities,
            // What is missing is said to be, or nothing is.
            None | Some(Value::Null) if is_explained && missing.len() < found.count => Vec::new(),
            other => {
                let other = other.filter(|other| !matches!(other, Value::List(_)));
                data.push(list.key.as_ref().into(), other.unwrap_or_default());
                continue;
            }
        };
        let mut given = given.into_iter();
        let entities = sought.found.iter().map(|found| match found {
            Some(entry) => Value::parse(&entry.body).unwrap_or_default(),
            None => given.next().unwrap_or_default(),
        });
        data.push(list.key.as_ref().into(), Value::List(entities.collect()));
    }
    for error in &mut response.errors {
        if let Value::List(path) = &mut error.path
            && let [Value::String(key), Value::Int(index), ..] = path.as_mut_slice()
            && let Some(at) = fetch.lists.iter().position(|list| *list.key == **key)
            && let Some(place) =
                usize::try_from(*index).ok().and_then(|index| sought[at].missing().get(index).copied())
        {
            *index = i64::try_from(place).unwrap_or(*index);
        }
    }
    SubgraphResponse { data: Value::Object(data), ..response }
}
