//! What is stored about a person: given out to them alone, and erased without a trace.

mod anonymizing;
mod downloads;
mod erasing;
mod export;
mod retention;
mod traces;

use std::time::Duration;

use pulse_tests::{Graph, PASSWORD, Person, Tenant, TestPlatform};
use pulse_types::PrivacyRequestId;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor};

/// What is said of the person alone.
const MARKS: [&str; 6] = [
    "marker-mail@zyxwv.example",
    "Marker Former Zyxwv",
    "Marker Name Zyxwv",
    "Marker-Agent/9.81",
    "marker-purpose-zyxwv",
    "marker-key-zyxwv",
];

/// Longer than anything takes that does not hang.
const PATIENCE: Duration = Duration::from_mins(2);

/// Two tenants, and somebody who has left traces everywhere in the first one.
struct Stage {
    platform: TestPlatform,
    alpha: Tenant,
    beta: Tenant,
    graph: Graph,
    person: Person,
}

impl Stage {
    async fn new() -> Self {
        let platform = TestPlatform::start().await;
        let alpha = Tenant::found(&platform, "alpha").await;
        let beta = Tenant::found(&platform, "beta").await;
        let graph = Graph::fill(&platform, &alpha, 3, "alpha").await;
        Graph::fill(&platform, &beta, 3, "beta").await;
        let [email, former, name, agent, ..] = MARKS;
        let register =
            "mutation ($input: RegisterInput!) { register(input: $input) { accessToken user { id } } }";
        let input =
            json!({ "email": email, "password": PASSWORD, "name": former, "idempotencyKey": MARKS[5] });
        let answer = platform.graphql_by(agent, register, json!({ "input": input })).await;
        let made = &answer.json["data"]["register"];
        let (id, token) = (text(&made["user"]["id"]), text(&made["accessToken"]));
        let rename = "mutation ($name: String!) { updateMe(input: { name: $name }) { user { name } } }";
        platform.data(&token, rename, json!({ "name": name })).await;
        let person = Person { id, email: email.to_owned(), token };
        let stage = Self { platform, alpha, beta, graph, person };
        stage.join().await;
        Self { person: stage.sign_in().await, ..stage }.active().await
    }

    /// The person becomes an admin of the first tenant, and belongs to a team there. Of another one it was.
    async fn join(&self) {
        let add = "mutation ($input: AddMemberInput!) { addMember(input: $input) { __typename } }";
        let input = json!({ "email": self.person.email, "role": "ADMIN" });
        self.platform.data(&self.alpha.owner.token, add, json!({ "input": input })).await;
        let owner = &self.alpha.owner.token;
        for name in ["blue", "red"] {
            let create = "mutation ($name: String!) { createUnit(input: { kind: TEAM, name: $name }) { unit { id } } }";
            let made = self.platform.data(owner, create, json!({ "name": name })).await;
            let input = json!({ "id": made["createUnit"]["unit"]["id"], "userIds": [self.person.id] });
            let add =
                "mutation ($input: AddUnitMembersInput!) { addUnitMembers(input: $input) { addedIds } }";
            self.platform.data(owner, add, json!({ "input": input })).await;
            if name == "red" {
                let remove = "mutation ($input: RemoveUnitMembersInput!) { removeUnitMembers(input: $input) { removedIds } }";
                self.platform.data(owner, remove, json!({ "input": input })).await;
            }
        }
    }

    /// The person, signed in once more.
    async fn sign_in(&self) -> Person {
        let answer = self.try_sign_in().await;
        let token = text(&answer["data"]["signIn"]["accessToken"]);
        Person { id: self.person.id.clone(), email: self.person.email.clone(), token }
    }

    async fn try_sign_in(&self) -> Value {
        let sign_in = "mutation ($input: SignInInput!) { signIn(input: $input) { accessToken } }";
        let input = json!({ "email": self.person.email, "password": PASSWORD, "organizationSlug": "alpha" });
        self.platform.graphql_by(MARKS[3], sign_in, json!({ "input": input })).await.json
    }

