//! The lines of the table.

use std::time::Duration;

use super::board::Seen;

pub(crate) const HEAD: [&str; 12] = [
    "server",
    "subscribers",
    "events/s",
    "deliveries/s",
    "p50 ms",
    "p99 ms",
    "max ms",
    "lost",
    "doubled",
    "KiB/subscriber",
    "CPU %",
    "statements/s",
];

/// The goal, by which it is told whether a rate holds.
const GOAL: Duration = Duration::from_millis(250);

/// What one measurement showed.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) subscribers: usize,
    /// Events a second that were asked for, and that were written.
    pub(crate) rate: (f64, f64),
    pub(crate) deliveries: f64,
    /// Nothing where nothing was delivered.
    pub(crate) seen: Option<Seen>,
    pub(crate) lost: u64,
    pub(crate) kib: Option<f64>,
    pub(crate) cpu: f64,
    pub(crate) statements: Option<f64>,
}

impl Row {
    /// Whether the rate holds: all of it was written and heard once and in time.
    pub(crate) fn holds(&self) -> bool {
        let heard = self.seen.is_some_and(|seen| seen.doubled == 0 && seen.gone == 0 && seen.p99 < GOAL);
        heard && self.lost == 0 && self.rate.1 >= self.rate.0 * 0.95
    }

    pub(crate) fn cells(&self) -> Vec<String> {
        let ms = |time: fn(&Seen) -> Duration| {
            self.seen.as_ref().map_or(String::new(), |seen| format!("{:.1}", time(seen).as_secs_f64() * 1e3))
        };
        let count = |count: u64| self.seen.map_or(String::new(), |_| count.to_string());
        let optional = |number: Option<f64>| number.map_or(String::new(), |number| format!("{number:.1}"));
        vec![
            self.name.clone(),
            self.subscribers.to_string(),
            format!("{:.0}", self.rate.1),
            format!("{:.0}", self.deliveries),
            ms(|seen| seen.p50),
            ms(|seen| seen.p99),
            ms(|seen| seen.greatest),
            count(self.lost),
            count(self.seen.map_or(0, |seen| seen.doubled)),
            optional(self.kib),
            format!("{:.0}", self.cpu),
            optional(self.statements),
        ]
    }
}
