//! Subscriptions, and where they can begin.

mod audit;
mod cursor;
mod job;
mod notification;

pub(crate) use audit::AuditSubscriptions;
pub(crate) use cursor::CursorQuery;
pub(crate) use job::JobSubscriptions;
pub(crate) use notification::NotificationSubscriptions;
