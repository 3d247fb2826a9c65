#![doc = include_str!("../README.md")]

mod handler;
mod worker;

pub use handler::{Job, JobContext, JobError, JobHandler};
pub use worker::{Worker, WorkerOptions};
