//! When a schedule fires.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use croner::parser::{CronParser, Seconds};

/// A cron expression in a time zone.
///
/// A time of day that a change of the clocks leaves out fires at the first moment after the gap; one that comes twice
/// fires once, the first time. What fires by the interval (every hour, every ten minutes) goes on by the interval.
#[derive(Debug, Clone)]
pub struct Cron {
    cron: croner::Cron,
    zone: Tz,
}

/// What is wrong with a schedule's time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    /// No cron expression.
    #[error(
        "{expression:?} is not a cron expression ({problem}): give minute, hour, day of month, month and day of week, such as \"30 6 * * MON-FRI\", with seconds first if need be"
    )]
    Expression {
        /// What was given.
        expression: String,
        /// What is wrong with it.
        problem: String,
    },
    /// No time zone.
    #[error("{0:?} is not a time zone: give an IANA name such as \"Europe/Berlin\" or \"UTC\"")]
    Zone(String),
    /// It never fires.
    #[error("{0:?} never comes: no such day is left")]
    Never(String),
}

impl Cron {
    /// Reads an expression of five fields, or six with seconds first, and an IANA time zone.
    pub fn try_new(expression: &str, zone: &str) -> Result<Self, CronError> {
        let parser = CronParser::builder().seconds(Seconds::Optional).build();
        let cron = parser.parse(expression).map_err(|error| CronError::Expression {
            expression: expression.to_owned(),
            problem: error.to_string(),
        })?;
        let zone = zone.parse().map_err(|_| CronError::Zone(zone.to_owned()))?;
        Ok(Self { cron, zone })
    }

    /// The first time after `after`; `None` when there is none.
    pub fn next(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let next = self.cron.find_next_occurrence(&after.with_timezone(&self.zone), false).ok()?;
        Some(next.with_timezone(&Utc))
    }

    /// The newest times from `since` to `now`, both included, `most` of them at most, oldest first.
    pub(crate) fn last(&self, since: DateTime<Utc>, now: DateTime<Utc>, most: usize) -> Vec<DateTime<Utc>> {
        let mut times = Vec::new();
        let mut until = now.with_timezone(&self.zone);
        let mut inclusive = true;
        while times.len() < most {
            let Ok(previous) = self.cron.find_previous_occurrence(&until, inclusive) else { break };
            if previous < since {
                break;
            }
            times.push(previous.with_timezone(&Utc));
            (until, inclusive) = (previous, false);
        }
        times.reverse();
        times
    }
}
