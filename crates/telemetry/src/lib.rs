#![doc = include_str!("../README.md")]

mod logs;
mod metrics;
pub mod traces;

pub use logs::{LogFormat, LogsError, init, init_logs};
pub use metrics::{Metrics, MetricsError};

use serde::Deserialize;

/// Section `[telemetry]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TelemetryConfig {
    /// Who reads the logs: `human` (one coloured line each) or `json` (one object each).
    pub log_format: LogFormat,
    /// What is logged: a level, and levels of single modules, such as `info,pulse_gateway=debug`.
    pub log_filter: String,
    /// Traces.
    pub traces: traces::TracesConfig,
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self {
            log_format: LogFormat::Human,
            log_filter: "info".to_owned(),
            traces: traces::TracesConfig::default(),
        }
    }
}
