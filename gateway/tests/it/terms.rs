//! Credentials that are for less than all that their caller may do: keys with networks, operations and limits of their own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures::stream::{BoxStream, StreamExt};
use http::{HeaderMap, Method};
use pulse_gateway::ports::{
    Authenticated, AuthenticationError, Authenticator, Revocation, RevocationFeed, Terms,
};
use pulse_gateway::{CostMode, GatewayConfig, GatewayParts};
use pulse_types::{Caller, Clock, MachineId, RequestId, Subject, UserId};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;

use crate::support::client::Reply;
use crate::support::gateway::{TestGateway, parts};
use crate::support::noon;

/// Takes any token for the key that the test holds.
struct Keys {
    caller: Arc<Caller>,
    terms: Terms,
    now: Arc<Mutex<DateTime<Utc>>>,
    asked: AtomicUsize,
}

#[async_trait]
impl Authenticator for Keys {
    async fn authenticate(&self, _: &HeaderMap) -> Result<Authenticated, AuthenticationError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let remember_until = Some(*self.now.try_lock().unwrap() + TimeDelta::minutes(1));
        let terms = Some(Arc::new(Terms { remember_until, ..self.terms.clone() }));
        Ok(Authenticated { caller: Arc::clone(&self.caller), expires_at: None, terms })
    }
}

struct Feed(std::sync::Mutex<Option<UnboundedReceiver<Revocation>>>);

impl RevocationFeed for Feed {
    fn revocations(&self) -> BoxStream<'static, Revocation> {
        self.0.lock().unwrap().take().unwrap().boxed()
    }
}

struct Setup {
    gateway: TestGateway,
    keys: Arc<Keys>,
    revoke: UnboundedSender<Revocation>,
    now: Arc<Mutex<DateTime<Utc>>>,
}

impl Setup {
    async fn start(terms: Terms, config: GatewayConfig) -> Self {
        let now = Arc::new(Mutex::new(noon()));
        let subject = Subject::Machine { id: MachineId::new(noon()), maker: UserId::new(noon()) };
        let caller = Arc::new(Caller { subject, ..Caller::anonymous(RequestId::new(noon())) });
        let keys = Arc::new(Keys { caller, terms, now: Arc::clone(&now), asked: AtomicUsize::new(0) });
        let (revoke, revocations) = unbounded();
        let told = Arc::clone(&now);
        let parts = GatewayParts {
            authenticator: Arc::clone(&keys) as Arc<dyn Authenticator>,
            revocations: Some(Arc::new(Feed(std::sync::Mutex::new(Some(revocations))))),
            clock: Clock::from_fn(move || *told.try_lock().unwrap()),
            ..parts()
        };
        Self { gateway: TestGateway::with(parts, config).await, keys, revoke, now }
    }

    async fn ask(&self, query: &str) -> Reply {
        let headers = ["content-type: application/json", "authorization: Bearer key"];
        let body = json!({ "query": query }).to_string();
        self.gateway.send(Method::POST, "/graphql", &headers, body).await
    }

    fn asked(&self) -> usize {
        self.keys.asked.load(Ordering::SeqCst)
    }
}

/// The status, the first error's code and its reason.
fn said(reply: &Reply) -> (u16, String, String) {
    let body: Value = serde_json::from_str(reply.text()).unwrap();
    let extension =
        |name: &str| body["errors"][0]["extensions"][name].as_str().unwrap_or_default().to_owned();
    (reply.status.as_u16(), extension("code"), extension("reason"))
}

fn good() -> (u16, String, String) {
    (200, String::new(), String::new())
}

