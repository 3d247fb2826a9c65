//! What falls on each subgraph: the price of each fetch of the plan, times how often its place is in the answer.

use std::sync::Arc;

use graphql_tools::static_graphql::query::{self, Definition, Selection, TypeCondition};
use rustc_hash::FxHashSet;

use super::Cost;
use super::estimate::Pass;
use super::price::{Priced, Pricer};
use crate::engine::plan::{EntityFetch, Node, Path, Request, Step};
use crate::engine::selection::holds;
use crate::engine::{OperationKind, operation, selection};
use crate::value::{Object, Value};

/// A request to a subgraph.
#[derive(Debug)]
pub(super) struct FetchPrice {
    pub(super) subgraph: Arc<str>,
    /// Variables that must have these values for the fetch to be made.
    when: Vec<(Arc<str>, bool)>,
    parts: Vec<Part>,
}

/// The root fields of a fetch, or one of its lists of entities.
#[derive(Debug)]
struct Part {
    /// Where the answer's objects go.
    paths: Vec<Path>,
    /// By the type of an entity: one of these.
    selections: Vec<Priced>,
    /// Whether each object is looked up, which costs what the object costs.
    entities: bool,
}

/// Prices all fetches of a plan.
pub(super) fn fetch_prices(pricer: &Pricer<'_>, plan: &Node) -> Vec<FetchPrice> {
    let mut all = Vec::new();
    collect(pricer, plan, &mut Vec::new(), &mut all);
    all
}

fn collect(pricer: &Pricer<'_>, node: &Node, when: &mut Vec<(Arc<str>, bool)>, all: &mut Vec<FetchPrice>) {
    match node {
        Node::Sequence(nodes) | Node::Parallel(nodes) => {
            for node in nodes {
                collect(pricer, node, when, all);
            }
        }
        Node::Condition { variable, then, otherwise } => {
            for (branch, value) in [(then, true), (otherwise, false)] {
                if let Some(branch) = branch {
                    when.push((Arc::clone(variable), value));
                    collect(pricer, branch, when, all);
                    when.pop();
                }
            }
        }
        Node::Fetch(fetch) | Node::Subscription(fetch) => {
            if let Some(part) = root_part(pricer, &fetch.request, &fetch.path) {
                let subgraph = Arc::clone(&fetch.request.name);
                all.push(FetchPrice { subgraph, when: when.clone(), parts: vec![part] });
            }
        }
        Node::Entities(fetch) => {
            let subgraph = Arc::clone(&fetch.request.name);
            all.push(FetchPrice { subgraph, when: when.clone(), parts: entity_parts(pricer, fetch) });
        }
    }
}

fn root_part(pricer: &Pricer<'_>, request: &Request, path: &Path) -> Option<Part> {
    let document = parse(request)?;
    let set = set_of(&document)?;
    let schema = pricer.schema;
    let root = match request.kind {
        OperationKind::Query => Some(&schema.query),
        OperationKind::Mutation => schema.mutation.as_ref(),
        OperationKind::Subscription => schema.subscription.as_ref(),
    };
    let selection = pricer.selection(&selection::compile_planned(schema, &document, root?, set));
    Some(Part { paths: vec![path.clone()], selections: vec![selection], entities: false })
}

fn entity_parts(pricer: &Pricer<'_>, fetch: &EntityFetch) -> Vec<Part> {
    let Some(document) = parse(&fetch.request) else { return Vec::new() };
    let Some(root) = set_of(&document) else { return Vec::new() };
    let list = |key: &Arc<str>| {
        root.items.iter().find_map(|item| match item {
            Selection::Field(field) if field.alias.as_ref().unwrap_or(&field.name) == &**key => {
                Some(&field.selection_set)
            }
            _ => None,
        })
    };
    let part = |entities: &crate::engine::plan::EntityList| {
        let set = list(&entities.key)?;
        let mut types = FxHashSet::default();
        conditions(&document, set, &mut types);
        let compile =
            |ty: &str| pricer.selection(&selection::compile_planned(pricer.schema, &document, ty, set));
        let selections = types.into_iter().map(compile).collect();
        Some(Part { paths: entities.paths.clone(), selections, entities: true })
    };
    fetch.lists.iter().filter_map(part).collect()
}

/// The types that a list of entities is asked for.
fn conditions<'d>(
    document: &'d query::Document,
    set: &'d query::SelectionSet,
    into: &mut FxHashSet<&'d str>,
) {
    for item in &set.items {
        match item {
            Selection::Field(_) => {}
            Selection::InlineFragment(fragment) => match &fragment.type_condition {
                Some(TypeCondition::On(name)) => drop(into.insert(name)),
                None => conditions(document, &fragment.selection_set, into),
            },
            Selection::FragmentSpread(spread) => {
                let named = document.definitions.iter().find_map(|definition| match definition {
                    Definition::Fragment(fragment) if fragment.name == spread.fragment_name => Some(fragment),
                    _ => None,
                });
                if let Some(fragment) = named {
                    let TypeCondition::On(name) = &fragment.type_condition;
                    into.insert(name);
                }
            }
        }
    }
}

fn parse(request: &Request) -> Option<query::Document> {
    let document = graphql_tools::parser::parse_query::<String>(&request.query);
    document.ok().map(graphql_tools::parser::query::Document::into_static)
}

fn set_of(document: &query::Document) -> Option<&query::SelectionSet> {
    document.definitions.iter().find_map(|definition| match definition {
        Definition::Operation(operation) => Some(operation::selection_set(operation)),
        Definition::Fragment(_) => None,
    })
}

impl FetchPrice {
    /// What the fetch costs, given the pass over the whole operation.
    pub(super) fn cost(&self, whole: &Pass<'_>, variables: &Object) -> Cost {
        let flag = |name: &str| variables.get(name).and_then(Value::as_bool).unwrap_or_default();
        if !self.when.iter().all(|(name, value)| flag(name) == *value) {
            return Cost::ZERO;
        }
        let part = |part: &Part| {
            let times =
                part.paths.iter().fold(0_u64, |sum, path| sum.saturating_add(whole.occurrences(path)));
            let of = |priced: &Priced| {
                let root = Pass::new(priced, variables, whole.default_list_size).root();
                if part.entities { root.whole } else { root.inside }
            };
            part.selections.iter().map(of).max().unwrap_or_default().times(times)
        };
        self.parts.iter().map(part).sum()
    }
}

impl Pass<'_> {
    /// How many objects there are at a path. A list that the operation does not select itself, because only another
    /// subgraph needs it, has the default length.
    fn occurrences(&self, path: &Path) -> u64 {
        let mut count = 1_u64;
        let mut at = self.priced.places.len().checked_sub(1);
        let mut counted = false;
        for step in path {
            match step {
                Step::Key(key) => {
                    let place = at.map(|index| &self.priced.places[index]);
                    let mut fields =
                        place.into_iter().flat_map(|place| &place.variants).flat_map(|v| &v.fields);
                    let field = fields.find(|field| *field.key == **key);
                    at = field.and_then(|field| field.inner);
                    counted = field.is_some();
                    if let Some(field) = field {
                        let there = holds(field.when.as_ref(), &self.flags);
                        count = count.saturating_mul(if there { self.count(field) } else { 0 });
                    }
                }
                Step::Items if !counted => count = count.saturating_mul(self.default_list_size),
                Step::Items | Step::Types(_) => {}
            }
        }
        count
    }
}
