//! What the subgraph answers.

mod audit;
mod audit_export;
mod dead_letter;
mod delivery;
mod job;
mod live;
mod loaders;
mod schedule;
mod stream;
mod webhook;

use async_graphql::{MergedObject, MergedSubscription};

pub(crate) use loaders::Loaders;

/// The root of queries.
#[derive(MergedObject, Default)]
pub struct Query(
    webhook::WebhookQuery,
    job::JobQuery,
    schedule::ScheduleQuery,
    dead_letter::DeadLetterQuery,
    live::CursorQuery,
    stream::StreamQuery,
    audit::AuditQuery,
    audit_export::AuditExportQuery,
);

/// The root of mutations.
#[derive(MergedObject, Default)]
pub struct Mutation(
    webhook::WebhookMutation,
    webhook::WebhookStateMutation,
    delivery::DeliveryMutation,
    stream::StreamMutation,
    job::JobMutation,
    schedule::ScheduleMutation,
    dead_letter::DeadLetterMutation,
    audit_export::AuditExportMutation,
);

/// The root of subscriptions.
#[derive(MergedSubscription, Default)]
#[graphql(name = "Subscription")]
pub struct Subscription(live::JobSubscriptions, live::AuditSubscriptions, live::NotificationSubscriptions);
