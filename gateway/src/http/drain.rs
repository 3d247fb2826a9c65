//! A stop that connections hear of: what streams ends in its own words instead of being cut off.

use std::future::Future;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Shared by the server and everything that outlives the request it came from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Drain(Arc<Stop>);

#[derive(Debug, Default)]
struct Stop {
    begun: CancellationToken,
    tasks: TaskTracker,
}

impl Drain {
    /// Runs `task` as one that the server waits for before it stops.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.tasks.spawn(task);
    }

    /// Returns when the server is told to stop.
    pub(crate) async fn begun(&self) {
        self.0.begun.cancelled().await;
    }

    /// Tells everybody to come to an end, and waits until they have.
    pub(super) async fn drain(&self) {
        let Stop { begun, tasks } = &*self.0;
        begun.cancel();
        tasks.close();
        tasks.wait().await;
    }
}
