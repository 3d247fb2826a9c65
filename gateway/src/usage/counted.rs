//! What was seen since the last report, counted.

use std::collections::{BTreeSet, HashMap};

use metrics::counter;
use pulse_schema::{ApiSchema, operation_coordinates_of, operation_signature};
use serde_json::{Value as Json, json};

use super::Seen;
use crate::engine::OperationKind;

/// A report has at most so many operations,
const MOST_OPERATIONS: usize = 500;

/// and so many coordinates.
const MOST_COORDINATES: usize = 10_000;

/// An operation of a client.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    signature: String,
    name: String,
    kind: OperationKind,
    client_name: String,
    client_version: String,
}

#[derive(Debug, Default)]
struct Count {
    seen: u64,
    errors: u64,
    coordinates: BTreeSet<String>,
}

/// How often each operation was seen, and what it uses.
#[derive(Debug, Default)]
pub(super) struct Counted {
    counts: HashMap<Key, Count>,
}

impl Counted {
    /// Counts an operation. Beyond `most` different ones, others are dropped.
    pub(super) fn add(&mut self, seen: Seen, schema: &ApiSchema, most: usize) {
        let Seen { document, name, kind, variables, client_name, client_version, has_errors } = seen;
        let variables = variables.map(|given| serde_json::from_str(&given.to_string()).unwrap_or(Json::Null));
        let variables = variables.map(|given| if given.is_null() { json!({}) } else { given });
        // What cannot be read uses nothing of the schema.
        let Ok(coordinates) = operation_coordinates_of(schema, &document, name.as_deref(), variables) else {
            return;
        };
        let signature = operation_signature(&document);
        let key = Key { signature, name: name.unwrap_or_default(), kind, client_name, client_version };
        if self.counts.len() >= most && !self.counts.contains_key(&key) {
            counter!("pulse_gateway_usage_dropped_total").increment(1);
            return;
        }
        let count = self.counts.entry(key).or_default();
        count.seen += 1;
        count.errors += u64::from(has_errors);
        count.coordinates.extend(coordinates);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// Takes as much as a report may have, as the registry takes it. `scale` counts up from the sample.
    pub(super) fn take(&mut self, at: &str, scale: f64) -> Vec<Json> {
        let mut taken = Vec::new();
        let (mut operations, mut coordinates) = (0, 0);
        self.counts.retain(|key, count| {
            if operations == MOST_OPERATIONS
                || coordinates + count.coordinates.len() > MOST_COORDINATES && operations > 0
            {
                return true;
            }
            operations += 1;
            coordinates += count.coordinates.len();
            taken.push(reported(key, count, at, scale));
            false
        });
        taken
    }
}

fn reported(key: &Key, count: &Count, at: &str, scale: f64) -> Json {
    let requests = scaled(count.seen, scale).max(1);
    json!({
        "signature": key.signature,
        "name": key.name.chars().take(200).collect::<String>(),
        "kind": match key.kind {
            OperationKind::Query => "QUERY",
            OperationKind::Mutation => "MUTATION",
            OperationKind::Subscription => "SUBSCRIPTION",
        },
        "clientName": key.client_name,
        "clientVersion": key.client_version,
        "at": at,
        "requests": requests,
        "errors": scaled(count.errors, scale).min(requests),
        "coordinates": count.coordinates.iter().filter(|name| name.chars().count() <= 300).take(MOST_COORDINATES).collect::<Vec<_>>(),
    })
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an estimate from a sample, never negative, and cut at what a report may say"
)]
fn scaled(count: u64, scale: f64) -> u64 {
    ((count as f64 * scale).round() as u64).min(1_000_000_000)
}
