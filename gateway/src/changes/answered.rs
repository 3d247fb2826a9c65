//! What a subgraph's answer says of itself.

use std::sync::Arc;

use pulse_cache::Reads;
use pulse_types::Tag;

use crate::ports::SubgraphResponse;
use crate::value::Value;

/// Adds what a subgraph's answer says of itself in `extensions.tags`. One that says nothing, or something that cannot be
/// read, is untracked.
pub(crate) fn add_answer(reads: &mut Reads, subgraph: &Arc<str>, response: &SubgraphResponse) {
    let tags = response.extensions.get("tags").and_then(Value::as_list);
    let tag = |value: &Value| value.as_str().and_then(|text| text.parse::<Tag>().ok());
    let Some(tags) = tags else { return reads.add_untracked(subgraph) };
    for value in tags {
        match tag(value) {
            Some(tag) => reads.add(tag),
            None => reads.add_untracked(subgraph),
        }
    }
}
