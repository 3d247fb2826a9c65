//! Metrics: one Prometheus recorder a process.

use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

/// Upper bounds of the histogram buckets, in seconds: from a cached answer in process to a slow import.
const SECONDS: &[f64] = &[
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
    10.0, 30.0,
];

/// How often collected samples are folded into their histograms, so that they do not pile up where nobody scrapes.
const UPKEEP: Duration = Duration::from_secs(5);

static INSTALLED: OnceLock<Metrics> = OnceLock::new();
static INSTALLING: Mutex<()> = Mutex::new(());

/// The process's metrics, as Prometheus reads them.
#[derive(Debug, Clone)]
pub struct Metrics(PrometheusHandle);

/// Why metrics could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// Another library was first.
    #[error("another recorder of metrics is already installed in this process")]
    Taken,
    /// The system gave no thread.
    #[error("the thread that keeps metrics in shape could not be started")]
    Thread(#[source] std::io::Error),
}

impl Metrics {
    /// Makes the process's one recorder, or gives the one that an earlier call made.
    pub fn install() -> Result<Self, MetricsError> {
        let _one_at_a_time = INSTALLING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(installed) = INSTALLED.get() {
            return Ok(installed.clone());
        }
        let recorder = PrometheusBuilder::new()
            .set_buckets(SECONDS)
            .expect("the list of buckets is not empty")
            .build_recorder();
        let handle = recorder.handle();
        metrics::set_global_recorder(recorder).map_err(|_| MetricsError::Taken)?;
        let upkept = handle.clone();
        thread::Builder::new()
            .name("metrics-upkeep".to_owned())
            .spawn(move || {
                loop {
                    thread::sleep(UPKEEP);
                    upkept.run_upkeep();
                }
            })
            .map_err(MetricsError::Thread)?;
        Ok(INSTALLED.get_or_init(|| Self(handle)).clone())
    }

    /// All metrics in Prometheus's text format.
    pub fn render(&self) -> String {
        self.0.render()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn installing_twice_gives_the_same_recorder() {
        let first = Metrics::install().unwrap();
        let second = Metrics::install().unwrap();
        metrics::counter!("pulse_test_total", "what" => "twice").increment(3);
        assert!(first.render().contains("pulse_test_total{what=\"twice\"} 3"), "{}", first.render());
        assert!(second.render().contains("pulse_test_total{what=\"twice\"} 3"));
    }

    #[test]
    fn a_histogram_has_buckets() {
        let metrics = Metrics::install().unwrap();
        metrics::histogram!("pulse_test_seconds").record(0.002);
        let text = metrics.render();
        assert!(text.contains("pulse_test_seconds_bucket{le=\"0.001\"} 0"), "{text}");
        assert!(text.contains("pulse_test_seconds_bucket{le=\"0.0025\"} 1"), "{text}");
    }
}
