//! The subgraph over a database of its own, with a clock that tests move.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_graphql::{Request, Variables};
use chrono::DateTime;
use pulse_accounts::{Config, MailConfig, PasswordHashConfig, subgraph};
use pulse_events::Tail;
use pulse_graphql::Subgraph;
use pulse_jobs::{Worker, WorkerOptions};
use pulse_sealing::Sealer;
use pulse_store::{PoolOptions, Store};
use pulse_testkit::TestDatabase;
use pulse_tokens::{AccessTokens, SigningKey};
use pulse_types::{Caller, Clock, OrgId, Permission, Permissions, RequestId, Secret, UserId};
use serde_json::{Value, json};

pub(crate) const PASSWORD: &str = "correct battery staple";

pub(crate) struct Accounts {
    pub(crate) subgraph: Subgraph,
    pub(crate) store: Store,
    pub(crate) tokens: AccessTokens,
    pub(crate) database: TestDatabase,
    mail: tempfile::TempDir,
    seconds: Arc<AtomicI64>,
}

/// Somebody who has signed in.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) id: UserId,
    pub(crate) caller: Caller,
    pub(crate) refresh_token: String,
}

impl Accounts {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// With other settings.
    pub(crate) async fn with(settings: impl FnOnce(&mut Config)) -> Self {
        let database = TestDatabase::new().await.unwrap();
        let seconds = Arc::new(AtomicI64::new(1_800_000_000));
        let now = Arc::clone(&seconds);
        let clock = Clock::from_fn(move || DateTime::from_timestamp(now.load(Ordering::SeqCst), 0).unwrap());
        let store = Store::new(database.options(), &PoolOptions::default(), clock);
        let tokens = AccessTokens::signing(SigningKey::from_seed(&[1; 32]).unwrap()).unwrap();
        let cheap = PasswordHashConfig { memory: 8, iterations: 1, parallelism: 1 };
        let mail = tempfile::tempdir().unwrap();
        let letters = MailConfig { folder: mail.path().to_owned(), ..MailConfig::default() };
        let mut config = Config { password_hash: cheap, mail: letters, ..Config::default() };
        settings(&mut config);
        let parts = (store.clone(), Tail::new(&store).0);
        let subgraph = subgraph(parts, tokens.clone(), sealer(), config).unwrap();
        Self { subgraph, store, tokens, database, mail, seconds }
    }

    /// Sends the letters that wait, and takes those out of the folder that were not taken yet.
    pub(crate) async fn letters(&self) -> Vec<Letter> {
        let worker = Worker::new(self.store.clone(), self.subgraph.jobs.clone(), WorkerOptions::default());
        worker.drain().await.unwrap();
        let mut files: Vec<_> =
            std::fs::read_dir(self.mail.path()).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        let letters =
            files.iter().map(|file| Letter::parse(&std::fs::read_to_string(file).unwrap())).collect();
        for file in &files {
            std::fs::remove_file(file).unwrap();
        }
        letters
    }

    /// The one letter that waits.
    pub(crate) async fn letter(&self) -> Letter {
        let letters = self.letters().await;
        let [letter] = <[Letter; 1]>::try_from(letters).unwrap_or_else(|letters| panic!("{letters:?}"));
        letter
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(crate) fn anonymous(&self) -> Caller {
        Caller::anonymous(RequestId::new(self.store.clock().now()))
    }

    pub(crate) async fn run(&self, caller: &Caller, query: &str, variables: Value) -> Value {
        let request = Request::new(query).variables(Variables::from_json(variables));
        serde_json::to_value(self.subgraph.api.execute(Arc::new(caller.clone()), request).await).unwrap()
    }

    /// Runs what must succeed; the data.
    pub(crate) async fn data(&self, caller: &Caller, query: &str, variables: Value) -> Value {
        let mut response = self.run(caller, query, variables).await;
        assert_eq!(response.get("errors"), None, "{query}");
        response["data"].take()
    }

    /// Whom an access token is for.
    pub(crate) fn caller(&self, token: &Value) -> Caller {
        let now = self.store.clock().now();
        self.tokens.verify(token.as_str().unwrap(), now).unwrap().caller(RequestId::new(now))
    }

    pub(crate) fn person(&self, payload: &Value) -> Person {
        let caller = self.caller(&payload["accessToken"]);
        let refresh_token = payload["refreshToken"].as_str().unwrap_or_default().to_owned();
        Person { id: caller.user().unwrap(), caller, refresh_token }
    }

    /// A second later, somebody of this name registers.
    pub(crate) async fn register(&self, name: &str) -> Person {
        self.pass(1);
        let query =
            "mutation ($input: RegisterInput!) { register(input: $input) { accessToken refreshToken } }";
        let input = json!({ "email": email(name), "password": PASSWORD, "name": name });
        let data = self.data(&self.anonymous(), query, json!({ "input": input })).await;
        self.person(&data["register"])
    }

    /// The person makes an organization and acts in it.
    pub(crate) async fn found(&self, person: &Person, slug: &str) -> (OrgId, Person) {
        let query = "mutation ($input: CreateOrganizationInput!) {
            createOrganization(input: $input) { organization { id } } }";
        let input = json!({ "slug": slug, "name": format!("The {slug}") });
        let data = self.data(&person.caller, query, json!({ "input": input })).await;
        let id: OrgId = data["createOrganization"]["organization"]["id"].as_str().unwrap().parse().unwrap();
        (id, self.switch(person, id).await)
    }

