//! `Webhook`.

#![expect(clippy::too_many_arguments, reason = "each argument of a field is one of its function")]

use std::collections::BTreeMap;
use std::sync::Arc;

use async_graphql::{Context, InputObject, Object, SimpleObject};
use chrono::{DateTime, TimeDelta, Utc};
use pulse_graphql::{Connection, ContextExt, Cursor, Error, Page, PageLimits, Total};
use pulse_sealing::Sealer;
use pulse_types::{ChangeKind, Permission, WebhookId};

use super::Loaders;
use super::delivery::WebhookDelivery;
use crate::config::WebhookConfig;
use crate::delivery::repo::DeliveryFilter;
use crate::delivery::{self, DeliveryError};
use crate::webhook::{
    self, EventFilter, NewWebhook, PauseReason, WebhookChange, WebhookError, WebhookRow, WebhookState,
};

/// Where events of the organization are sent to.
pub(crate) struct Webhook(pub(crate) WebhookRow);

/// A routing attribute that an event must have.
#[derive(SimpleObject, InputObject)]
#[graphql(input_name = "EventAttributeInput")]
pub(crate) struct EventAttribute {
    /// Its name, such as `type`.
    name: String,
    /// What it must be, or must have been before the change.
    value: String,
}

/// Which events are sent. What is left out or empty holds back nothing.
#[derive(SimpleObject, InputObject)]
#[graphql(name = "WebhookFilter", input_name = "WebhookFilterInput")]
pub(crate) struct WebhookFilter {
    /// Those of these subjects, such as `entities.entity`, or `entities.*` for all of a subgraph.
    #[graphql(default)]
    subjects: Vec<String>,
    /// Those of these kinds.
    #[graphql(default)]
    kinds: Vec<ChangeKind>,
    /// Those with all of these routing attributes.
    #[graphql(default)]
    attributes: Vec<EventAttribute>,
}

/// What a new webhook is made of.
#[derive(InputObject)]
pub(crate) struct CreateWebhookInput {
    /// Where events are sent to: an `https://` address of a public host, at most 2000 bytes.
    url: String,
    /// What people say of it, at most 1000 characters.
    #[graphql(default)]
    description: String,
    /// Which events are sent; all of them, if left out.
    filter: Option<WebhookFilter>,
    /// Makes the request safe to repeat: with the same key it is done once.
    idempotency_key: Option<String>,
}

/// A new webhook.
#[derive(SimpleObject)]
pub(crate) struct CreateWebhookPayload {
    /// The webhook.
    webhook: Webhook,
    /// What its bodies are signed with, as the Standard Webhooks specification says. It is never shown again: not even
    /// when the same request is repeated, which gets null; rotate it when it is lost.
    signing_secret: Option<String>,
}

/// What is to change of a webhook; what is left out stays.
#[derive(InputObject)]
pub(crate) struct UpdateWebhookInput {
    /// Which one.
    id: WebhookId,
    /// Where events are sent to from now on.
    url: Option<String>,
    /// What people say of it from now on.
    description: Option<String>,
    /// Which events are sent from now on, in place of those before.
    filter: Option<WebhookFilter>,
    /// Refuse the change when the webhook has another version by now.
    expected_version: Option<i64>,
}

/// The webhook as it is now.
#[derive(SimpleObject)]
pub(crate) struct UpdateWebhookPayload {
    /// The webhook.
    webhook: Webhook,
}

/// Which webhook to delete.
#[derive(InputObject)]
pub(crate) struct DeleteWebhookInput {
    /// Which one.
    id: WebhookId,
}

/// What was deleted.
#[derive(SimpleObject)]
pub(crate) struct DeleteWebhookPayload {
    /// The id of the deleted webhook.
    id: WebhookId,
}

/// Which webhook gets a new secret.
#[derive(InputObject)]
pub(crate) struct RotateWebhookSecretInput {
    /// Which one.
    id: WebhookId,
    /// For how many hours bodies are signed with the old secret too, 0 to 168; a day, unless the operator set another
    /// time. 0 when the old one is in the wrong hands.
    overlap_hours: Option<i32>,
}

/// A webhook with a new secret.
#[derive(SimpleObject)]
pub(crate) struct RotateWebhookSecretPayload {
    /// The webhook.
    webhook: Webhook,
    /// What its bodies are signed with from now on. It is never shown again.
    signing_secret: String,
}

/// Which webhook to pause.
#[derive(InputObject)]
pub(crate) struct PauseWebhookInput {
    /// Which one.
    id: WebhookId,
}

/// A paused webhook.
#[derive(SimpleObject)]
pub(crate) struct PauseWebhookPayload {
    /// The webhook.
    webhook: Webhook,
}

