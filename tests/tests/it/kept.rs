//! Answers about Pulse's own types that the gateway keeps.
//!
//! A name that is written past the API is told to nobody: who sees it was answered by the database, who does not was answered
//! by what was kept.

use std::time::Duration;

use pulse_tests::{Person, Tenant, TestPlatform};
use serde_json::json;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_mins(1);

const LIST: &str = r#"{ entities(filter: { keys: ["one"] }, first: 10)
    { totalCount edges { cursor node { name entityType { name } relationships(first: 5) { nodes { id } } } } pageInfo { hasNextPage } } }"#;

struct Stage {
    platform: TestPlatform,
    alpha: Tenant,
    beta: Tenant,
}

impl Stage {
    /// Two tenants with an entity `one` each, and a gateway that alone keeps answers.
    async fn new() -> Self {
        let platform = TestPlatform::with_settings(|settings| {
            settings.cache.enabled = false;
            settings.gateway.response_cache.enabled = true;
            settings.gateway.response_cache.tracked_ttl = Duration::from_mins(30);
        })
        .await;
        let alpha = Tenant::found(&platform, "alpha").await;
        let beta = Tenant::found(&platform, "beta").await;
        let stage = Self { platform, alpha, beta };
        for tenant in [&stage.alpha, &stage.beta] {
            let make = "mutation ($input: CreateEntityTypeInput!) { createEntityType(input: $input) { __typename } }";
            stage.platform.data(&tenant.owner.token, make, json!({ "input": { "name": "thing" } })).await;
            stage.write(&tenant.owner, "first").await;
        }
        stage
    }

    /// Gives the entity a name, as everybody does.
    async fn write(&self, person: &Person, name: &str) {
        let query =
            "mutation ($input: UpsertEntitiesInput!) { upsertEntities(input: $input) { results { id } } }";
        let input = json!({ "items": [{ "key": "one", "type": "thing", "name": name }] });
        self.platform.data(&person.token, query, json!({ "input": input })).await;
    }

    /// Gives the entities of both tenants a name of which nobody is told.
    async fn write_behind(&self, name: &str) {
        let mut connection = self.platform.database.connect().await.unwrap();
        let update = sqlx::query("UPDATE entities.entities SET name = $1").bind(name);
        assert_eq!(update.execute(&mut connection).await.unwrap().rows_affected(), 2);
    }

    async fn name(&self, person: &Person) -> String {
        let data = self.platform.data(&person.token, LIST, json!({})).await;
        data["entities"]["edges"][0]["node"]["name"].as_str().unwrap().to_owned()
    }

    /// Somebody more who reads and does nothing else.
    async fn another_viewer(&self) -> Person {
        let person = Person::register(&self.platform, "another@alpha.example").await;
        let add = "mutation ($input: AddMemberInput!) { addMember(input: $input) { __typename } }";
        let input = json!({ "email": person.email, "role": "VIEWER" });
        self.platform.data(&self.alpha.owner.token, add, json!({ "input": input })).await;
        person.sign_in(&self.platform, "alpha").await
    }

    /// Reads until an answer is kept, which is not before the news of what was written before have come; the name in it.
    async fn kept(&self, person: &Person) -> String {
        let keeps = async {
            for n in 0.. {
                let name = self.name(person).await;
                self.write_behind(&format!("behind {n}")).await;
                if self.name(person).await == name {
                    return name;
                }
            }
            unreachable!("there is always another number")
        };
        timeout(PATIENCE, keeps).await.expect("nothing is kept")
    }
}

#[tokio::test]
async fn those_with_the_same_rights_in_a_tenant_share_and_nobody_else_does() {
    let stage = Stage::new().await;
    let another = stage.another_viewer().await;
    let kept = stage.kept(&stage.alpha.viewer).await;
    assert_eq!(stage.name(&another).await, kept, "it is shared");
    stage.write_behind("seen").await;
    assert_eq!(stage.name(&stage.alpha.member).await, "seen", "who may more has answers of their own");
    assert_eq!(stage.name(&stage.beta.viewer).await, "seen", "another tenant has answers of its own");
    assert_eq!(stage.name(&another).await, kept);
}

#[tokio::test]
async fn a_change_ends_what_others_have_kept_and_at_once_what_its_writer_has() {
    let stage = Stage::new().await;
    stage.kept(&stage.alpha.viewer).await;
    stage.kept(&stage.alpha.member).await;
    stage.write(&stage.alpha.member, "second").await;
    assert_eq!(
        stage.name(&stage.alpha.member).await,
        "second",
        "nobody gets what is older than their own change"
    );
    let told = async { while stage.name(&stage.alpha.viewer).await != "second" {} };
    timeout(PATIENCE, told).await.expect("others are told");
}

#[tokio::test]
async fn what_is_said_of_a_person_is_never_shared() {
    let stage = Stage::new().await;
    let query = "{ collections(first: 1) { nodes { id } } me { id } }";
    let mine = async |person: &Person| {
        let data = stage.platform.data(&person.token, query, json!({})).await;
        data["me"]["id"].as_str().unwrap().to_owned()
    };
    let another = stage.another_viewer().await;
    for _ in 0..3 {
        assert_eq!(mine(&stage.alpha.viewer).await, stage.alpha.viewer.id);
        assert_eq!(mine(&another).await, another.id);
    }
}