    pub(crate) async fn switch(&self, person: &Person, org: OrgId) -> Person {
        let query =
            "mutation ($id: ID!) { switchOrganization(input: { organizationId: $id }) { accessToken } }";
        let data = self.data(&person.caller, query, json!({ "id": org.to_string() })).await;
        let refresh_token = person.refresh_token.clone();
        Person { refresh_token, ..self.person(&data["switchOrganization"]) }
    }

    /// Somebody of this name registers, becomes a member of the owner's organization, and acts in it.
    pub(crate) async fn member(&self, owner: &Person, name: &str, role: &str) -> Person {
        let person = self.register(name).await;
        let response = self.run(&owner.caller, ADD_MEMBER, add(name, role)).await;
        assert_eq!(response.get("errors"), None);
        self.switch(&person, owner.caller.org.unwrap()).await
    }

    /// One value of the database, whoever may see it.
    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        let mut connection = self.database.connect().await.unwrap();
        sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap()
    }
}

pub(crate) const ADD_MEMBER: &str = "mutation ($input: AddMemberInput!) {
    addMember(input: $input) { membership { role joinedAt user { name email } } } }";

pub(crate) fn add(name: &str, role: &str) -> Value {
    json!({ "input": { "email": email(name), "role": role } })
}

pub(crate) fn email(name: &str) -> String {
    format!("{}@example.com", name.to_lowercase())
}

/// A letter, as its reader sees it.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    pub(crate) to: String,
    pub(crate) subject: String,
    pub(crate) body: String,
}

impl Letter {
    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let header = |name: &str| {
            let line = head.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_else(|| panic!("no {name} in {head}")).to_owned()
        };
        let body = if head.contains("quoted-printable") {
            body.replace("=\r\n", "").replace("=3D", "=")
        } else {
            body.to_owned()
        };
        Self { to: header("To: "), subject: header("Subject: "), body }
    }

    /// The token in its link.
    pub(crate) fn token(&self) -> String {
        let (_, rest) = self.body.split_once("#token=").unwrap_or_else(|| panic!("no link in {self:?}"));
        rest.split_whitespace().next().unwrap().to_owned()
    }
}

pub(crate) fn sealer() -> Sealer {
    let key = Secret::new("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=");
    Sealer::try_new(&key, &[]).unwrap()
}

/// The same caller without this permission.
pub(crate) fn without(caller: &Caller, permission: &Permission) -> Caller {
    let permissions: Permissions = caller.permissions.iter().filter(|p| *p != permission).cloned().collect();
    Caller { permissions, ..caller.clone() }
}

/// A response as one line, with words in the place of what is different each time.
pub(crate) fn show(response: &Value) -> String {
    fn redact(value: &mut Value) {
        match value {
            Value::String(text) if text.parse::<UserId>().is_ok() => "[id]".clone_into(text),
            Value::String(text) if text.starts_with("eyJ") => "[access token]".clone_into(text),
            Value::String(text) if text.starts_with("pulse_rt_") => "[refresh token]".clone_into(text),
            Value::Array(values) => values.iter_mut().for_each(redact),
            Value::Object(fields) => {
                fields.remove("locations");
                if let Some(cursor) = fields.get_mut("endCursor") {
                    *cursor = "[cursor]".into();
                }
                fields.values_mut().for_each(redact);
            }
            _ => {}
        }
    }
    let mut response = response.clone();
    redact(&mut response);
    response.to_string()
}
