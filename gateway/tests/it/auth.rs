//! Who asks: credentials, what is remembered of them, and what revokes it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures::stream::{BoxStream, StreamExt};
use http::{HeaderMap, Method};
use pulse_gateway::ports::{Authenticated, AuthenticationError, Authenticator, Revocation, RevocationFeed};
use pulse_gateway::{GatewayConfig, GatewayParts};
use pulse_types::{Caller, Clock, RequestId, Subject};
use tokio::sync::Mutex;

use crate::support::client::Reply;
use crate::support::gateway::{TestGateway, parts};
use crate::support::{noon, somebody};

const BODY: &str = r#"{"query":"{ caller }"}"#;

/// Knows the token `good` for ten minutes, and counts how often it was asked.
struct Tokens {
    caller: Arc<Caller>,
    asked: AtomicUsize,
}

#[async_trait]
impl Authenticator for Tokens {
    async fn authenticate(&self, headers: &HeaderMap) -> Result<Authenticated, AuthenticationError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        match headers.get("authorization").map(|value| value.to_str().unwrap()) {
            Some("Bearer good") => {
                let expires_at = Some(noon() + TimeDelta::minutes(10));
                Ok(Authenticated { caller: Arc::clone(&self.caller), expires_at, terms: None })
            }
            Some("Bearer down") => Err(AuthenticationError::Unavailable("no connection to db-7".into())),
            Some(_) => Err(AuthenticationError::Invalid("the token has \"expired\" ä; sign in again".into())),
            None => {
                let caller = Arc::new(Caller::anonymous(RequestId::new(noon())));
                Ok(Authenticated { caller, expires_at: None, terms: None })
            }
        }
    }
}

/// A feed whose other end the test holds.
struct Feed(std::sync::Mutex<Option<UnboundedReceiver<Revocation>>>);

impl RevocationFeed for Feed {
    fn revocations(&self) -> BoxStream<'static, Revocation> {
        self.0.lock().unwrap().take().unwrap().boxed()
    }
}

struct Setup {
    gateway: TestGateway,
    tokens: Arc<Tokens>,
    revoke: UnboundedSender<Revocation>,
    now: Arc<Mutex<DateTime<Utc>>>,
}

impl Setup {
    async fn start() -> Self {
        let tokens = Arc::new(Tokens { caller: somebody(), asked: AtomicUsize::new(0) });
        let (revoke, revocations) = unbounded();
        let now = Arc::new(Mutex::new(noon()));
        let told = Arc::clone(&now);
        let parts = GatewayParts {
            authenticator: Arc::clone(&tokens) as Arc<dyn Authenticator>,
            revocations: Some(Arc::new(Feed(std::sync::Mutex::new(Some(revocations))))),
            clock: Clock::from_fn(move || *told.try_lock().unwrap()),
            ..parts()
        };
        let gateway = TestGateway::with(parts, GatewayConfig::default()).await;
        Self { gateway, tokens, revoke, now }
    }

    async fn ask(&self, token: &str) -> Reply {
        let authorization = format!("authorization: Bearer {token}");
        let headers = ["content-type: application/json", &authorization];
        self.gateway.send(Method::POST, "/graphql", &headers, BODY).await
    }

    fn asked(&self) -> usize {
        self.tokens.asked.load(Ordering::SeqCst)
    }

    /// Asks with the good token until it is verified anew.
    async fn until_verified_anew(&self) {
        let before = self.asked();
        while self.asked() == before {
            assert_eq!(self.ask("good").await.status, 200);
        }
    }
}

#[tokio::test]
async fn a_bad_credential_is_401_with_a_challenge() {
    let setup = Setup::start().await;
    insta::assert_snapshot!(setup.ask("forged").await, @r#"
    401 Unauthorized
    content-type: application/graphql-response+json; charset=utf-8
    www-authenticate: Bearer error="invalid_token", error_description="the token has expired ; sign in again"

    {"errors":[{"message":"the token has \"expired\" ä; sign in again","extensions":{"code":"UNAUTHENTICATED"}}]}
    "#);
    let legacy =
        ["content-type: application/json", "accept: application/json", "authorization: Bearer forged"];
    assert_eq!(setup.gateway.send(Method::POST, "/graphql", &legacy, BODY).await.status, 401);
}

#[tokio::test]
async fn an_authenticator_that_is_down_is_503_and_keeps_its_reasons_to_itself() {
    let setup = Setup::start().await;
    insta::assert_snapshot!(setup.ask("down").await, @r#"
    503 Service Unavailable
    content-type: application/graphql-response+json; charset=utf-8

    {"errors":[{"message":"your credentials cannot be checked just now; try again in a moment","extensions":{"code":"UNAVAILABLE"}}]}
    "#);
}

#[tokio::test]
async fn nobody_is_somebody_too() {
    let setup = Setup::start().await;
    assert_eq!(setup.gateway.post(BODY).await.text(), r#"{"data":{"caller":"Anonymous"}}"#);
}

#[tokio::test]
async fn a_verified_credential_is_remembered_until_it_expires() {
    let setup = Setup::start().await;
    let Subject::User(user) = setup.tokens.caller.subject else { unreachable!("somebody is a user") };
    for _ in 0..3 {
        assert!(setup.ask("good").await.text().contains(&user.to_string()));
    }
    assert_eq!(setup.asked(), 1);
    *setup.now.lock().await += TimeDelta::minutes(10);
    setup.ask("good").await;
    assert_eq!(setup.asked(), 2);
}

#[tokio::test]
async fn a_bad_credential_is_not_remembered_as_anybodys() {
    let setup = Setup::start().await;
    setup.ask("good").await;
    assert_eq!(setup.ask("goo").await.status, 401);
    assert_eq!(setup.ask("good ").await.status, 200, "the header's value is trimmed");
    let with_cookie = ["content-type: application/json", "authorization: Bearer good", "cookie: a=b"];
    setup.gateway.send(Method::POST, "/graphql", &with_cookie, BODY).await;
    assert_eq!(setup.asked(), 3, "another set of credentials is verified by itself");
}

#[tokio::test]
async fn a_revoked_session_or_user_is_verified_anew() {
    let setup = Setup::start().await;
    setup.ask("good").await;
    setup.revoke.unbounded_send(Revocation::Session(pulse_types::SessionId::new(noon()))).unwrap();
    setup.revoke.unbounded_send(Revocation::Session(setup.tokens.caller.session.unwrap())).unwrap();
    setup.until_verified_anew().await;
    let asked = setup.asked();
    setup.ask("good").await;
    assert_eq!(setup.asked(), asked, "what is verified after the revocation is remembered again");
    setup.revoke.unbounded_send(Revocation::User(setup.tokens.caller.user().unwrap())).unwrap();
    setup.until_verified_anew().await;
}

#[tokio::test]
async fn without_news_of_revocations_nothing_is_remembered() {
    let setup = Setup::start().await;
    setup.ask("good").await;
    setup.revoke.close_channel();
    setup.until_verified_anew().await;
    let asked = setup.asked();
    setup.ask("good").await;
    assert_eq!(setup.asked(), asked + 1);
}