/// Which webhook to resume.
#[derive(InputObject)]
pub(crate) struct ResumeWebhookInput {
    /// Which one.
    id: WebhookId,
}

/// A webhook that is active again.
#[derive(SimpleObject)]
pub(crate) struct ResumeWebhookPayload {
    /// The webhook.
    webhook: Webhook,
}

impl WebhookFilter {
    fn into_filter(self) -> Result<EventFilter, WebhookError> {
        let Self { subjects, kinds, attributes: given } = self;
        let mut attributes = BTreeMap::new();
        for EventAttribute { name, value } in given {
            if attributes.insert(name.clone(), value).is_some() {
                return Err(WebhookError::AttributeTwice(name));
            }
        }
        Ok(EventFilter { subjects, kinds, attributes })
    }
}

/// Where events of the organization are sent to.
#[Object]
impl Webhook {
    /// Its id.
    async fn id(&self) -> WebhookId {
        self.0.id
    }

    /// Where they are sent to.
    async fn url(&self) -> &str {
        &self.0.url
    }

    /// What people say of it.
    async fn description(&self) -> &str {
        &self.0.description
    }

    /// Which events are sent.
    async fn filter(&self) -> WebhookFilter {
        let EventFilter { subjects, kinds, attributes } = self.0.filter.clone();
        let attributes = attributes.into_iter().map(|(name, value)| EventAttribute { name, value }).collect();
        WebhookFilter { subjects, kinds, attributes }
    }

    /// Whether they are sent now.
    async fn state(&self) -> WebhookState {
        self.0.state
    }

    /// Why it is paused; null when it is not.
    async fn pause_reason(&self) -> Option<PauseReason> {
        self.0.pause_reason
    }

    /// When it was paused; null when it is not.
    async fn paused_at(&self) -> Option<DateTime<Utc>> {
        self.0.paused_at
    }

    /// Since when every attempt has failed; null when the last one was good.
    async fn failing_since(&self) -> Option<DateTime<Utc>> {
        self.0.failing_since
    }

    /// How many deliveries in a row were given up, since the last good one.
    async fn failed_in_row(&self) -> i32 {
        self.0.failed_in_row
    }

    /// Until when bodies are signed with the secret before the last rotation too; null when they are not.
    async fn previous_secret_until(&self, ctx: &Context<'_>) -> Option<DateTime<Utc>> {
        let now = ctx.session().store().clock().now();
        self.0.previous_secret_until.filter(|until| *until > now)
    }

    /// Its version, from 1; how its deliveries go does not count.
    async fn version(&self) -> i64 {
        self.0.version
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it last changed.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }

    /// What was and is to be sent to it, the newest first. It is kept for 30 days, unless the operator set another time.
    async fn deliveries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most so many from the start, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Begin after this cursor.")] after: Option<String>,
        #[graphql(desc = "At most so many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "End before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only these.")] filter: Option<DeliveryFilter>,
    ) -> Result<Connection<WebhookDelivery>, Error<DeliveryError>> {
        let session = ctx.session();
        session.caller().require(&Permission::WEBHOOK_READ)?;
        let page = Page::try_new((first, after), (last, before), PageLimits::USUAL);
        let (page, filter) = (page.map_err(DeliveryError::from)?, filter.unwrap_or_default());
        let webhook = self.0.id;
        let rows = delivery::repo::page(session, webhook, &filter, &page).await?;
        let total = Total::new(move |session| {
            let filter = filter.clone();
            async move { delivery::repo::count(&session, webhook, &filter).await }
        });
        Ok(page.connection(rows, total, |row| (Cursor::new(&(row.id,)), WebhookDelivery::from(row))))
    }
}

/// Queries about webhooks.
#[derive(Default)]
pub(crate) struct WebhookQuery;

#[Object]
impl WebhookQuery {
    /// One webhook, or null when there is none that the caller may see.
    async fn webhook(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: WebhookId,
    ) -> Option<Result<Webhook, Error>> {
        webhook::get(ctx.session(), id).await.map(|row| row.map(Webhook)).transpose()
    }