    /// The person does something in every part of Pulse.
    async fn active(self) -> Self {
        let entity = &self.graph.entities[0];
        for document in [
            "mutation { updateSettings(input: { timeZone: \"UTC\" }) { __typename } }".to_owned(),
            "mutation { updatePreferences(input: { timeZone: \"UTC\" }) { __typename } }".to_owned(),
            "mutation { patchClientPreferences(input: { namespace: \"web\", patch: { wide: true } }) { __typename } }".to_owned(),
            format!(
                "mutation {{ giveConsent(input: {{ purpose: \"{}\", version: \"1\" }}) {{ consent {{ id }} }} }}",
                MARKS[4]
            ),
            format!(
                "mutation {{ giveConsent(input: {{ purpose: \"{}\", version: \"2\" }}) {{ consent {{ id }} }} }}",
                MARKS[4]
            ),
            format!(
                "mutation {{ updateEntity(input: {{ id: \"{entity}\", name: \"renamed\" }}) {{ entity {{ id }} }} }}"
            ),
            format!(
                "mutation {{ updateCollection(input: {{ id: \"{}\", name: \"others\" }}) {{ collection {{ id }} }} }}",
                self.graph.collection
            ),
            format!(
                "mutation {{ updateWebhook(input: {{ id: \"{}\", description: \"theirs\" }}) {{ webhook {{ id }} }} }}",
                self.graph.webhook
            ),
            format!(
                "mutation {{ recordEvents(input: {{ events: [{{ name: \"alpha.viewed\", value: 5, actorId: \"{}\" }}] }}) {{ recorded }} }}",
                self.person.id
            ),
            format!(
                "mutation {{ createEntity(input: {{ key: \"theirs\", type: \"package\", name: \"theirs\", idempotencyKey: \"{}\" }}) {{ entity {{ id }} }} }}",
                MARKS[5]
            ),
            format!(
                "mutation {{ changeMemberRole(input: {{ userId: \"{}\", role: MEMBER }}) {{ membership {{ role }} }} }}",
                self.alpha.viewer.id
            ),
            format!(
                "mutation {{ addMember(input: {{ email: \"{}\", role: VIEWER }}) {{ membership {{ role }} }} }}",
                self.beta.viewer.email
            ),
        ] {
            self.platform.data(&self.person.token, &document, json!({})).await;
        }
        self.past_the_api().await;
        self
    }

    /// What nobody asks for: an event about the person that could not be handled, a job, and one that has ended.
    async fn past_the_api(&self) {
        let (org, person) = (&self.alpha.id, &self.person.id);
        let event = json!({
            "position": 1, "tenant": org, "kind": "created", "subject": "x", "key": person, "version": 1, "changed": [],
            "attributes": { "user": person }, "actor": person, "request": null, "at": "2026-03-15T12:00:00Z",
        });
        let columns =
            "id, tenant, kind, payload, priority, max_attempts, run_at, unique_key, actor, created_at";
        let values = format!(
            "gen_random_uuid(), '{org}', 'nobody.x', '{{\"user\": \"{person}\"}}', 0, 3, now(), 'of {person}', '{person}', now()"
        );
        self.execute(&format!(
            "INSERT INTO platform.dead_letters (id, consumer, position, tenant, event, attempts, error, at)
             VALUES (gen_random_uuid(), 'nobody.x', 1, '{org}', '{event}', 5, '', now());
             INSERT INTO platform.jobs ({columns}) VALUES ({values});
             INSERT INTO platform.jobs_ended ({columns}, status, attempts, progress, claims, version, finished_at, result)
             VALUES ({values}, 'failed', 3, 0, 3, 5, now(), '{{\"users\": [\"{person}\"]}}')"
        ))
        .await;
    }

    async fn execute(&self, sql: &str) {
        let mut connection = self.platform.database.connect().await.unwrap();
        connection.execute(AssertSqlSafe(sql.to_owned())).await.unwrap();
    }

    /// The person's export, completed.
    async fn export(&self) -> PrivacyRequestId {
        let ask = "mutation { exportMyData { export { id userId status } } }";
        let data = self.platform.data(&self.person.token, ask, json!({})).await;
        let export = &data["exportMyData"]["export"];
        assert_eq!(export["userId"], self.person.id);
        let id = text(&export["id"]).parse().unwrap();
        self.until(id, "completed").await;
        id
    }

    /// Where the export is downloaded by this person.
    async fn download_path(&self, token: &str, id: PrivacyRequestId) -> String {
        let ask = "query ($id: ID!) { dataExport(id: $id) { status size downloadPath } }";
        let data = self.platform.data(token, ask, json!({ "id": id })).await;
        assert_eq!(data["dataExport"]["status"], "COMPLETED");
        text(&data["dataExport"]["downloadPath"])
    }

    /// Waits for what the request is to become.
    async fn until(&self, id: PrivacyRequestId, status: &str) {
        let mut connection = self.platform.database.connect().await.unwrap();
        let reached = async {
            loop {
                let sql = "SELECT status FROM platform.privacy_requests WHERE id = $1";
                let now: String =
                    sqlx::query_scalar(sql).bind(id.uuid()).fetch_one(&mut connection).await.unwrap();
                if now == status {
                    break;
                }
                tokio::task::yield_now().await;
            }
        };
        if tokio::time::timeout(PATIENCE, reached).await.is_err() {
            let sql = "SELECT string_agg(concat_ws(' ', kind, status, error), '\n') FROM platform.all_jobs WHERE error IS NOT NULL";
            let why: Option<String> = sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap();
            panic!("the request {id} is not {status}: {why:?}");
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}
