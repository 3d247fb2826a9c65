//! `Subscription.notification`

use async_graphql::{Context, Enum, ID, InputObject, SimpleObject, Subscription};
use chrono::{DateTime, Utc};
use pulse_graphql::{AnyOf, ContextExt, Error, Following, Happened, Live, LiveError, follow};
use pulse_types::{Change, ChangeKind, Permission, UserId};
use serde_json::{Map, Value};

use crate::job::{self, JobStatus};
use crate::webhook;

/// What accounts tells of memberships; their keys are the members.
const MEMBERSHIP: &str = "accounts.membership";

const SUBJECTS: &[&str] = &[job::SUBJECT, webhook::SUBJECT, MEMBERSHIP];

/// What one is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
pub(crate) enum NotificationKind {
    /// A job that one has enqueued has ended.
    JobEnded,
    /// A webhook of the organization was paused by somebody else or by Pulse; for those who may see webhooks.
    WebhookPaused,
    /// Somebody else has made one a member, changed one's role or ended the membership.
    MembershipChanged,
}

/// Of what to hear.
#[derive(Debug, Default, InputObject)]
pub(crate) struct NotificationFilter {
    /// Of these kinds; of all unless given.
    kinds: Option<Vec<NotificationKind>>,
}

/// Something that concerns the person who is told of it.
#[derive(SimpleObject)]
pub(crate) struct Notification {
    /// What it is about.
    kind: NotificationKind,
    /// What happened, in a sentence.
    title: String,
    /// What it happened to.
    subject: NotificationSubject,
    /// When it happened.
    at: DateTime<Utc>,
    /// The place behind this event: subscribe with it as `after` to go on from here.
    cursor: String,
}

/// What a notification is about.
#[derive(SimpleObject)]
pub(crate) struct NotificationSubject {
    /// The name of its type in this API: `Job`, `Webhook` or `User`.
    #[graphql(name = "type")]
    type_name: &'static str,
    /// Its id.
    id: ID,
}

impl From<Happened> for Notification {
    fn from(Happened { change, cursor }: Happened) -> Self {
        let (kind, title, type_name) = match &*change.subject {
            job::SUBJECT => (NotificationKind::JobEnded, of_job(&change), "Job"),
            webhook::SUBJECT => (NotificationKind::WebhookPaused, of_webhook(&change), "Webhook"),
            _ => (NotificationKind::MembershipChanged, of_membership(&change), "User"),
        };
        let subject = NotificationSubject { type_name, id: change.key.into() };
        Self { kind, title, subject, at: change.at, cursor }
    }
}

fn text<'a>(attributes: &'a Map<String, Value>, name: &str) -> &'a str {
    attributes.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn of_job(change: &Change) -> String {
    let (kind, status) = (text(&change.attributes, "kind"), text(&change.attributes, "status"));
    match JobStatus::from_name(status) {
        Some(JobStatus::Completed) => format!("Your job {kind} is completed."),
        Some(JobStatus::Cancelled) => format!("Your job {kind} was cancelled."),
        _ => format!("Your job {kind} has failed."),
    }
}

fn of_webhook(change: &Change) -> String {
    match text(&change.attributes, "pauseReason") {
        "GONE" => "A webhook was paused: its receiver says that it is gone.".to_owned(),
        "REQUESTED" => "A webhook was paused by a member of the organization.".to_owned(),
        _ => "A webhook was paused: its receiver keeps failing.".to_owned(),
    }
}

fn of_membership(change: &Change) -> String {
    let role = text(&change.attributes, "role");
    match change.kind {
        ChangeKind::Created => format!("You are a member of the organization now, as {role}."),
        ChangeKind::Updated => format!("Your role in the organization is {role} now."),
        ChangeKind::Deleted => "You are no longer a member of the organization.".to_owned(),
    }
}

/// Which kind of notification a change is for `me`, if it is one.
fn kind_for(me: UserId, sees_webhooks: bool, change: &Change) -> Option<NotificationKind> {
    match &*change.subject {
        job::SUBJECT => {
            let ended =
                JobStatus::from_name(text(&change.attributes, "status")).is_some_and(JobStatus::is_end);
            let mine = text(&change.attributes, "owner") == me.to_string();
            (ended && mine && change.kind == ChangeKind::Updated && change.actor != Some(me))
                .then_some(NotificationKind::JobEnded)
        }
        webhook::SUBJECT => {
            let paused = text(&change.attributes, "state") == "PAUSED"
                && change.changed.iter().any(|field| field == "state");
            (sees_webhooks && paused && change.actor != Some(me)).then_some(NotificationKind::WebhookPaused)
        }
        MEMBERSHIP => (UserId::from_uuid(change.key) == me && change.actor != Some(me))
            .then_some(NotificationKind::MembershipChanged),
        _ => None,
    }
}

/// Subscriptions to what concerns oneself.
#[derive(Default)]
pub(crate) struct NotificationSubscriptions;

#[Subscription]
impl NotificationSubscriptions {
    /// Tells of what concerns you in the organization and that you have not done yourself, once and in the order of the
    /// commits. Nobody hears of anybody else's.
    async fn notification(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of what to hear; of everything unless given.")] filter: Option<NotificationFilter>,
        #[graphql(
            desc = "The `cursor` of the last event that was heard: what came later is told of first. From now on unless given."
        )]
        after: Option<String>,
    ) -> Result<Live<Notification>, Error<LiveError>> {
        let caller = ctx.session().caller();
        let me = caller.require_user()?;
        let sees_webhooks = caller.require(&Permission::WEBHOOK_READ).is_ok();
        let kinds = AnyOf::try_new("kinds", filter.unwrap_or_default().kinds)?;
        let wanted =
            move |change: &Change| kind_for(me, sees_webhooks, change).is_some_and(|kind| kinds.has(&kind));
        let permission = Permission::ORGANIZATION_READ;
        follow(ctx, Following { subjects: SUBJECTS, permission, after }, wanted).await
    }
}
