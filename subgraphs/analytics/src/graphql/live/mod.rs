//! Subscriptions.

mod event;
mod metric;

pub(super) use event::EventSubscriptions;
pub(super) use metric::MetricSubscriptions;
