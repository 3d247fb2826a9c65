//! What one operation may ask for.

use std::time::Duration;

use bytesize::ByteSize;
use serde::{Deserialize, Serialize};

use super::GatewayConfig;
use crate::engine::{EngineConfig, InputLimits};

/// The section `[gateway.limits]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// How many planned operations are kept.
    pub plan_cache_size: u64,
    /// How much memory they may take together, about.
    pub plan_cache_memory: ByteSize,
    /// How long planning one operation may take.
    #[serde(with = "humantime_serde")]
    pub planning_timeout: Duration,
    /// How many operations may be planned or wait for it at once; further new ones are refused as UNAVAILABLE.
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
    /// How many items a list in a request may have, written in the document or sent in the variables.
    pub max_list_size: usize,
    /// How large a page may be that a paging argument asks for.
    pub max_page_size: u64,
    /// The names of paging arguments, beside those that the supergraph names by `@listSize(slicingArguments:)`.
    pub page_arguments: Vec<String>,
    /// Whether errors tell clients which subgraph they are from.
    pub name_subgraphs_in_errors: bool,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        let EngineConfig {
            plan_cache_size,
            plan_cache_memory,
            planning_timeout,
            planning_queue,
            max_depth,
            max_aliases,
            max_root_fields,
            max_directives,
            max_tokens,
            max_fields,
            name_subgraphs_in_errors,
            cost: _,
            inputs: InputLimits { max_list_size, max_page_size, page_arguments },
            masking: _,
            live_queries: _,
            caching: _,
        } = EngineConfig::default();
        Self {
            plan_cache_size,
            plan_cache_memory: ByteSize::b(plan_cache_memory),
            planning_timeout,
            planning_queue,
            max_depth,
            max_aliases,
            max_root_fields,
            max_directives,
            max_tokens,
            max_fields,
            max_list_size,
            max_page_size,
            page_arguments,
            name_subgraphs_in_errors,
        }
    }
}

impl From<&GatewayConfig> for EngineConfig {
    fn from(config: &GatewayConfig) -> Self {
        let LimitsConfig {
            plan_cache_size,
            plan_cache_memory,
            planning_timeout,
            planning_queue,
            max_depth,
            max_aliases,
            max_root_fields,
            max_directives,
            max_tokens,
            max_fields,
            max_list_size,
            max_page_size,
            page_arguments,
            name_subgraphs_in_errors,
        } = config.limits.clone();
        Self {
            plan_cache_size,
            plan_cache_memory: plan_cache_memory.as_u64(),
            planning_timeout,
            planning_queue,
            max_depth,
            max_aliases,
            max_root_fields,
            max_directives,
            max_tokens,
            max_fields,
            name_subgraphs_in_errors,
            cost: (&config.cost).into(),
            inputs: InputLimits { max_list_size, max_page_size, page_arguments },
            masking: (&config.errors).into(),
            live_queries: false,
            caching: config.caching_rules(),
        }
    }
}
