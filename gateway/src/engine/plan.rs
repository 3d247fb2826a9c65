//! The planner's plan, prepared for running it many times: subgraphs looked up, type conditions spelled out, and every
//! kind of entity fetch in one form.

use std::sync::Arc;

use hive_router_query_planner::ast::selection_item::SelectionItem;
use hive_router_query_planner::ast::selection_set::SelectionSet;
use hive_router_query_planner::planner::plan_nodes::{
    BatchFetchNode, FetchNode, FetchNodePathSegment, FetchRewrite, FlattenNodePathSegment, PlanNode,
};
use hive_router_query_planner::state::supergraph_state::OperationKind as PlannedKind;
use rustc_hash::{FxHashMap, FxHashSet};

use super::OperationKind;
use super::caching::{CachePolicy, Policies};
use super::schema::TypeConditions;
use crate::ports::Subgraph;
use crate::value::{Object, Text, Value};

/// A node of the plan.
pub(super) enum Node {
    /// One after the other.
    Sequence(Vec<Node>),
    /// All at once.
    Parallel(Vec<Node>),
    /// One of two, by a variable.
    Condition { variable: Arc<str>, then: Option<Box<Node>>, otherwise: Option<Box<Node>> },
    /// Root fields of a subgraph.
    Fetch(Fetch),
    /// Fields of entities.
    Entities(EntityFetch),
    /// Root field of a subgraph that streams.
    Subscription(Fetch),
}

impl Node {
    /// All requests that it may come to send.
    pub(super) fn requests(&self) -> Vec<&Request> {
        match self {
            Self::Sequence(nodes) | Self::Parallel(nodes) => nodes.iter().flat_map(Self::requests).collect(),
            Self::Condition { then, otherwise, .. } => {
                [then, otherwise].into_iter().flatten().flat_map(|node| node.requests()).collect()
            }
            Self::Fetch(fetch) | Self::Subscription(fetch) => vec![&fetch.request],
            Self::Entities(fetch) => vec![&fetch.request],
        }
    }
}

impl Node {
    /// The root field that streams, when there is one.
    pub(super) fn source(&self) -> Option<&Fetch> {
        match self {
            Self::Subscription(fetch) => Some(fetch),
            Self::Sequence(nodes) | Self::Parallel(nodes) => nodes.iter().find_map(Self::source),
            Self::Condition { then, otherwise, .. } => {
                [then, otherwise].into_iter().flatten().find_map(|node| node.source())
            }
            Self::Fetch(_) | Self::Entities(_) => None,
        }
    }
}

/// What is sent.
pub(super) struct Request {
    pub(super) kind: OperationKind,
    pub(super) subgraph: Arc<dyn Subgraph>,
    pub(super) name: Arc<str>,
    pub(super) query: Arc<str>,
    pub(super) query_hash: u64,
    /// The operation's variables that it uses.
    pub(super) variables: Vec<Text>,
    /// What may be kept of its answer, when anything may.
    pub(super) policy: Option<CachePolicy>,
}

impl Request {
    /// Those of an operation's variables that it uses.
    pub(super) fn given<'v>(&self, variables: &'v Object) -> Vec<&'v Value> {
        self.variables.iter().filter_map(|name| variables.get(name)).collect()
    }
}

/// Fetches root fields.
pub(super) struct Fetch {
    pub(super) request: Request,
    /// Where the answer goes. Not empty where a field of some other object leads back to the root.
    pub(super) path: Path,
    pub(super) output: Vec<Rewrite>,
    /// The response keys of its root fields.
    pub(super) keys: Vec<Arc<str>>,
}

/// Fetches fields of entities, by one or several `_entities` lists in one request.
pub(super) struct EntityFetch {
    pub(super) request: Request,
    pub(super) lists: Vec<EntityList>,
}

/// One `_entities` list.
pub(super) struct EntityList {
    /// Its key in the answer.
    pub(super) key: Arc<str>,
    /// The variable with the representations.
    pub(super) variable: Text,
    /// Where the entities are.
    pub(super) paths: Vec<Path>,
    pub(super) requires: Vec<Required>,
    pub(super) input: Vec<Rewrite>,
    pub(super) output: Vec<Rewrite>,
}

/// Leads from the response's root to some of its objects.
pub(super) type Path = Vec<Step>;

/// A step of a path.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Key(Text),
    /// Each item of a list.
    Items,
    /// Only objects of these types.
    Types(Arc<FxHashSet<Arc<str>>>),
}

/// A part of a representation.
#[derive(Debug)]
pub(super) enum Required {
    Field {
        /// The name in the representation.
        name: Text,
        /// The names in the data so far, the likelier first.
        from: Vec<Text>,
        inner: Vec<Required>,
    },
    /// For objects of these types.
    Fragment {
        /// The condition as written: the type of an object that does not tell its own.
        condition: Text,
        types: Arc<FxHashSet<Arc<str>>>,
        inner: Vec<Required>,
    },
}