#[tokio::test]
async fn a_key_is_good_from_its_networks_alone() {
    let networks = |networks: &[&str]| Terms {
        networks: networks.iter().map(|network| network.parse().unwrap()).collect(),
        ..Terms::default()
    };
    let elsewhere = Setup::start(networks(&["192.0.2.0/24"]), GatewayConfig::default()).await;
    let refused = elsewhere.ask("{ caller }").await;
    assert_eq!(said(&refused), (401, "UNAUTHENTICATED".to_owned(), String::new()));
    assert!(refused.text().contains("may not be used from 127.0.0.1"), "{}", refused.text());
    let here = Setup::start(networks(&["192.0.2.0/24", "127.0.0.0/8"]), GatewayConfig::default()).await;
    assert_eq!(said(&here.ask("{ caller }").await), good());
}

#[tokio::test]
async fn a_key_is_for_its_operations_alone() {
    let text = "query Other { caller }";
    let digest = Sha256::digest(text);
    let hash = digest.iter().fold(String::new(), |hash, byte| hash + &format!("{byte:02x}"));
    let operations = ["Mine".to_owned(), hash].into_iter().collect();
    let setup = Setup::start(Terms { operations, ..Terms::default() }, GatewayConfig::default()).await;
    assert_eq!(said(&setup.ask("query Mine { caller }").await), good());
    assert_eq!(said(&setup.ask(text).await), good());
    for other in ["query Other { hello }", "{ caller }", "{ __typename }"] {
        let expected = (403, "FORBIDDEN".to_owned(), "OPERATION_NOT_ALLOWED".to_owned());
        assert_eq!(said(&setup.ask(other).await), expected, "{other}");
    }
}

#[tokio::test]
async fn a_key_has_a_rate_and_a_budget_of_its_own() {
    let rate = Terms { requests_per_minute: Some(2), ..Terms::default() };
    let setup = Setup::start(rate, GatewayConfig::default()).await;
    for _ in 0..2 {
        assert_eq!(said(&setup.ask("{ caller }").await), good());
    }
    let refused = setup.ask("{ caller }").await;
    assert_eq!(said(&refused), (429, "RATE_LIMITED".to_owned(), "RATE_LIMIT".to_owned()));
    assert_eq!(refused.header("retry-after"), Some("30"));
    *setup.now.lock().await += TimeDelta::seconds(30);
    assert_eq!(said(&setup.ask("{ caller }").await), good());

    let mut config = GatewayConfig::default();
    config.cost.mode = CostMode::Measure;
    config.cost.scalar_weight = pulse_gateway::engine::Cost::new(1);
    let budget = Terms { cost_per_minute: Some(3), ..Terms::default() };
    let setup = Setup::start(budget, config).await;
    assert_eq!(said(&setup.ask("{ caller hello }").await), good());
    assert_eq!(
        said(&setup.ask("{ caller hello }").await),
        (429, "RATE_LIMITED".to_owned(), "BUDGET".to_owned())
    );
    assert_eq!(said(&setup.ask("{ caller }").await), good(), "the rest is spent on something smaller");
    let four = "{ a: caller b: caller c: caller d: caller }";
    assert_eq!(said(&setup.ask(four).await).1, "COST_EXCEEDED");
}

#[tokio::test]
async fn a_key_without_an_end_is_remembered_for_as_long_as_its_terms_say() {
    let setup = Setup::start(Terms::default(), GatewayConfig::default()).await;
    for _ in 0..5 {
        assert_eq!(said(&setup.ask("{ caller }").await), good());
    }
    assert_eq!(setup.asked(), 1);
    *setup.now.lock().await += TimeDelta::minutes(1);
    assert_eq!(said(&setup.ask("{ caller }").await), good());
    assert_eq!(setup.asked(), 2);

    // Revoked, or changed, it is verified anew at once; others are not.
    let id = setup.keys.caller.machine().unwrap();
    for revocation in [Revocation::Machine(id), Revocation::MachineRights(id)] {
        let before = setup.asked();
        setup.revoke.unbounded_send(Revocation::Machine(MachineId::new(noon()))).unwrap();
        setup.revoke.unbounded_send(revocation).unwrap();
        while setup.asked() == before {
            assert_eq!(said(&setup.ask("{ caller }").await), good());
        }
        assert_eq!(setup.asked(), before + 1);
    }
}
