//! `Subscription.auditEvent`

use async_graphql::{Context, ID, InputObject, SimpleObject, Subscription};
use chrono::{DateTime, Utc};
use pulse_graphql::{AnyOf, ContextExt, Error, Following, Happened, Live, LiveError, follow, is_beginning};
use pulse_types::{AUDIT, Change, Fact, Permission, UserId};

use crate::audit;

/// Of what to hear that was done. All that is given must hold, of one and the same fact.
#[derive(Debug, Default, InputObject)]
pub(crate) struct AuditEventFilter {
    /// These things, such as `webhook:create`.
    actions: Option<Vec<String>>,
    /// Done to these, such as `operations.webhook`.
    subjects: Option<Vec<String>>,
    /// Done by these people; at most 1,000.
    actor_ids: Option<Vec<UserId>>,
}

/// What was done by one write.
#[derive(SimpleObject)]
pub(crate) struct AuditEvent {
    /// What was done, all of it together. Nearly always it is one thing.
    facts: Vec<AuditFact>,
    /// The person who did it; null for Pulse itself.
    actor_id: Option<UserId>,
    /// The request by which it was done, which the logs name too.
    request_id: Option<ID>,
    /// When it was done.
    at: DateTime<Utc>,
    /// The place behind this event: subscribe with it as `after` to go on from here.
    cursor: String,
}

/// One thing that was done.
#[derive(SimpleObject)]
pub(crate) struct AuditFact {
    /// Its id in the audit.
    id: ID,
    /// What was done, such as `webhook:create`.
    action: String,
    /// To what, such as `operations.webhook`.
    subject: String,
    /// To which one; null for a batch.
    key: Option<ID>,
    /// Its version after; the owner's history has the values.
    version: Option<i64>,
    /// How many things it was done to: 1, or the size of the batch.
    items: i32,
}

impl From<Fact> for AuditFact {
    fn from(fact: Fact) -> Self {
        let Fact { id, action, subject, key, version, items } = fact;
        Self { id: id.into(), action, subject, key: key.map(ID::from), version, items }
    }
}

impl From<Happened> for AuditEvent {
    fn from(Happened { change, cursor }: Happened) -> Self {
        Self {
            facts: change.facts.iter().cloned().map(AuditFact::from).collect(),
            actor_id: change.actor,
            request_id: change.request.map(ID::from),
            at: change.at,
            cursor,
        }
    }
}

/// Subscriptions to the audit.
#[derive(Default)]
pub(crate) struct AuditSubscriptions;

#[Subscription]
impl AuditSubscriptions {
    /// Tells of everything that is done in the organization and audited, once and in the order of the commits. Needs
    /// `audit:read`.
    async fn audit_event(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of what to hear; of everything unless given.")] filter: Option<AuditEventFilter>,
        #[graphql(
            desc = "The `cursor` of the last event that was heard: what came later is told of first. From now on unless given."
        )]
        after: Option<String>,
    ) -> Result<Live<AuditEvent>, Error<LiveError>> {
        let AuditEventFilter { actions, subjects, actor_ids } = filter.unwrap_or_default();
        let actions = AnyOf::try_new("actions", actions)?;
        let subjects = AnyOf::try_new("subjects", subjects)?;
        let (of_somebody, actors) = (actor_ids.is_some(), AnyOf::try_new("actorIds", actor_ids)?);
        let session = ctx.session();
        if is_beginning(ctx) {
            session.caller().require(&Permission::AUDIT_READ)?;
            session.look(audit::READ.of_list(1));
            session.write_down_looks().await?;
        }
        // Nobody is told that they have begun to listen.
        let own = session.caller().request.uuid();
        let wanted = move |change: &Change| {
            if change.request == Some(own)
                && change.facts.iter().all(|fact| fact.action == audit::READ.action)
            {
                return false;
            }
            let by = change.actor.map_or(!of_somebody, |actor| actors.has(&actor));
            by && change.facts.iter().any(|fact| actions.has(&fact.action) && subjects.has(&fact.subject))
        };
        let following = Following { subjects: &[AUDIT], permission: Permission::AUDIT_READ, after };
        follow(ctx, following, wanted).await
    }
}
