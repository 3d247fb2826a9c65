//! Plans that are kept: how many, and for which operations there is one before anybody asks.

use std::time::Duration;

use pulse_gateway::engine::{EngineConfig, WarmedUp};

use super::shop::shop;

#[tokio::test]
async fn the_most_used_operations_are_planned_on_a_new_engine_and_what_is_no_longer_valid_is_left_out() {
    let old = shop().build().engine;
    for (document, times) in [("{ me { id } }", 3), ("{ users { id } }", 2), ("{ products { upc } }", 1)] {
        for _ in 0..times {
            old.prepare(document, None).await.unwrap();
        }
    }
    let new = shop().build().engine;
    let warmed_up = new.warm_up(old.most_used(2), Duration::from_secs(10)).await;
    assert_eq!(warmed_up, WarmedUp { planned: 2, failed: 0, skipped: 0 });
    assert_eq!(new.planned_operations().await, 2);

    // They count as used there too, so that the next engine learns them as well.
    let next = shop().config(EngineConfig { max_root_fields: 0, ..EngineConfig::default() }).build().engine;
    let warmed_up = next.warm_up(new.most_used(10), Duration::from_secs(10)).await;
    assert_eq!(warmed_up, WarmedUp { planned: 0, failed: 2, skipped: 0 });
}

#[tokio::test]
async fn planning_ahead_ends_when_its_time_is_up() {
    let old = shop().build().engine;
    old.prepare("{ me { id } }", None).await.unwrap();
    let warmed_up = shop().build().engine.warm_up(old.most_used(10), Duration::ZERO).await;
    assert_eq!(warmed_up, WarmedUp { planned: 0, failed: 0, skipped: 1 });
}

#[tokio::test]
async fn plans_are_bounded_by_number_and_by_memory() {
    let kept = async |config: EngineConfig| {
        let engine = shop().config(config).build().engine;
        for n in 0..50 {
            engine.prepare(&format!("{{ me {{ id n{n}: name }} }}"), None).await.unwrap();
        }
        engine.planned_operations().await
    };
    assert_eq!(kept(EngineConfig::default()).await, 50);
    assert_eq!(kept(EngineConfig { plan_cache_size: 10, ..EngineConfig::default() }).await, 10);
    let some = kept(EngineConfig { plan_cache_memory: 20_000, ..EngineConfig::default() }).await;
    assert!((1..30).contains(&some), "{some} plans in 20 kB");
}

#[tokio::test]
async fn more_new_operations_than_may_wait_are_refused() {
    let platform = shop().config(EngineConfig { planning_queue: 0, ..EngineConfig::default() }).build();
    insta::assert_snapshot!(platform.refusal("{ me { id } }").await, @r#"
    [
      {
        "message": "too many new operations wait to be planned just now, try again",
        "extensions": {
          "code": "UNAVAILABLE",
          "reason": "PLANNING_QUEUE_FULL"
        }
      }
    ]
    "#);
}
