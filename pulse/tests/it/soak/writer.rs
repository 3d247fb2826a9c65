//! Commits mutations that make events and jobs, again and again until they are answered.

use std::time::Duration;

use anyhow::Context;
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::pass;
use super::tenant::{TYPES, Tenant};
use crate::support::http::answer;

const UPSERT: &str =
    "mutation ($input: UpsertEntitiesInput!) { upsertEntities(input: $input) { results { id } } }";
const CREATE: &str =
    "mutation ($input: CreateCollectionInput!) { createCollection(input: $input) { collection { id } } }";
const DELETE: &str = "mutation ($input: DeleteCollectionInput!) { deleteCollection(input: $input) { id } }";

/// How long a mutation is tried: far longer than anything stays away.
const PATIENCE: Duration = Duration::from_mins(2);

/// When a token is old enough for a new one.
const TOKEN_AGE: Duration = Duration::from_mins(5);

/// Writes until `stop`; the collections that it deleted, each of which made a job.
pub(super) async fn write(
    tenant: Tenant,
    url: String,
    mut random: StdRng,
    stop: CancellationToken,
) -> anyhow::Result<Vec<String>> {
    let (mut deleted, mut signed_in) = (Vec::new(), Instant::now());
    for number in 0_u64.. {
        if stop.is_cancelled() {
            break;
        }
        if signed_in.elapsed() > TOKEN_AGE && tenant.sign_in(&url).await.is_ok() {
            signed_in = Instant::now();
        }
        let items: Vec<_> =
            (0..random.random_range(1..4)).map(|part| item(number, part, &mut random)).collect();
        let input = json!({ "items": items, "idempotencyKey": format!("upsert {number}") });
        repeat(&tenant, &url, UPSERT, json!({ "input": input })).await?;
        if number % 8 == 0 {
            let name = format!("collection {number}");
            let input = json!({ "name": name, "dimension": 2, "metric": "COSINE", "idempotencyKey": name });
            let created = repeat(&tenant, &url, CREATE, json!({ "input": input })).await?;
            let id = created["createCollection"]["collection"]["id"].as_str().context("it has an id")?;
            repeat(&tenant, &url, DELETE, json!({ "input": { "id": id } })).await?;
            deleted.push(id.to_owned());
        }
        pass(Duration::from_millis(random.random_range(0..40))).await;
    }
    Ok(deleted)
}

/// An entity that is new, or is changed; its type may change too.
fn item(number: u64, part: usize, random: &mut StdRng) -> Value {
    let kind = TYPES.choose(random).expect("there are some");
    let key = format!("{part} {}", random.random_range(0..40));
    json!({ "key": key, "type": kind, "name": format!("{number} {part}") })
}

/// Sends a mutation until it is answered. What was done before an answer was lost is not done again, or is known to be done.
async fn repeat(tenant: &Tenant, url: &str, mutation: &str, variables: Value) -> anyhow::Result<Value> {
    let (began, mut repeated) = (Instant::now(), false);
    loop {
        let answered = answer(url, Some(&tenant.token()), mutation, variables.clone()).await;
        let problem = match answered {
            Ok(answered) => match serde_json::from_str::<Value>(&answered.text) {
                Ok(mut body) if body.get("errors").is_none() => return Ok(body["data"].take()),
                Ok(body) if repeated && mutation == DELETE && code(&body) == "NOT_FOUND" => {
                    return Ok(Value::Null);
                }
                Ok(body) if code(&body) == "UNAVAILABLE" || code(&body) == "TIMEOUT" => body.to_string(),
                Ok(body) => anyhow::bail!("refused: {body}"),
                Err(error) => error.to_string(),
            },
            Err(error) => format!("{error:#}"),
        };
        anyhow::ensure!(began.elapsed() < PATIENCE, "a mutation is not answered: {problem}");
        repeated = true;
        pass(Duration::from_millis(20)).await;
    }
}

fn code(body: &Value) -> &str {
    body["errors"][0]["extensions"]["code"].as_str().unwrap_or_default()
}
