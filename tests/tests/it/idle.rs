//! What a platform does that nobody asks anything of.

use std::time::Duration;

use pulse_tests::TestPlatform;
use tokio::time::{interval, timeout};

/// For so long statements are counted at a time.
const WINDOW: Duration = Duration::from_secs(5);

/// When the start must have settled.
const PATIENCE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn an_idle_process_runs_at_most_two_statements_a_second() {
    let platform = TestPlatform::start().await;
    let settles = async {
        // Time itself is what is measured.
        let mut windows = interval(WINDOW);
        windows.tick().await;
        loop {
            let before = platform.store.statistics().statements();
            windows.tick().await;
            let count = platform.store.statistics().statements() - before;
            if count <= 2 * WINDOW.as_secs() {
                return count;
            }
        }
    };
    let count = timeout(PATIENCE, settles).await.expect("it never rests");
    assert!(count > 0, "the background works");
}
