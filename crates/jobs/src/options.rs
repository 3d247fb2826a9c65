//! How workers work.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

/// What may be said of one kind of job; what is not said is as usual.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// How often a job may be started, whatever was said when it was enqueued.
    pub attempts: Option<u16>,
    /// How many run at once, in all processes together.
    pub concurrency: Option<u32>,
    /// The first retry's delay; each further one waits twice as long.
    #[serde(with = "humantime_serde")]
    pub backoff: Option<Duration>,
    /// No retry waits longer.
    #[serde(with = "humantime_serde")]
    pub max_backoff: Option<Duration>,
    /// How long one attempt may take.
    #[serde(with = "humantime_serde")]
    pub time_limit: Option<Duration>,
}

impl Policy {
    /// This one, and where it says nothing, `other`.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            attempts: self.attempts.or(other.attempts),
            concurrency: self.concurrency.or(other.concurrency),
            backoff: self.backoff.or(other.backoff),
            max_backoff: self.max_backoff.or(other.max_backoff),
            time_limit: self.time_limit.or(other.time_limit),
        }
    }
}

/// How a worker works.
#[derive(Debug, Clone)]
pub struct WorkerOptions {
    /// How many jobs run at once.
    pub concurrency: usize,
    /// How many of them are one tenant's share. It has more only while nobody else has use for them: jobs beyond it are
    /// given back when others wait and no slot gets free.
    pub tenant_slots: usize,
    /// How many jobs of one tenant run at once, in all processes together; `None` for any number.
    pub tenant_concurrency: Option<u32>,
    /// How long a job stays claimed without a sign of life; renewed at a third of it.
    pub lease: Duration,
    /// How long to wait before looking again when nobody tells of new jobs.
    pub idle: Duration,
    /// The first retry's delay; each further one waits twice as long.
    pub backoff: Duration,
    /// No retry waits longer.
    pub max_backoff: Duration,
    /// How long one attempt may take.
    pub time_limit: Duration,
    /// How long a handler may go on after it was told that its job is cancelled.
    pub cancel_grace: Duration,
    /// How long what runs may go on after the worker was told to stop; then it is given back.
    pub drain: Duration,
    /// What differs by kind.
    pub kinds: BTreeMap<String, Policy>,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        Self::from(&JobsConfig::default())
    }
}

/// The section `[jobs]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JobsConfig {
    /// How many jobs a process runs at once.
    pub concurrency: u16,
    /// How many of a hundred of them are one tenant's share; more only while others have no use for them.
    pub tenant_share_percent: u16,
    /// How many jobs of one tenant run at once, in all processes together; 0 for any number.
    pub tenant_concurrency: u32,
    /// How long a job is a worker's without a sign of life.
    #[serde(with = "humantime_serde")]
    pub lease: Duration,
    /// How long a worker waits before it looks for jobs that nobody told it of.
    #[serde(with = "humantime_serde")]
    pub idle: Duration,
    /// The first retry's delay.
    #[serde(with = "humantime_serde")]
    pub backoff: Duration,
    /// The longest delay of a retry.
    #[serde(with = "humantime_serde")]
    pub max_backoff: Duration,
    /// How long one attempt may take.
    #[serde(with = "humantime_serde")]
    pub time_limit: Duration,
    /// How long a handler may go on after its job was cancelled.
    #[serde(with = "humantime_serde")]
    pub cancel_grace: Duration,
    /// How long jobs may go on after the process was told to stop.
    #[serde(with = "humantime_serde")]
    pub drain: Duration,
    /// How long completed jobs are kept.
    #[serde(with = "humantime_serde")]
    pub keep_completed: Duration,
    /// How long failed and cancelled jobs are kept.
    #[serde(with = "humantime_serde")]
    pub keep_failed: Duration,
    /// What differs by kind.
    pub kinds: BTreeMap<String, Policy>,
}

impl Default for JobsConfig {
    fn default() -> Self {
        Self {
            concurrency: 16,
            tenant_share_percent: 75,
            tenant_concurrency: 0,
            lease: Duration::from_secs(30),
            idle: Duration::from_secs(5),
            backoff: Duration::from_secs(1),
            max_backoff: Duration::from_mins(10),
            time_limit: Duration::from_hours(1),
            cancel_grace: Duration::from_secs(10),
            drain: Duration::from_secs(20),
            keep_completed: Duration::from_hours(24),
            keep_failed: Duration::from_hours(30 * 24),
            kinds: BTreeMap::new(),
        }
    }
}

impl JobsConfig {
    /// Checks what types cannot; what is wrong names the setting and says what is allowed.
    pub fn check(&self) -> Result<(), String> {
        let wrong = |setting: &str, allowed: &str| Err(format!("jobs.{setting}: {allowed}"));
        if self.concurrency == 0 {
            return wrong("concurrency", "at least 1, or no job ever runs");
        }
        if !(1..=100).contains(&self.tenant_share_percent) {
            return wrong("tenant_share_percent", "from 1 to 100");
        }
        if self.lease < Duration::from_secs(3) {
            return wrong("lease", "at least 3s: it is renewed at a third of it");
        }
        if self.idle < Duration::from_millis(100) {
            return wrong("idle", "at least 100ms");
        }
        Ok(())
    }
}

impl From<&JobsConfig> for WorkerOptions {
    fn from(config: &JobsConfig) -> Self {
        let concurrency = usize::from(config.concurrency.max(1));
        let share = usize::from(config.tenant_share_percent);
        Self {
            concurrency,
            tenant_slots: (concurrency * share / 100).clamp(1, concurrency),
            tenant_concurrency: Some(config.tenant_concurrency).filter(|limit| *limit > 0),
            lease: config.lease,
            idle: config.idle,
            backoff: config.backoff,
            max_backoff: config.max_backoff,
            time_limit: config.time_limit,
            cancel_grace: config.cancel_grace,
            drain: config.drain,
            kinds: config.kinds.clone(),
        }
    }
}
