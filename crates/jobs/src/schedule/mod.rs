//! Jobs by the clock.

mod cron;
mod fire;
mod keep;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use cron::{Cron, CronError};

/// At most this many runs are made up for at once.
pub(crate) const MOST_MISSED: usize = 100;

/// A run that is this late was missed.
const LATE: chrono::TimeDelta = chrono::TimeDelta::minutes(1);

/// What is made up for when nobody was there to fire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Missed {
    /// Nothing.
    Skip,
    /// The newest run.
    Once,
    /// Every run, the newest hundred at most.
    All,
}

impl Missed {
    /// The lowercase name, as stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Once => "once",
            Self::All => "all",
        }
    }

    /// What is stored under that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Skip, Self::Once, Self::All].into_iter().find(|missed| missed.as_str() == name)
    }

    /// The runs to fire for now, oldest first, of a schedule that should have fired at `since`.
    pub(crate) fn runs(self, cron: &Cron, since: DateTime<Utc>, now: DateTime<Utc>) -> Vec<DateTime<Utc>> {
        let most = if self == Self::All { MOST_MISSED } else { 1 };
        let mut runs = cron.last(since, now, most);
        if self == Self::Skip {
            runs.retain(|run| now - *run <= LATE);
        }
        runs
    }
}

/// A schedule that is part of Pulse: it is put into the database by the workers that know it.
#[derive(Debug, Clone)]
pub struct FixedSchedule {
    /// What it is called.
    pub name: &'static str,
    /// The kind of job that it enqueues.
    pub kind: &'static str,
    /// When, as a cron expression in UTC.
    pub cron: &'static str,
    /// What is made up for.
    pub missed: Missed,
}
