//! Streams that break and are taken up again.

use std::time::{SystemTime, UNIX_EPOCH};

use pulse_tests::{Said, Transport};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::json;

use super::{Stage, ending, text};

/// What a client hears that comes back again and again by its last cursor, until it has heard `count` changes.
async fn patchwork(stage: &Stage, mut cursor: String, count: usize, seed: u64) -> Vec<(String, i64)> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut heard = Vec::with_capacity(count);
    while heard.len() < count {
        let transport = Transport::ALL[random.random_range(0..Transport::ALL.len())];
        let variables = json!({ "after": cursor });
        let mut stream = stage.follow(transport, &stage.alpha.viewer.token, variables).await;
        // Sometimes it breaks before anything is heard.
        let until = (heard.len() + random.random_range(0..8)).min(count);
        while heard.len() < until {
            let change = stream.data().await["entityChanged"].take();
            cursor = text(&change["cursor"]);
            heard.push((text(&change["id"]), change["version"].as_i64().unwrap()));
        }
    }
    heard
}

#[tokio::test]
async fn who_comes_back_by_a_cursor_misses_nothing_and_hears_nothing_twice() {
    const CHANGES: usize = 60;
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    eprintln!("seed {seed}");
    let stage = Stage::new().await;
    let cursor = stage.cursor().await;
    let writing = async {
        let mut expected = Vec::new();
        for n in 0..CHANGES {
            let key = format!("k{}", n % 7);
            let id = stage.package(&key, &format!("name {n}")).await;
            expected.push((id, i64::try_from(n / 7).unwrap() + 1));
        }
        expected
    };
    let clients = (0..4).map(|n| patchwork(&stage, cursor.clone(), CHANGES, seed + n));
    let (expected, heard) = tokio::join!(writing, futures::future::join_all(clients));
    for heard in heard {
        assert_eq!(heard, expected, "seed {seed}");
    }
}

#[tokio::test]
async fn a_stream_goes_on_behind_a_cursor_of_another_process_of_the_same_log() {
    let stage = Stage::new().await;
    let cursor = stage.cursor().await;
    let missed = stage.package("a", "missed").await;
    // It has not seen what is missing, and reads it from the log.
    let other = stage.platform.another().await;
    let (token, variables) = (&stage.alpha.viewer.token, json!({ "after": cursor }));
    for transport in Transport::ALL {
        let mut stream = transport.open(&other, token, super::CHANGES, variables.clone()).await;
        assert_eq!(stream.data().await["entityChanged"]["id"], missed.as_str());
        let live = stage.package(&format!("{transport:?}"), "live").await;
        let mut heard = text(&stream.data().await["entityChanged"]["id"]);
        // Later clients hear of what the earlier ones heard live.
        while heard != live {
            heard = text(&stream.data().await["entityChanged"]["id"]);
        }
    }
}

#[tokio::test]
async fn a_cursor_that_cannot_be_followed_is_refused_with_what_to_do() {
    let stage = Stage::new().await;
    let cursor = stage.cursor().await;
    let (log, _) = cursor.rsplit_once('.').unwrap();
    let other = stage.platform.another().await;
    let mut connection = stage.platform.database.connect().await.unwrap();
    sqlx::query("UPDATE platform.log_head SET oldest = position").execute(&mut connection).await.unwrap();
    let mut lines = Vec::new();
    for after in ["nonsense", "elsewhere.1", &format!("{log}.ffffff"), &format!("{log}.1")] {
        let variables = json!({ "after": after });
        let token = &stage.alpha.viewer.token;
        let mut stream = Transport::Events.open(&other, token, super::CHANGES, variables).await;
        match stream.next().await {
            Said::Next(answer) => lines.push(answer["errors"][0].to_string().replace(log, "[log]")),
            Said::End(reason) => panic!("{after}: {reason}"),
        }
        assert_eq!(ending(&mut stream).await, "complete");
    }
    insta::assert_snapshot!(lines.join("\n"), @r#"
    {"message":"this is not a cursor of the event log: start again without it","path":["entityChanged"],"extensions":{"code":"BAD_USER_INPUT","field":"after","subgraph":"entities"}}
    {"message":"this cursor belongs to another event log: read what you show again by a query, then subscribe without `after`","path":["entityChanged"],"extensions":{"code":"BAD_USER_INPUT","field":"after","subgraph":"entities"}}
    {"message":"this cursor lies ahead of the event log: read what you show again by a query, then subscribe without `after`","path":["entityChanged"],"extensions":{"code":"BAD_USER_INPUT","field":"after","subgraph":"entities"}}
    {"message":"this cursor is older than what the event log keeps: read what you show again by a query, then subscribe without `after`","path":["entityChanged"],"extensions":{"code":"CURSOR_EXPIRED","field":"after","subgraph":"entities"}}
    "#);
}
