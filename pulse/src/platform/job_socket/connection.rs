//! One socket.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use pulse_gateway::SubscriptionsConfig;
use pulse_types::JobId;
use serde::Deserialize;
use serde_json::json;
use tokio::time::{Instant, sleep_until, timeout};

use super::api::{Api, Job};
use super::close::Close;
use super::place::Place;

/// After how many times of keeping alive a client that answers nothing is taken for gone.
const SILENCES: u32 = 3;

/// One client and its job.
pub(super) struct Connection {
    socket: WebSocket,
    api: Api,
    config: SubscriptionsConfig,
    /// When something was heard of the client, and when it was last asked for a sign of life.
    heard: Instant,
    asked: Instant,
}

/// How a connection ends: with a reason for the client, or without anybody left to hear it.
type End = Option<Close>;

/// The first message of a client that cannot send headers, as browsers cannot.
#[derive(Deserialize)]
struct Credential {
    token: String,
}

impl Connection {
    pub(super) fn new(socket: WebSocket, api: Api, config: SubscriptionsConfig) -> Self {
        let now = Instant::now();
        Self { socket, api, config, heard: now, asked: now }
    }

    /// Tells how the job goes until it has ended.
    pub(super) async fn serve(mut self, id: &str, after: Option<&str>) {
        let Err(Some(Close { code, reason })) = self.converse(id, after).await else { return };
        tracing::debug!(code, %reason, "closing the WebSocket of a job");
        let frame = CloseFrame { code, reason: reason.as_ref().into() };
        let farewell = async {
            self.socket.send(Message::Close(Some(frame))).await?;
            // The client answers with a close of its own.
            while self.socket.recv().await.is_some_and(|message| message.is_ok()) {}
            Ok::<_, axum::Error>(())
        };
        // Nobody is left to be told when this fails.
        drop(timeout(self.config.slow_client_timeout, farewell).await);
    }

    async fn converse(&mut self, id: &str, after: Option<&str>) -> Result<(), End> {
        if !self.api.has_credential() {
            self.authenticate().await?;
        }
        let after: Option<Place> = after
            .map(str::parse)
            .transpose()
            .map_err(|_| Close::bad_request("`after` is no cursor of this socket: connect without it"))?;
        // Nobody has a job whose id is none.
        let id: JobId = id.parse().map_err(|_| Close::not_found())?;
        let state = self.api.job(id).await?;
        let seen = match after {
            Some(after) if !state.has_ended() || after.version.is_some_and(|seen| seen < state.version) => {
                after
            }
            _ => {
                let place = Place { cursor: state.cursor.clone(), version: Some(state.version) };
                self.tell(id, &state, &place).await?;
                if state.has_ended() {
                    return Err(Some(Close::ended(&state.status.to_lowercase())));
                }
                place
            }
        };
        self.follow(id, &seen, state.version).await
    }

    /// Tells of each change behind `seen`, until the one by which the job ends. It ended with `known` at the earliest: what
    /// it had before was retried.
    async fn follow(&mut self, id: JobId, seen: &Place, known: i64) -> Result<(), End> {
        let mut changes = self.api.follow(id, &seen.cursor).await?;
        let mut version = seen.version.unwrap_or_default();
        loop {
            let change = tokio::select! {
                change = changes.next() => change?,
                message = self.socket.recv() => {
                    self.receive(message.as_ref())?;
                    continue;
                }
                () = sleep_until(self.asked + self.config.keep_alive) => {
                    self.keep_alive().await?;
                    continue;
                }
            };
            if change.version <= version {
                continue;
            }
            version = change.version;
            let place = Place { cursor: change.cursor.clone(), version: Some(version) };
            if !change.has_ended() || version < known {
                self.tell(id, &change, &place).await?;
                continue;
            }
            // Only what is stored says why it failed; unless it goes on already, because somebody was quick.
            let state = self.api.job(id).await?;
            let is_last = state.version == version;
            self.tell(id, if is_last { &state } else { &change }, &place).await?;
            if is_last {
                return Err(Some(Close::ended(&state.status.to_lowercase())));
            }
        }
    }

    /// Waits for the first message, which has an access token.
    async fn authenticate(&mut self) -> Result<(), End> {
        let first = async {
            loop {
                match self.socket.recv().await {
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    message => return message,
                }
            }
        };
        match timeout(self.config.connection_init_timeout, first).await {
            Ok(Some(Ok(Message::Text(text)))) => match serde_json::from_str(&text) {
                Ok(Credential { token }) => Ok(self.api.use_token(&token)?),
                Err(_) => Err(Some(Close::unauthenticated())),
            },
            Ok(Some(Ok(Message::Close(_)) | Err(_)) | None) => Err(None),
            Ok(Some(Ok(_))) | Err(_) => Err(Some(Close::unauthenticated())),
        }
    }

    /// Nothing but signs of life is expected of a client.
    fn receive(&mut self, message: Option<&Result<Message, axum::Error>>) -> Result<(), End> {
        self.heard = Instant::now();
        self.asked = self.heard;
        match message {
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
            Some(Ok(Message::Text(_) | Message::Binary(_))) => {
                Err(Some(Close::bad_request("nothing more is to be said: this socket tells how a job goes")))
            }
            Some(Ok(Message::Close(_)) | Err(_)) | None => Err(None),
        }
    }

    async fn keep_alive(&mut self) -> Result<(), End> {
        self.asked = Instant::now();
        let silence: Duration = self.asked - self.heard;
        if silence >= self.config.keep_alive * SILENCES {
            return Err(Some(Close::silent(silence)));
        }
        self.send(Message::Ping(Bytes::new())).await
    }

    async fn tell(&mut self, id: JobId, job: &Job, place: &Place) -> Result<(), End> {
        let Job { kind, status, progress, version, error, cursor: _ } = job;
        let message = json!({
            "id": id.to_string(),
            "kind": kind,
            "status": status.to_lowercase(),
            "progress": progress,
            "version": version,
            "error": error,
            "cursor": place.to_string(),
        });
        self.send(Message::text(message.to_string())).await
    }

    async fn send(&mut self, message: Message) -> Result<(), End> {
        match timeout(self.config.slow_client_timeout, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(None),
            Err(_) => Err(Some(Close::slow())),
        }
    }
}