    /// The organization's webhooks, in the order in which they were made.
    async fn webhooks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most so many from the start, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Begin after this cursor.")] after: Option<String>,
        #[graphql(desc = "At most so many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "End before this cursor.")] before: Option<String>,
    ) -> Result<Connection<Webhook>, Error<WebhookError>> {
        let session = ctx.session();
        session.caller().require(&Permission::WEBHOOK_READ)?;
        let page = Page::try_new((first, after), (last, before), PageLimits::USUAL);
        let page = page.map_err(WebhookError::from)?;
        let rows = webhook::repo::page(session, &page).await?;
        let total = Total::new(|session| async move { webhook::repo::count(&session).await });
        Ok(page.connection(rows, total, |row| (Cursor::new(&(row.id,)), Webhook(row))))
    }

    #[graphql(entity)]
    async fn find_webhook(
        &self,
        ctx: &Context<'_>,
        #[graphql(key)] id: WebhookId,
    ) -> Option<Result<Webhook, Error>> {
        if let Err(refusal) = ctx.session().caller().require(&Permission::WEBHOOK_READ) {
            return Some(Err(refusal.into()));
        }
        let row = ctx.part::<Loaders>().webhooks.load(id).await;
        row.map(|row| row.map(Webhook)).map_err(Error::from).transpose()
    }
}

/// Mutations of webhooks.
#[derive(Default)]
pub(crate) struct WebhookMutation;

#[Object]
impl WebhookMutation {
    /// Has events sent to an address from now on.
    async fn create_webhook(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What it is made of.")] input: CreateWebhookInput,
    ) -> Result<CreateWebhookPayload, Error<WebhookError>> {
        let CreateWebhookInput { url, description, filter, idempotency_key } = input;
        let filter = filter.map(WebhookFilter::into_filter).transpose()?.unwrap_or_default();
        let new = NewWebhook { url, description, filter };
        let parts = (&**ctx.part::<Arc<WebhookConfig>>(), ctx.part::<Sealer>());
        let (row, secret) = webhook::create(ctx.session(), parts, new, idempotency_key).await?;
        let signing_secret = secret.map(|secret| secret.expose().to_owned());
        Ok(CreateWebhookPayload { webhook: Webhook(row), signing_secret })
    }

    /// Changes a webhook. What waits to be sent goes to its new address too.
    async fn update_webhook(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one, and what changes.")] input: UpdateWebhookInput,
    ) -> Result<UpdateWebhookPayload, Error<WebhookError>> {
        let UpdateWebhookInput { id, url, description, filter, expected_version } = input;
        let filter = filter.map(WebhookFilter::into_filter).transpose()?;
        let change = WebhookChange { url, description, filter, expected_version };
        let config = ctx.part::<Arc<WebhookConfig>>();
        let row = webhook::update(ctx.session(), config, id, change).await?;
        Ok(UpdateWebhookPayload { webhook: Webhook(row) })
    }

    /// Deletes a webhook with what waits to be sent to it.
    async fn delete_webhook(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: DeleteWebhookInput,
    ) -> Result<DeleteWebhookPayload, Error<WebhookError>> {
        let id = webhook::delete(ctx.session(), input.id).await?;
        Ok(DeleteWebhookPayload { id })
    }
}

/// Mutations of how webhooks are sent to.
#[derive(Default)]
pub(crate) struct WebhookStateMutation;

#[Object]
impl WebhookStateMutation {
    /// Makes a new secret. For a while bodies are signed with both, so that the receiver can be changed meanwhile.
    async fn rotate_webhook_secret(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which webhook, and for how long the old secret is good.")]
        input: RotateWebhookSecretInput,
    ) -> Result<RotateWebhookSecretPayload, Error<WebhookError>> {
        let RotateWebhookSecretInput { id, overlap_hours } = input;
        let usual = ctx.part::<Arc<WebhookConfig>>().secret_overlap;
        let usual = TimeDelta::from_std(usual).unwrap_or(TimeDelta::MAX);
        let overlap = overlap_hours.map_or(usual, |hours| TimeDelta::hours(hours.into()));
        let (row, secret) = webhook::rotate_secret(ctx.session(), ctx.part::<Sealer>(), id, overlap).await?;
        Ok(RotateWebhookSecretPayload { webhook: Webhook(row), signing_secret: secret.expose().to_owned() })
    }

    /// Sends nothing more. What happens meanwhile and what waits to be sent is held back until it is replayed.
    async fn pause_webhook(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: PauseWebhookInput,
    ) -> Result<PauseWebhookPayload, Error<WebhookError>> {
        let row = webhook::pause(ctx.session(), input.id).await?;
        Ok(PauseWebhookPayload { webhook: Webhook(row) })
    }

    /// Sends what happens from now on. What was held back is sent by `replayDeliveries`.
    async fn resume_webhook(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: ResumeWebhookInput,
    ) -> Result<ResumeWebhookPayload, Error<WebhookError>> {
        let row = webhook::resume(ctx.session(), input.id).await?;
        Ok(ResumeWebhookPayload { webhook: Webhook(row) })
    }
}
