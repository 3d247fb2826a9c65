//! Demo data: a login, an organization, and something for every subgraph to answer. Made through the same API and the
//! same import as anybody's data, so starting twice changes nothing.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::BufRead;
use std::sync::Arc;

use anyhow::{Context, bail};
use chrono::{DateTime, TimeDelta, Utc};
use pulse_entities::import::{Format, ImportOptions, Source, import};
use pulse_graphql::Subgraph;
use pulse_store::Store;
use pulse_tokens::AccessTokens;
use pulse_types::{Caller, OrgId, RequestId, Secret};
use serde_json::{Value, json};

use super::Platform;
use crate::settings::Settings;

/// The archive, in the form that `pulse import` reads.
const PACKAGES: &str = include_str!("../../../demo/package-graph.jsonl");

const EMAIL: &str = "demo@example.com";
const PASSWORD: &str = "pulse demo password";
const ORGANIZATION: &str = "demo";
const COLLECTION: &str = "package descriptions";

/// Dimensions of the demo's vectors.
const DIMENSION: usize = 64;

/// Items or events in one request.
const BATCH: usize = 500;

/// How somebody signs in to the demo.
pub struct Login {
    /// The address.
    pub email: &'static str,
    /// The password, known to everybody.
    pub password: &'static str,
    /// The organization's slug.
    pub organization: &'static str,
    /// An access token, good for a quarter of an hour.
    pub access_token: String,
}

/// Makes what is missing of the demo.
pub async fn load(platform: &Platform, tokens: &AccessTokens, settings: &Settings) -> anyhow::Result<Login> {
    let demo = Demo { platform, tokens, settings };
    let (access_token, caller) = demo.sign_in().await?;
    let org = caller.org.context("the demo's session has no organization")?;
    if !demo.is_complete(&caller).await? {
        demo.fill(&caller, org).await?;
    }
    Ok(Login { email: EMAIL, password: PASSWORD, organization: ORGANIZATION, access_token })
}

/// A command to paste that asks four subgraphs at once.
pub fn example(url: &str, login: &Login) -> String {
    let query = "{ me { name } organization { name activity(days: 30) { total } } entities(filter: { type: \\\"package\\\" }, first: 3) \
                 { nodes { name relationships(direction: OUTGOING, first: 3) { nodes { type target { name } } } similar(first: 3) \
                 { score entity { name } } } } }";
    format!(
        "curl -s {url} \\\n  -H 'content-type: application/json' \\\n  -H 'authorization: Bearer {}' \\\n  -d '{{\"query\": \"{query}\"}}'",
        login.access_token
    )
}

struct Demo<'a> {
    platform: &'a Platform,
    tokens: &'a AccessTokens,
    settings: &'a Settings,
}

