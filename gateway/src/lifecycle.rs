//! From the start to the stop: what the process is told while it serves.

use std::sync::{Mutex, PoisonError};

use metrics::{counter, gauge};
use tokio::sync::watch;

/// What happens to a gateway as a whole.
pub(crate) struct Lifecycle {
    stopping: watch::Sender<bool>,
    /// Why the newest configuration is not the one that holds.
    refused: Mutex<Option<String>>,
}

impl Default for Lifecycle {
    fn default() -> Self {
        Self { stopping: watch::Sender::new(false), refused: Mutex::default() }
    }
}

impl Lifecycle {
    /// The process was told to stop: it still serves, and wants no more.
    pub(crate) fn begin_to_stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Whether the process was told to stop; what lives long waits for the change.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }

    pub(crate) fn refuse_config(&self, why: &str) {
        counter!("pulse_gateway_config_loads_total", "outcome" => "error").increment(1);
        gauge!("pulse_gateway_config_refused").set(1.0);
        tracing::error!(error = why, "keeping the settings that hold");
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(why.to_owned());
    }

    pub(crate) fn accept_config(&self) {
        counter!("pulse_gateway_config_loads_total", "outcome" => "ok").increment(1);
        gauge!("pulse_gateway_config_refused").set(0.0);
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Why the newest configuration does not hold, when it does not.
    pub(crate) fn refused_config(&self) -> Option<String> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
