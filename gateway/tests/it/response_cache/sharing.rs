//! Who gets a kept answer, and who never does.

use std::sync::Arc;

use futures::future::join_all;
use pulse_gateway::{GatewayParts, StaticSource};
use serde_json::json;

use super::product;
use super::shop::{Counter, Shop, keeping, supergraph};
use crate::support::gateway::parts;

const ME: &str = "{ me { name } }";
const TEAM: &str = "{ team { name } }";
const SALARY: &str = "{ team { name salary } }";

#[tokio::test]
async fn two_callers_never_share_what_is_private() {
    let counter = Counter::open(keeping()).await;
    let one = counter.data("1 1", ME).await;
    let other = counter.data("2 1", ME).await;
    assert_ne!(one, other);
    assert_eq!(counter.shop.calls().len(), 2);
    assert_eq!(counter.data("1 1", ME).await, one);
    assert_eq!(counter.data("2 1", ME).await, other);
    assert_eq!(counter.shop.calls(), Vec::<String>::new(), "each has their own");
    for different in ["1 2", "1 1 hr", ""] {
        counter.data(different, ME).await;
        assert_eq!(counter.shop.calls().len(), 1, "{different}");
    }
}

#[tokio::test]
async fn those_of_a_tenant_with_equal_rights_share_and_nobody_else() {
    let counter = Counter::open(keeping()).await;
    let ours = counter.data("1 1", TEAM).await;
    assert_eq!(counter.data("2 1", TEAM).await, ours);
    assert_eq!(counter.shop.calls().len(), 1);
    assert_ne!(counter.data("3 2", TEAM).await, ours);
    assert_eq!(counter.shop.calls().len(), 1);
    // The subgraph may tell apart what the supergraph does not.
    assert_eq!(counter.data("2 1 more", TEAM).await, ours);
    assert_eq!(counter.shop.calls().len(), 1);
    // Without a tenant nobody shares.
    counter.data("", TEAM).await;
    assert_eq!(counter.shop.calls().len(), 1);
}

#[tokio::test]
async fn everybody_shares_what_is_public() {
    let counter = Counter::open(keeping()).await;
    let query = "{ products { name } }";
    let first = counter.data("1 1", query).await;
    for badge in ["2 1", "3 2 hr", ""] {
        assert_eq!(counter.data(badge, query).await, first);
    }
    assert_eq!(counter.shop.calls().len(), 1);
}

#[tokio::test]
async fn those_with_other_rights_never_get_each_others_fields() {
    let counter = Counter::open(keeping()).await;
    for _ in 0..2 {
        let may = counter.ask("1 1 hr", (SALARY, json!({})), &[]).await.body;
        assert_eq!(may["data"]["team"]["salary"], 7);
        let may_not = counter.ask("2 1", (SALARY, json!({})), &[]).await.body;
        assert_eq!(may_not["data"]["team"]["salary"], json!(null));
        assert_eq!(may_not["errors"][0]["extensions"]["code"], "FORBIDDEN");
    }
    assert_eq!(counter.shop.calls().len(), 2, "one for each kind of caller");
    let public = "extend type Query { open: Open @cacheControl(maxAge: 60, scope: PUBLIC) }
        type Open @cacheControl(maxAge: 60, scope: PUBLIC) { name: String secret: String @requiresScopes(scopes: [[\"hr\"]]) }";
    let source = Arc::new(StaticSource::new(supergraph(public)));
    let parts = GatewayParts { source, ..parts() };
    let counter = Counter::with(Shop::open(), None, parts, keeping()).await;
    let open = "{ open { name secret } }";
    counter.ask("1 1 hr", (open, json!({})), &[]).await;
    assert_eq!(counter.shop.calls().len(), 1);
    let refused = counter.ask("2 1", (open, json!({})), &[]).await.body;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN");
    assert_eq!(counter.shop.calls().len(), 1, "an operation without a field is another one");
}

#[tokio::test]
async fn all_on_which_an_answer_depends_tells_it_apart() {
    let counter = Counter::open(keeping()).await;
    let of = |variables| {
        (
            "query A($id: ID!, $no: Boolean! = false) { product(id: $id) { id name @skip(if: $no) } }",
            variables,
        )
    };
    let id = |number| json!({ "id": super::shop::uuid(number) });
    for (asked, more) in [
        (of(id(1)), &[][..]),
        (of(id(2)), &[]),
        (of(json!({ "id": super::shop::uuid(1), "no": true })), &[]),
        (product(1), &[]),
        (of(id(1)), &["x-seen: a"]),
        (of(id(1)), &["x-seen: b"]),
    ] {
        counter.ask("", asked.clone(), more).await;
        assert!(!counter.shop.calls().is_empty(), "{asked:?} {more:?} was not asked before");
        counter.ask("", asked.clone(), more).await;
        assert!(counter.shop.calls().is_empty(), "{asked:?} {more:?} was");
    }
    counter.ask("", of(id(1)), &["x-unseen: a"]).await;
    assert!(counter.shop.calls().is_empty(), "what no subgraph sees changes nothing");
}

#[tokio::test]
async fn what_many_ask_for_at_once_is_asked_for_once() {
    let counter = Counter::open(keeping()).await;
    counter.shop.hold(true);
    let badges: Vec<_> = (1..=20).map(|user| format!("{user} {user}")).collect();
    let asking = join_all(badges.iter().map(|badge| counter.ask(badge, product(1), &[])));
    let letting_go = async {
        counter.shop.asked(1).await;
        counter.shop.hold(false);
    };
    let (answers, ()) = futures::join!(asking, letting_go);
    assert!(answers.iter().all(|answer| answer.body == answers[0].body));
    assert_eq!(counter.shop.calls().len(), 1);
    // One that may not be kept is for the one who asked.
    counter.shop.fail(true);
    let asking = join_all(badges.iter().map(|badge| counter.ask(badge, product(2), &[])));
    let answers = asking.await;
    assert!(answers.iter().all(|answer| answer.body["errors"][0]["message"] == "it fails"));
    assert_eq!(counter.shop.calls().len(), 20);
}
