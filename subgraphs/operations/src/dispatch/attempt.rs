//! One attempt, and what follows from how it went.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use pulse_sealing::OpenError;
use pulse_store::StoreError;
use pulse_types::{Caller, RequestId, Secret};
use rand::Rng;

use super::Dispatcher;
use super::repo::{self, Attempted, Due, Health, Target, Turn};
use crate::delivery::DeliveryStatus;
use crate::sending::{Message, SendError};
use crate::webhook::{self, PauseReason, secret};

/// The receiver wants nothing more.
const GONE: u16 = 410;

impl Dispatcher {
    /// Sends a delivery and writes down how that went. A process that dies in between sends it again, under the same id.
    pub(super) async fn attempt(&self, turn: &Turn, target: &Target, due: Due) -> Result<(), StoreError> {
        let began = self.store.clock().now();
        let Due { id, body, attempts } = due;
        let outcome = match self.secrets(turn, target, began) {
            Ok(secrets) => {
                let (url, id) = (target.url.clone(), format!("msg_{id}"));
                self.sender.send(Message { url, id, timestamp: began.timestamp(), body, secrets }).await
            }
            Err(error) => {
                tracing::error!(webhook = %turn.webhook, %error, "a signing secret cannot be read");
                Err(SendError::Sealed)
            }
        };
        let now = self.store.clock().now();
        metrics::counter!("pulse_webhook_attempts_total", "ok" => outcome.is_ok().to_string()).increment(1);
        let (status, next_attempt_at) = match &outcome {
            Ok(_) => (DeliveryStatus::Delivered, None),
            Err(error) => self.after_failure(error, attempts, now),
        };
        let attempted = Attempted {
            delivery: id,
            status,
            next_attempt_at,
            code: outcome.as_ref().map_or_else(SendError::status, |code| Some(*code)),
            took: now - began,
            error: outcome.as_ref().err().map(ToString::to_string),
        };
        let mut connection = repo::inside(&self.store, turn.tenant).await?;
        if outcome.is_ok() {
            repo::delivered(&mut connection, turn, &attempted, now).await?;
            return connection.commit().await;
        }
        let health = repo::failed(&mut connection, turn, &attempted, now).await?;
        connection.commit().await?;
        match health.and_then(|health| self.reason_to_pause(&attempted, &health, now)) {
            Some(reason) => self.pause_webhook(turn, reason).await,
            None => Ok(()),
        }
    }

    /// What a message is signed with at `now`.
    fn secrets(&self, turn: &Turn, target: &Target, now: DateTime<Utc>) -> Result<Vec<Secret>, OpenError> {
        let is_good = target.previous_secret_until.is_some_and(|until| until > now);
        let previous = target.previous_secret.as_ref().filter(|_| is_good);
        let stored = [Some(&target.secret), previous].into_iter().flatten();
        stored.map(|text| secret::open(&self.sealer, text, (turn.tenant, turn.webhook))).collect()
    }

    /// Another attempt later, or none.
    fn after_failure(
        &self,
        error: &SendError,
        attempts: i32,
        now: DateTime<Utc>,
    ) -> (DeliveryStatus, Option<DateTime<Utc>>) {
        let retry_after = &self.config.retry_after;
        let pause = usize::try_from(attempts).ok().and_then(|attempts| retry_after.get(attempts));
        match pause {
            Some(pause) if error.status() != Some(GONE) => {
                // So that those that failed together do not come back together.
                let pause = pause.0.mul_f64(rand::rng().random_range(1.0..=1.2));
                let next = TimeDelta::from_std(pause).ok().and_then(|pause| now.checked_add_signed(pause));
                (DeliveryStatus::Pending, Some(next.unwrap_or(DateTime::<Utc>::MAX_UTC)))
            }
            _ => (DeliveryStatus::Failed, None),
        }
    }

    fn reason_to_pause(
        &self,
        attempted: &Attempted,
        health: &Health,
        now: DateTime<Utc>,
    ) -> Option<PauseReason> {
        if attempted.code == Some(GONE) {
            return Some(PauseReason::Gone);
        }
        let longest = TimeDelta::from_std(self.config.pause_after).unwrap_or(TimeDelta::MAX);
        let limit = i32::try_from(self.config.pause_after_failures).unwrap_or(i32::MAX);
        let is_too_long = now - health.failing_since >= longest;
        (is_too_long || health.failed_in_row >= limit).then_some(PauseReason::Failing)
    }

    /// Pauses it as Pulse itself, which others are told of.
    async fn pause_webhook(&self, turn: &Turn, reason: PauseReason) -> Result<(), StoreError> {
        let caller = Caller::system(turn.tenant, RequestId::new(self.store.clock().now()));
        let session = self.store.session(Arc::new(caller));
        webhook::pause_for(&session, turn.webhook, reason).await
    }
}
