#![doc = include_str!("../README.md")]

mod attempt;
mod context;
mod handler;
mod kinds;
mod measure;
mod options;
mod retention;
mod schedule;
mod worker;

pub use context::JobContext;
pub use handler::{Job, JobError, JobHandler};
pub use options::{JobsConfig, Policy, WorkerOptions};
pub use retention::{FORGET, Forget};
pub use schedule::{Cron, CronError, FixedSchedule, Missed};
pub use worker::Worker;