impl Demo<'_> {
    /// Signs in, after the person and the organization are made if they are missing.
    async fn sign_in(&self) -> anyhow::Result<(String, Arc<Caller>)> {
        let demo = pulse_accounts::Demo {
            email: EMAIL.to_owned(),
            password: Secret::new(PASSWORD),
            name: "Demo".to_owned(),
            slug: ORGANIZATION.to_owned(),
            organization: "Demo".to_owned(),
        };
        pulse_accounts::ensure_demo(self.store(), &demo, self.settings.accounts.password_hash).await?;
        let anonymous = Arc::new(Caller::anonymous(RequestId::new(self.now())));
        let sign_in = "mutation ($input: SignInInput!) { signIn(input: $input) { accessToken } }";
        let input = json!({ "email": EMAIL, "password": PASSWORD, "organizationSlug": ORGANIZATION });
        let data = self.ask("accounts", &anonymous, sign_in, json!({ "input": input })).await?;
        let token = data["signIn"]["accessToken"].as_str().context("no access token")?;
        let claims = self.tokens.verify(token, self.now())?;
        Ok((token.to_owned(), Arc::new(claims.caller(RequestId::new(self.now())))))
    }

    /// Whether the last thing that `fill` makes is there.
    async fn is_complete(&self, caller: &Arc<Caller>) -> anyhow::Result<bool> {
        let query = "{ events(first: 1) { totalCount } }";
        let data = self.ask("analytics", caller, query, json!({})).await?;
        Ok(data["events"]["totalCount"].as_u64() == Some(packages().count() as u64))
    }

    async fn fill(&self, caller: &Arc<Caller>, org: OrgId) -> anyhow::Result<()> {
        let archive = Source::stream(PACKAGES.as_bytes(), Format::JsonLines);
        import(self.store(), org, archive, &ImportOptions::default(), |_| {}).await?;
        let ids = self.entity_ids(caller).await?;
        let collection = self.collection(caller).await?;
        let packages: Vec<_> = packages().collect();
        for (batch, packages) in packages.chunks(BATCH).enumerate() {
            let items: Vec<_> = packages.iter().filter_map(|package| item(package, &ids)).collect();
            let put = "mutation ($input: UpsertItemsInput!) { upsertItems(input: $input) { created } }";
            let input = json!({ "collectionId": collection, "items": items });
            self.ask("vectors", caller, put, json!({ "input": input })).await?;
            let events: Vec<_> = packages.iter().map(|package| event(package, &ids, self.now())).collect();
            let record = "mutation ($input: RecordEventsInput!) { recordEvents(input: $input) { recorded } }";
            let input = json!({ "events": events, "idempotencyKey": format!("demo-{batch}") });
            self.ask("analytics", caller, record, json!({ "input": input })).await?;
        }
        Ok(())
    }

    /// The ids of all entities by their keys.
    async fn entity_ids(&self, caller: &Arc<Caller>) -> anyhow::Result<serde_json::Map<String, Value>> {
        let query = "query ($after: String) { entities(first: 100, after: $after) { nodes { id key } pageInfo { endCursor hasNextPage } } }";
        let mut ids = serde_json::Map::new();
        let mut after = Value::Null;
        loop {
            let mut data = self.ask("entities", caller, query, json!({ "after": after })).await?;
            for node in data["entities"]["nodes"].as_array_mut().context("no entities")? {
                if let (Value::String(key), id) = (node["key"].take(), node["id"].take()) {
                    ids.insert(key, id);
                }
            }
            let page = &data["entities"]["pageInfo"];
            if page["hasNextPage"] != true {
                return Ok(ids);
            }
            after = page["endCursor"].clone();
        }
    }

    /// The collection of the demo's vectors.
    async fn collection(&self, caller: &Arc<Caller>) -> anyhow::Result<Value> {
        let create = "mutation ($input: CreateCollectionInput!) { createCollection(input: $input) { collection { id } } }";
        let input = json!({ "name": COLLECTION, "dimension": DIMENSION, "metric": "COSINE", "idempotencyKey": "demo" });
        if let Ok(mut data) = self.ask("vectors", caller, create, json!({ "input": input })).await {
            return Ok(data["createCollection"]["collection"]["id"].take());
        }
        let data = self
            .ask("vectors", caller, "{ collections(first: 100) { nodes { id name } } }", json!({}))
            .await?;
        let collections = data["collections"]["nodes"].as_array().context("no collections")?;
        let ours = collections.iter().find(|collection| collection["name"] == COLLECTION);
        Ok(ours.context("the demo's collection cannot be made")?["id"].clone())
    }

    async fn ask(
        &self,
        name: &str,
        caller: &Arc<Caller>,
        query: &str,
        variables: Value,
    ) -> anyhow::Result<Value> {
        let named = |subgraph: &&Subgraph| subgraph.name == name;
        let subgraph = self.platform.subgraphs.iter().find(named).context("no such subgraph")?;
        let request =
            async_graphql::Request::new(query).variables(async_graphql::Variables::from_json(variables));
        let response = subgraph.api.execute(Arc::clone(caller), request).await;
        match response.errors.first() {
            Some(error) => bail!("{name}: {}", error.message),
            None => Ok(response.data.into_json()?),
        }
    }

    fn store(&self) -> &Store {
        self.platform.store()
    }

    fn now(&self) -> DateTime<Utc> {
        self.store().clock().now()
    }
}

/// The archive's packages.
fn packages() -> impl Iterator<Item = Value> {
    let lines = PACKAGES.as_bytes().lines().map_while(Result::ok);
    lines
        .filter_map(|line| serde_json::from_str::<Value>(&line).ok())
        .filter(|line| line["type"] == "package" && line["kind"] == "entity")
}

fn item(package: &Value, ids: &serde_json::Map<String, Value>) -> Option<Value> {
    let key = package["key"].as_str()?;
    let vector = hashed_words(package["description"].as_str()?);
    let metadata = json!({ "section": package["properties"]["section"] });
    Some(json!({ "key": key, "vector": vector, "metadata": metadata, "entityId": ids.get(key)? }))
}

/// One installation, some time in the last 30 days; when and how large depends on the package alone.
fn event(package: &Value, ids: &serde_json::Map<String, Value>, now: DateTime<Utc>) -> Value {
    let key = package["key"].as_str().unwrap_or_default();
    let minutes = i64::try_from(hash(key) % (30 * 24 * 60)).unwrap_or(0);
    json!({
        "name": "package.installed",
        "at": (now - TimeDelta::minutes(minutes)).to_rfc3339(),
        "value": package["properties"]["installedKiB"].as_f64().unwrap_or(0.0),
        "entityId": ids.get(key),
        "properties": { "section": package["properties"]["section"] },
    })
}

/// Feature hashing: each word adds to or takes from one dimension. Texts that share words are near each other.
fn hashed_words(text: &str) -> Vec<f32> {
    let mut vector = vec![0.0_f32; DIMENSION];
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 2) {
        let hash = hash(&word.to_lowercase());
        let place = usize::try_from(hash % DIMENSION as u64).unwrap_or(0);
        vector[place] += if hash & (1 << 40) == 0 { 1.0 } else { -1.0 };
    }
    // A text without words, or whose words cancel out, still needs a direction.
    if vector.iter().all(|value| *value == 0.0) {
        vector[0] = 1.0;
    }
    vector
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
