//! What other processes tell.

use pulse_store::JOBS_CHANNEL;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};

/// A listener that is opened again after it broke.
pub(super) struct Listener {
    direct: Option<PgConnectOptions>,
    open: Option<PgListener>,
}

impl Listener {
    pub(super) const fn new(direct: Option<PgConnectOptions>) -> Self {
        Self { direct, open: None }
    }

    /// Listens, unless it does already. A server that cannot be reached is tried again the next time.
    pub(super) async fn ensure(&mut self) {
        if self.open.is_some() {
            return;
        }
        let Some(direct) = self.direct.clone() else { return };
        let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with(direct);
        let Ok(mut listener) = PgListener::connect_with(&pool).await else { return };
        if listener.listen(JOBS_CHANNEL).await.is_ok() {
            self.open = Some(listener);
        }
    }

    /// Waits until somebody told something, or what was told may have been missed; for ever while nobody is listened to.
    pub(super) async fn told(&mut self) {
        let Some(listener) = &mut self.open else { return std::future::pending().await };
        if !matches!(listener.try_recv().await, Ok(Some(_))) {
            self.open = None;
        }
    }
}
