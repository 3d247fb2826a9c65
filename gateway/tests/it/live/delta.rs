//! Answers as what differs from the one before.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use super::shelf::id;
use super::{KIND, Library, at_once};

const DELTA: &str = "query($kind: String) @live(delta: true) { things(kind: $kind) { id name } }";

/// Applies an answer to what the client has (RFC 6902).
fn apply(state: &mut Value, answer: &Value) {
    let Some(patch) = answer.pointer("/extensions/patch") else {
        *state = answer.clone();
        return;
    };
    assert_eq!(answer.as_object().unwrap().len(), 1, "a patch stands alone: {answer}");
    for step in patch.as_array().unwrap() {
        let place = step["path"].as_str().unwrap();
        let (parent, key) = place.rsplit_once('/').unwrap();
        let key = key.replace("~1", "/").replace("~0", "~");
        match (state.pointer_mut(parent).unwrap(), step["op"].as_str().unwrap()) {
            (Value::Array(list), "add") => list.insert(key.parse().unwrap(), step["value"].clone()),
            (Value::Array(list), "remove") => drop(list.remove(key.parse().unwrap())),
            (Value::Array(list), "replace") => list[key.parse::<usize>().unwrap()] = step["value"].clone(),
            (Value::Object(object), "remove") => drop(object.remove(&key).unwrap()),
            (Value::Object(object), _) => drop(object.insert(key, step["value"].clone())),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn what_differs_makes_the_whole_answer() {
    let library = Library::open(at_once()).await;
    for number in 0..40 {
        library.shelf.put_silently(number, "toy", &format!("number {number}"));
    }
    let mut whole = library.follow(KIND, json!({ "kind": "toy" })).await;
    let mut delta = library.follow(DELTA, json!({ "kind": "toy" })).await;
    let mut state = Value::Null;
    apply(&mut state, &delta.answer().await);
    assert_eq!(state, whole.answer().await);
    let mut random = StdRng::seed_from_u64(6902);
    let mut patches = 0;
    for round in 0..200_u32 {
        let number = random.random_range(0..60);
        let kind = if random.random_bool(0.7) { "toy" } else { "book" };
        // Each round shows, also one that changes what is no toy into something that is none.
        library.shelf.put(1000, "toy", &format!("round {round}"));
        library.shelf.put(number, kind, &format!("round {round}"));
        library.shelf.heard().await;
        let last = loop {
            let answer = whole.answer().await;
            if answer == current(&library) {
                break answer;
            }
        };
        while state != last {
            let answer = delta.answer().await;
            patches += usize::from(answer.get("data").is_none());
            apply(&mut state, &answer);
        }
    }
    assert!(patches > 100, "{patches}");
}

/// What is on the shelf now, as the query shows it.
fn current(library: &Library) -> Value {
    let things: Vec<_> = library
        .shelf
        .of_kind("toy")
        .into_iter()
        .map(|(number, name)| json!({ "id": id(number), "name": name }))
        .collect();
    json!({ "data": { "things": things } })
}

#[tokio::test]
async fn a_client_that_missed_an_answer_gets_a_whole_one() {
    let library = Library::open(at_once()).await;
    for number in 0..20 {
        library.shelf.put_silently(number, "toy", "still the same");
    }
    let mut events = library.follow(DELTA, json!({ "kind": "toy" })).await;
    for change in 1..=200 {
        let runs = library.shelf.queries();
        library.shelf.put(7, "toy", &format!("change {change}"));
        library.shelf.asked(runs + 1).await;
    }
    let (mut state, mut whole) = (Value::Null, 0);
    while state != current(&library) {
        let answer = events.answer().await;
        whole += usize::from(answer.get("data").is_some());
        apply(&mut state, &answer);
    }
    assert!(whole >= 2, "the first, and the one behind those that were passed over");
}

#[tokio::test]
async fn a_patch_that_would_be_longer_is_a_whole_answer() {
    let library = Library::open(at_once()).await;
    library.shelf.put_silently(1, "toy", "a");
    let mut events = library.follow(DELTA, json!({ "kind": "toy" })).await;
    assert!(events.answer().await.get("data").is_some());
    library.shelf.put(1, "toy", "b");
    assert!(events.answer().await.get("data").is_some());
}
