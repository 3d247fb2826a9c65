//! What operations cost, by the weights and list sizes that the supergraph declares: estimated from an operation's text
//! and variables before anything is fetched, and counted in the answer after.
//!
//! As IBM's cost directive specification has it and other routers read it: a field costs its `@cost`, or else that of its
//! type, by default 1 for an object and 0 for a scalar; with what is selected inside it; times the length of its list;
//! and its arguments. Where a value may be of several types, the dearest counts.

mod actual;
mod amount;
mod arguments;
mod estimate;
mod fetches;
mod price;
mod sizes;
mod weights;

use std::sync::Arc;

use async_trait::async_trait;

pub use amount::Cost;
pub(super) use price::{Pricer, Pricing};
pub(super) use weights::Weights;

use fetches::FetchPrice;
use price::Priced;

/// How costs are counted where the supergraph says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CostRules {
    /// Whether costs are counted at all.
    pub counted: bool,
    /// Whether they are estimated for each subgraph too.
    pub by_subgraph: bool,
    /// How long a list is taken to be.
    pub default_list_size: u64,
    /// The weight of an object.
    pub object_weight: Cost,
    /// The weight of a scalar or an enum.
    pub scalar_weight: Cost,
    /// What a mutation costs beside its fields.
    pub mutation_weight: Cost,
}

impl Default for CostRules {
    fn default() -> Self {
        Self {
            counted: false,
            by_subgraph: false,
            default_list_size: 10,
            object_weight: Cost::new(1),
            scalar_weight: Cost::ZERO,
            mutation_weight: Cost::new(10),
        }
    }
}

/// What an operation is expected to cost at most, as its lists are no longer than they say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Estimate {
    /// The whole operation.
    pub cost: Cost,
    /// What falls on each subgraph, where that is counted: the entities and fields that are fetched from it.
    pub subgraphs: Vec<(Arc<str>, Cost)>,
    /// Why some list's size could not be told from its arguments although the schema demands it.
    pub unsized_lists: Vec<String>,
}

/// Pays for the events of a subscription.
#[async_trait]
pub trait Toll: Send + Sync + std::fmt::Debug {
    /// Pays for the next event; it is not run when this says no.
    async fn pay(&self) -> bool;
}

impl Estimate {
    /// What `extensions.cost` tells.
    pub(super) fn json(&self, actual: Cost) -> serde_json::Value {
        let mut told = serde_json::json!({ "estimated": self.cost, "actual": actual });
        if !self.subgraphs.is_empty() {
            let subgraphs = self.subgraphs.iter().map(|(name, cost)| (name.to_string(), (*cost).into()));
            told["subgraphs"] = serde_json::Value::Object(subgraphs.collect());
        }
        told
    }
}

/// What is computed once for an operation, so that an estimate is one pass over it.
#[derive(Debug)]
pub(super) struct OperationCost {
    base: Cost,
    whole: Priced,
    fetches: Vec<FetchPrice>,
    default_list_size: u64,
}