/// A change to a representation or to an answer.
#[derive(Debug)]
pub(super) struct Rewrite {
    pub(super) path: Vec<RewriteStep>,
    pub(super) change: Change,
}

#[derive(Debug)]
pub(super) enum RewriteStep {
    Key(Text),
    Types(Arc<FxHashSet<Arc<str>>>),
}

#[derive(Debug)]
pub(super) enum Change {
    RenameTo(Text),
    SetTo(Text),
}

/// Compiles plans for one supergraph.
pub(super) struct PlanCompiler<'a> {
    pub(super) subgraphs: &'a FxHashMap<Arc<str>, Arc<dyn Subgraph>>,
    pub(super) conditions: &'a TypeConditions,
    /// For a query of whose answer parts may be kept.
    pub(super) policies: Option<&'a Policies>,
}

/// The planner named something that it should not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum PlanError {
    #[error("the plan fetches from the subgraph `{0}`, which nobody serves")]
    UnknownSubgraph(String),
    #[error("the plan has a `Defer` node")]
    Defer,
}

impl PlanCompiler<'_> {
    /// Compiles a node whose fetches answer for the objects at `path`.
    pub(super) fn node(&self, node: &PlanNode, path: &Path) -> Result<Node, PlanError> {
        let all = |nodes: &[PlanNode]| -> Result<Vec<_>, PlanError> {
            nodes.iter().map(|node| self.node(node, path)).collect()
        };
        let optional = |node: &Option<Box<PlanNode>>| -> Result<_, PlanError> {
            node.as_ref().map(|node| self.node(node, path).map(Box::new)).transpose()
        };
        Ok(match node {
            PlanNode::Sequence(sequence) => Node::Sequence(all(&sequence.nodes)?),
            PlanNode::Parallel(parallel) => Node::Parallel(all(&parallel.nodes)?),
            PlanNode::Condition(condition) => Node::Condition {
                variable: condition.condition.as_str().into(),
                then: optional(&condition.if_clause)?,
                otherwise: optional(&condition.else_clause)?,
            },
            PlanNode::Flatten(flatten) => {
                self.node(&flatten.node, &self.path(path, flatten.path.as_slice()))?
            }
            PlanNode::Fetch(fetch) => match &fetch.requires {
                Some(requires) => Node::Entities(self.entity_fetch(fetch, requires, path)?),
                None => Node::Fetch(self.fetch(fetch, path)?),
            },
            PlanNode::BatchFetch(fetch) => Node::Entities(self.batch_fetch(fetch, path)?),
            PlanNode::Subscription(subscription) => {
                Node::Subscription(self.fetch(&subscription.primary, path)?)
            }
            PlanNode::Defer(_) => return Err(PlanError::Defer),
        })
    }

    fn fetch(&self, node: &FetchNode, path: &Path) -> Result<Fetch, PlanError> {
        let request = self.request(
            &node.service_name,
            kind(node.operation_kind.as_ref()),
            (&node.operation.document_str, node.operation.hash),
            node.variable_usages.iter().flatten(),
        )?;
        let output = self.rewrites(node.output_rewrites.as_deref());
        let mut keys = Vec::new();
        root_keys(&node.operation.document.operation.selection_set, &mut keys);
        Ok(Fetch { request, path: path.clone(), output, keys })
    }

    fn entity_fetch(
        &self,
        node: &FetchNode,
        requires: &SelectionSet,
        path: &Path,
    ) -> Result<EntityFetch, PlanError> {
        let request = self.request(
            &node.service_name,
            kind(node.operation_kind.as_ref()),
            (&node.operation.document_str, node.operation.hash),
            node.variable_usages.iter().flatten(),
        )?;
        let list = EntityList {
            key: "_entities".into(),
            variable: "representations".into(),
            paths: vec![path.clone()],
            requires: self.required(requires),
            input: self.rewrites(node.input_rewrites.as_deref()),
            output: self.rewrites(node.output_rewrites.as_deref()),
        };
        Ok(EntityFetch { request, lists: vec![list] })
    }

    fn batch_fetch(&self, node: &BatchFetchNode, path: &Path) -> Result<EntityFetch, PlanError> {
        let request = self.request(
            &node.service_name,
            kind(node.operation_kind.as_ref()),
            (&node.operation.document_str, node.operation.hash),
            node.variable_usages.iter().flatten(),
        )?;
        let lists = node.entity_batch.aliases.iter().map(|alias| EntityList {
            key: alias.alias.as_str().into(),
            variable: alias.representations_variable_name.as_str().into(),
            paths: alias.merge_paths.iter().map(|inner| self.path(path, inner.as_slice())).collect(),
            requires: self.required(&alias.requires),
            input: self.rewrites(alias.input_rewrites.as_deref()),
            output: self.rewrites(alias.output_rewrites.as_deref()),
        });
        Ok(EntityFetch { request, lists: lists.collect() })
    }

    fn request<'v>(
        &self,
        subgraph: &str,
        kind: OperationKind,
        (query, query_hash): (&str, u64),
        variables: impl Iterator<Item = &'v String>,
    ) -> Result<Request, PlanError> {
        let (name, subgraph) = self
            .subgraphs
            .get_key_value(subgraph)
            .ok_or_else(|| PlanError::UnknownSubgraph(subgraph.to_owned()))?;
        Ok(Request {
            kind,
            subgraph: Arc::clone(subgraph),
            name: Arc::clone(name),
            query: query.into(),
            query_hash,
            variables: variables.map(|name| name.as_str().into()).collect(),
            policy: self.policies.and_then(|policies| policies.of(name, query)),
        })
    }

    fn types<'n>(&self, names: impl IntoIterator<Item = &'n String>) -> Arc<FxHashSet<Arc<str>>> {
        Arc::new(self.conditions.satisfying(names.into_iter().map(String::as_str)))
    }

    fn path(&self, before: &Path, segments: &[FlattenNodePathSegment]) -> Path {
        let steps = segments.iter().map(|segment| match segment {
            FlattenNodePathSegment::Field(name) => Step::Key(name.as_str().into()),
            FlattenNodePathSegment::List => Step::Items,
            FlattenNodePathSegment::TypeCondition(names) => Step::Types(self.types(names)),
        });
        before.iter().cloned().chain(steps).collect()
    }

    fn required(&self, selections: &SelectionSet) -> Vec<Required> {
        let required = |item: &SelectionItem| match item {
            SelectionItem::Field(field) => {
                // An aliased field was renamed on its way here: the alias is what the subgraph calls it.
                let mut from: Vec<Text> = vec![field.name.as_str().into()];
                from.extend(field.alias.as_deref().map(Text::from));
                let name = field.selection_identifier().into();
                Some(Required::Field { name, from, inner: self.required(&field.selections) })
            }
            SelectionItem::InlineFragment(fragment) => {
                // Both directions: an entity known by its interface alone also has to be asked for.
                let mut types = self.conditions.satisfying([fragment.type_condition.as_str()]);
                types.extend(self.conditions.satisfied_by(&fragment.type_condition).map(Arc::from));
                Some(Required::Fragment {
                    condition: fragment.type_condition.as_str().into(),
                    types: Arc::new(types),
                    inner: self.required(&fragment.selections),
                })
            }
            // The planner writes fragments into the subgraphs' documents alone.
            SelectionItem::FragmentSpread(_) => None,
        };
        selections.items.iter().filter_map(required).collect()
    }

    fn rewrites(&self, rewrites: Option<&[FetchRewrite]>) -> Vec<Rewrite> {
        let rewrite = |rewrite: &FetchRewrite| match rewrite {
            FetchRewrite::KeyRenamer(renamer) => Rewrite {
                path: self.rewrite_path(&renamer.path),
                change: Change::RenameTo(renamer.rename_key_to.as_str().into()),
            },
            FetchRewrite::ValueSetter(setter) => Rewrite {
                path: self.rewrite_path(&setter.path),
                change: Change::SetTo(setter.set_value_to.as_str().into()),
            },
        };
        rewrites.into_iter().flatten().map(rewrite).collect()
    }

    fn rewrite_path(&self, path: &[FetchNodePathSegment]) -> Vec<RewriteStep> {
        let step = |segment: &FetchNodePathSegment| match segment {
            FetchNodePathSegment::Key(name) => RewriteStep::Key(name.as_str().into()),
            FetchNodePathSegment::TypenameEquals(names) => RewriteStep::Types(self.types(names)),
        };
        path.iter().map(step).collect()
    }
}

const fn kind(kind: Option<&PlannedKind>) -> OperationKind {
    match kind {
        Some(PlannedKind::Mutation) => OperationKind::Mutation,
        Some(PlannedKind::Subscription) => OperationKind::Subscription,
        Some(PlannedKind::Query) | None => OperationKind::Query,
    }
}

fn root_keys(selections: &SelectionSet, keys: &mut Vec<Arc<str>>) {
    for item in &selections.items {
        match item {
            SelectionItem::Field(field) => keys.push(field.selection_identifier().into()),
            SelectionItem::InlineFragment(fragment) => root_keys(&fragment.selections, keys),
            SelectionItem::FragmentSpread(_) => {}
        }
    }
}
