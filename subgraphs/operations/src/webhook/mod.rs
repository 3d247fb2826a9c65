//! Webhooks: what may be done with them.

pub(crate) mod address;
mod entity;
mod error;
mod filter;
pub(crate) mod repo;
mod resealing;
pub(crate) mod secret;

use chrono::TimeDelta;
use pulse_graphql::Error;
use pulse_sealing::Sealer;
use pulse_store::{AuditFact, Begun, Event, EventKind, IdempotencyKey, Session, StoreError, Write};
use pulse_types::{Permission, Secret, UserId, WebhookId};
use serde::Serialize;
use serde_json::json;

pub(crate) use entity::{PauseReason, WebhookRow, WebhookState};
pub(crate) use error::WebhookError;
pub(crate) use filter::EventFilter;
pub use resealing::Resealer;

use crate::config::WebhookConfig;
use crate::delivery;

pub(crate) const SUBJECT: &str = "operations.webhook";

/// The old secret is good beside the new one for a week at most.
const MAX_OVERLAP: TimeDelta = TimeDelta::days(7);

/// What a new webhook is made of.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct NewWebhook {
    pub(crate) url: String,
    pub(crate) description: String,
    pub(crate) filter: EventFilter,
}

/// One webhook.
pub(crate) async fn get(session: &Session, id: WebhookId) -> Result<Option<WebhookRow>, Error> {
    session.caller().require(&Permission::WEBHOOK_READ)?;
    Ok(repo::find(session, id).await?)
}

/// Makes a webhook; with it the secret, unless the request was repeated.
pub(crate) async fn create(
    session: &Session,
    (config, sealer): (&WebhookConfig, &Sealer),
    new: NewWebhook,
    key: Option<String>,
) -> Result<(WebhookRow, Option<Secret>), Error<WebhookError>> {
    let org = session.caller().require(&Permission::WEBHOOK_MANAGE)?;
    let url = address::parse(&new.url, config)?;
    check_description(&new.description)?;
    new.filter.check()?;
    let key = key.map(IdempotencyKey::try_new).transpose().map_err(WebhookError::from)?;
    let mut write = match session.write_once("operations.createWebhook", key.as_ref(), &new).await? {
        Begun::New(write) => write,
        Begun::Repeated(response) => {
            let id: WebhookId = serde_json::from_value(response["id"].clone()).map_err(Error::internal)?;
            return Ok((repo::find(session, id).await?.ok_or(WebhookError::NotFound(id))?, None));
        }
    };
    let (id, secret) = (WebhookId::new(write.now()), secret::generate());
    let limit = config.max_per_organization;
    let sealed_secret = secret::seal(sealer, &secret, (org, id));
    let row = repo::insert_in_tx(&mut write, (org, id), &new, &sealed_secret, limit)
        .await?
        .ok_or(WebhookError::TooMany(limit))?;
    let host = url.host_str().unwrap_or_default();
    repo::insert_dispatch_in_tx(&mut write, (org, id), host, sealer.key_id()).await?;
    write.event(event(EventKind::Created, &row, vec![]));
    write.commit_with(fact("webhook:create", &row), &json!({ "id": id })).await?;
    Ok((row, Some(secret)))
}

/// What is to change of a webhook; `None` stays.
#[derive(Debug, Clone, Default)]
pub(crate) struct WebhookChange {
    pub(crate) url: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) filter: Option<EventFilter>,
    pub(crate) expected_version: Option<i64>,
}

/// Changes a webhook. What is the same already changes nothing.
pub(crate) async fn update(
    session: &Session,
    config: &WebhookConfig,
    id: WebhookId,
    change: WebhookChange,
) -> Result<WebhookRow, Error<WebhookError>> {
    session.caller().require(&Permission::WEBHOOK_MANAGE)?;
    let WebhookChange { url, description, filter, expected_version } = change;
    let host = match &url {
        Some(url) => address::parse(url, config)?.host_str().map(str::to_owned),
        None => None,
    };
    description.as_deref().map_or(Ok(()), check_description)?;
    filter.as_ref().map_or(Ok(()), EventFilter::check)?;
    let mut write = session.write().await?;
    let old = repo::lock_in_tx(&mut write, id).await?.ok_or(WebhookError::NotFound(id))?;
    if let Some(expected) = expected_version.filter(|expected| *expected != old.version) {
        return Err(WebhookError::VersionMismatch { expected, actual: old.version }.into());
    }
    let (mut new, mut changed) = (old.clone(), vec![]);
    replace(&mut new.url, url, "url", &mut changed);
    replace(&mut new.description, description, "description", &mut changed);
    replace(&mut new.filter, filter, "filter", &mut changed);
    if changed.is_empty() {
        return Ok(old);
    }
    repo::keep_in_tx(&mut write, id, session.caller().actor()).await?;
    let row = repo::update_in_tx(&mut write, &new).await?;
    if let Some(host) = host {
        repo::move_dispatch_in_tx(&mut write, id, &host).await?;
    }
    write.event(event(EventKind::Updated, &row, changed));
    write.commit(fact("webhook:update", &row)).await?;
    Ok(row)
}

