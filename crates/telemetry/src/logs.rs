//! Logs: `tracing` events on standard error.

use std::io::{IsTerminal, stderr};

use serde::Deserialize;
use tracing::Subscriber;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer as _, fmt};

use crate::TelemetryConfig;
use crate::traces::{self, Exporter, TraceLayer, TracesError};

/// Who reads the logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// A person: one line each, in colour on a terminal.
    Human,
    /// A program: one JSON object each.
    Json,
}

/// Why logs could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogsError {
    /// The filter cannot be read.
    #[error(
        "telemetry.log_filter {filter:?} is not a filter; write a level such as \"info\", and levels of single modules after commas, such as \"info,pulse_gateway=debug\""
    )]
    Filter {
        /// What was given.
        filter: String,
        /// What is wrong with it.
        #[source]
        source: tracing_subscriber::filter::ParseError,
    },
    /// Traces cannot be sent.
    #[error(transparent)]
    Traces(#[from] TracesError),
}

/// Sends log events to standard error and, where a collector is configured, spans to it: those who serve shut the exporter
/// down last. The first call in a process decides.
pub fn init(config: &TelemetryConfig) -> Result<Option<Exporter>, LogsError> {
    if config.traces.endpoint.is_empty() {
        return init_logs(config).map(|()| None);
    }
    let filter = filter(config)?;
    let (layer, exporter) = traces::start(&config.traces)?;
    let registry = tracing_subscriber::registry().with(layer.with_filter(filter_fn(TraceLayer::wants)));
    // An error means that a subscriber is already there, which is the promise of this function.
    let _already_there = match config.log_format {
        LogFormat::Human => {
            let logs = fmt::layer().with_writer(stderr).with_ansi(stderr().is_terminal()).with_target(false);
            registry.with(logs.with_filter(filter)).try_init()
        }
        LogFormat::Json => {
            let logs = fmt::layer().with_writer(stderr).json().flatten_event(true).with_current_span(false);
            registry.with(logs.with_span_list(false).with_filter(filter)).try_init()
        }
    };
    Ok(Some(exporter))
}

fn filter(config: &TelemetryConfig) -> Result<EnvFilter, LogsError> {
    let filter = EnvFilter::builder().parse(&config.log_filter);
    filter.map_err(|source| LogsError::Filter { filter: config.log_filter.clone(), source })
}

/// Sends log events to standard error. The first call in a process decides; later ones only check the filter.
pub fn init_logs(config: &TelemetryConfig) -> Result<(), LogsError> {
    let filter = filter(config)?;
    // An error means that a subscriber is already there, which is the promise of this function.
    let _already_there = match config.log_format {
        LogFormat::Human => human(filter).try_init(),
        LogFormat::Json => json(filter, stderr).try_init(),
    };
    Ok(())
}

fn human(filter: EnvFilter) -> impl Subscriber + Send + Sync {
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr)
        .with_ansi(stderr().is_terminal())
        .with_target(false)
        .finish()
}

fn json<W>(filter: EnvFilter, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .finish()
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Captured(Arc<Mutex<Vec<u8>>>);

    impl Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_json_line_is_one_object_with_the_events_fields() {
        let captured = Captured::default();
        let writer = captured.clone();
        let subscriber = json(EnvFilter::new("info"), move || writer.clone());
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(request_id = "r1", errors = 2, "request");
            tracing::debug!("not in the filter");
        });
        let text = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        for part in [r#""level":"INFO""#, r#""message":"request""#, r#""request_id":"r1""#, r#""errors":2"#] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    }

    #[test]
    fn calling_twice_is_no_error() {
        let config = TelemetryConfig::default();
        init_logs(&config).unwrap();
        init_logs(&config).unwrap();
    }

    #[test]
    fn a_wrong_filter_is_refused_with_an_example() {
        let config = TelemetryConfig { log_filter: "info,pulse=loud".into(), ..TelemetryConfig::default() };
        let text = init_logs(&config).unwrap_err().to_string();
        assert!(text.starts_with("telemetry.log_filter \"info,pulse=loud\" is not a filter"), "{text}");
    }
}
