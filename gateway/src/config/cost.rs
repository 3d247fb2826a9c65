//! What operations may cost.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::KeyExpression;
use crate::engine::{Cost, CostRules};

/// The section `[gateway.cost]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct CostConfig {
    /// Whether costs are counted, and whether operations are refused for them.
    pub mode: CostMode,
    /// The most that one operation may be estimated to cost; 0 for any cost.
    pub max: Cost,
    /// How long a list is taken to be of which the supergraph says nothing.
    pub default_list_size: u64,
    /// What an object costs of which the supergraph says nothing.
    pub object_weight: Cost,
    /// What a scalar or an enum costs of which the supergraph says nothing.
    pub scalar_weight: Cost,
    /// What a mutation costs beside its fields.
    pub mutation_weight: Cost,
    /// Whether answers tell costs and balances in headers.
    pub headers: bool,
    /// When answers tell costs in `extensions.cost`.
    pub extensions: TellCost,
    /// How long a debit in Redis outlives the process that made it. It must be longer than a request may take.
    #[serde(with = "humantime_serde")]
    pub lease: Duration,
    /// The most that one operation's fetches from a subgraph may be estimated to cost, by the subgraph's name.
    pub subgraphs: BTreeMap<String, Cost>,
    /// Budgets that operations are paid from.
    pub buckets: Vec<BucketConfig>,
}

/// What is done about costs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CostMode {
    /// Nothing.
    #[default]
    Off,
    /// They are counted and told; nothing is refused, nothing is debited.
    Measure,
    /// They are counted and told, and operations that cost too much are refused.
    Enforce,
}

/// When something is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TellCost {
    /// Never.
    Never,
    /// When the request asks for it with `"extensions": {"cost": true}`.
    #[default]
    Asked,
    /// In every answer.
    Always,
}

/// A budget for each of those that a key tells apart: it fills steadily, and operations are paid from it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct BucketConfig {
    /// Its name in headers and errors.
    pub name: String,
    /// Whose budget it is.
    pub key: KeyExpression,
    /// What it holds at most.
    pub capacity: Cost,
    /// What flows in each second.
    pub refill_per_second: Cost,
}

impl Default for CostConfig {
    fn default() -> Self {
        let CostRules { default_list_size, object_weight, scalar_weight, mutation_weight, .. } =
            CostRules::default();
        Self {
            mode: CostMode::Off,
            max: Cost::new(10_000),
            default_list_size,
            object_weight,
            scalar_weight,
            mutation_weight,
            headers: true,
            extensions: TellCost::Asked,
            lease: Duration::from_mins(1),
            subgraphs: BTreeMap::new(),
            buckets: Vec::new(),
        }
    }
}

impl From<&CostConfig> for CostRules {
    fn from(config: &CostConfig) -> Self {
        Self {
            counted: config.mode != CostMode::Off,
            by_subgraph: !config.subgraphs.is_empty() || config.extensions != TellCost::Never,
            default_list_size: config.default_list_size,
            object_weight: config.object_weight,
            scalar_weight: config.scalar_weight,
            mutation_weight: config.mutation_weight,
        }
    }
}