/// Deletes a webhook. Nothing more is sent; its deliveries go when their time has come.
pub(crate) async fn delete(session: &Session, id: WebhookId) -> Result<WebhookId, Error<WebhookError>> {
    session.caller().require(&Permission::WEBHOOK_MANAGE)?;
    let mut write = session.write().await?;
    let row = repo::lock_in_tx(&mut write, id).await?.ok_or(WebhookError::NotFound(id))?;
    repo::keep_in_tx(&mut write, id, session.caller().actor()).await?;
    repo::delete_in_tx(&mut write, id).await?;
    let row = WebhookRow { version: row.version + 1, ..row };
    write.event(event(EventKind::Deleted, &row, vec![]));
    write.commit(fact("webhook:delete", &row)).await?;
    Ok(id)
}

/// Signs with a new secret from now on, and with the one before as well until `overlap` is over.
pub(crate) async fn rotate_secret(
    session: &Session,
    sealer: &Sealer,
    id: WebhookId,
    overlap: TimeDelta,
) -> Result<(WebhookRow, Secret), Error<WebhookError>> {
    let org = session.caller().require(&Permission::WEBHOOK_MANAGE)?;
    if overlap < TimeDelta::zero() || overlap > MAX_OVERLAP {
        return Err(WebhookError::Overlap(MAX_OVERLAP.num_hours()).into());
    }
    let mut write = session.write().await?;
    repo::lock_in_tx(&mut write, id).await?.ok_or(WebhookError::NotFound(id))?;
    repo::keep_in_tx(&mut write, id, session.caller().actor()).await?;
    let (secret, until) = (secret::generate(), write.now() + overlap);
    let sealed_secret = secret::seal(sealer, &secret, (org, id));
    let row = repo::rotate_in_tx(&mut write, id, &sealed_secret, until).await?;
    write.event(event(EventKind::Updated, &row, vec!["previousSecretUntil"]));
    write.commit(fact("webhook:rotate_secret", &row)).await?;
    Ok((row, secret))
}

/// Holds back what is to be sent. What is paused already stays as it is.
pub(crate) async fn pause(session: &Session, id: WebhookId) -> Result<WebhookRow, Error<WebhookError>> {
    session.caller().require(&Permission::WEBHOOK_MANAGE)?;
    let mut write = session.write().await?;
    let old = repo::lock_in_tx(&mut write, id).await?.ok_or(WebhookError::NotFound(id))?;
    match old.state {
        WebhookState::Paused => Ok(old),
        WebhookState::Active => {
            Ok(pause_in_tx(write, id, (PauseReason::Requested, session.caller().actor())).await?)
        }
    }
}

/// The same by Pulse itself, unless somebody was there first.
pub(crate) async fn pause_for(
    session: &Session,
    id: WebhookId,
    reason: PauseReason,
) -> Result<(), StoreError> {
    let mut write = session.write().await?;
    match repo::lock_in_tx(&mut write, id).await? {
        Some(row) if row.state == WebhookState::Active => {
            tracing::info!(webhook = %id, reason = reason.as_str(), "a webhook is paused");
            pause_in_tx(write, id, (reason, None)).await.map(drop)
        }
        _ => Ok(()),
    }
}

async fn pause_in_tx(
    mut write: Write,
    id: WebhookId,
    (reason, actor): (PauseReason, Option<UserId>),
) -> Result<WebhookRow, StoreError> {
    repo::keep_in_tx(&mut write, id, actor).await?;
    let row = repo::pause_in_tx(&mut write, id, reason).await?;
    delivery::repo::hold_in_tx(&mut write, id).await?;
    write.event(event(EventKind::Updated, &row, vec!["state", "pauseReason", "pausedAt"]));
    write.commit(fact("webhook:pause", &row)).await?;
    Ok(row)
}

/// Sends what happens from now on. What was held back is sent when somebody has it replayed.
pub(crate) async fn resume(session: &Session, id: WebhookId) -> Result<WebhookRow, Error<WebhookError>> {
    session.caller().require(&Permission::WEBHOOK_MANAGE)?;
    let mut write = session.write().await?;
    let old = repo::lock_in_tx(&mut write, id).await?.ok_or(WebhookError::NotFound(id))?;
    if old.state == WebhookState::Active {
        return Ok(old);
    }
    repo::keep_in_tx(&mut write, id, session.caller().actor()).await?;
    let row = repo::resume_in_tx(&mut write, id).await?;
    let changed = vec!["state", "pauseReason", "pausedAt", "failingSince", "failedInRow"];
    write.event(event(EventKind::Updated, &row, changed));
    write.commit(fact("webhook:resume", &row)).await?;
    Ok(row)
}

fn replace<T: PartialEq>(old: &mut T, new: Option<T>, field: &'static str, changed: &mut Vec<&'static str>) {
    if let Some(new) = new.filter(|new| new != old) {
        *old = new;
        changed.push(field);
    }
}

fn check_description(description: &str) -> Result<(), WebhookError> {
    match description.chars().count() {
        0..=1000 => Ok(()),
        length => Err(WebhookError::DescriptionLength(length)),
    }
}

pub(crate) fn event(kind: EventKind, row: &WebhookRow, changed: Vec<&'static str>) -> Event {
    let state = match row.state {
        WebhookState::Active => "ACTIVE",
        WebhookState::Paused => "PAUSED",
    };
    Event {
        kind,
        subject: SUBJECT,
        key: row.id.uuid(),
        version: row.version,
        changed,
        attributes: json!({ "state": state, "pauseReason": row.pause_reason.map(PauseReason::as_str) }),
        before: json!(null),
    }
}

pub(crate) fn fact(action: &'static str, row: &WebhookRow) -> AuditFact {
    AuditFact { action, subject: SUBJECT, key: Some(row.id.uuid()), version: Some(row.version), items: 1 }
}
