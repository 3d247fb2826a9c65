//! Entities that are kept: those that are not are asked for in one call.

use std::time::Duration;

use serde_json::json;

use super::shop::{Counter, keeping, uuid};

const STARS: &str = "query($id: ID!) { product(id: $id) { id stars } }";
const ALL: &str = "{ products { id stars } }";

#[tokio::test]
async fn of_several_entities_only_those_are_asked_for_that_are_not_kept() {
    let counter = Counter::open(keeping()).await;
    for id in [3, 1] {
        counter.ask("", (STARS, json!({ "id": uuid(id) })), &[]).await;
    }
    assert_eq!(counter.shop.calls(), ["products", "reviews 1", "products", "reviews 1"]);
    counter.shop.put(1, "a longer name of a product");
    let all = counter.data("", ALL).await;
    assert_eq!(counter.shop.calls(), ["products", "reviews 2"]);
    let stars: Vec<_> = (1..=4).map(|id| json!({ "id": uuid(id), "stars": 9 })).collect();
    assert_eq!(all["products"], json!(stars), "each at its place, those that were kept as they were");
}

#[tokio::test]
async fn entities_whose_time_is_over_are_asked_for_again_when_their_list_is_not() {
    let counter = Counter::open(keeping()).await;
    counter.data("", ALL).await;
    assert_eq!(counter.shop.calls(), ["products", "reviews 4"]);
    counter.wait(Duration::from_secs(30));
    counter.data("", ALL).await;
    assert_eq!(
        counter.shop.calls(),
        ["reviews 4"],
        "the list is kept for a minute, its entities for half of it"
    );
    let answer = counter.ask("", (ALL, json!({})), &[]).await;
    assert_eq!(counter.shop.calls(), Vec::<String>::new());
    assert_eq!(answer.header("cache-control"), Some("public, max-age=30"), "no part is kept for longer");
    assert_eq!(
        answer.header("age"),
        Some("0"),
        "it was made just now, by what was left of the time of its parts"
    );
}

#[tokio::test]
async fn an_answer_with_errors_leaves_what_is_kept_at_its_place() {
    let counter = Counter::open(keeping()).await;
    counter.ask("", (STARS, json!({ "id": uuid(2) })), &[]).await;
    counter.data("", "{ products { id } }").await;
    counter.shop.calls();
    counter.shop.fail(true);
    let answer = counter.ask("", (ALL, json!({})), &[]).await;
    assert_eq!(answer.body["errors"].as_array().map(Vec::len), Some(2), "{}", answer.body);
    counter.shop.fail(false);
    counter.shop.calls();
    counter.data("", ALL).await;
    assert_eq!(counter.shop.calls(), ["products", "reviews 3"], "nothing of it was kept");
}
