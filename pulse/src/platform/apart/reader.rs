//! Listens to one subgraph's process after the other, and goes on where the one before ended.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use pulse_events::LogCursor;
use pulse_gateway::ports::{Heard, SubgraphFault};
use pulse_gateway::remote::SubgraphProcess;
use pulse_graphql::{CHANGES_PATH, FeedLine};
use pulse_operations::STREAMS_ENDED;
use pulse_types::Change;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::lines::{LineError, Lines};
use super::{Places, SILENCE, Shared};
use crate::platform::revoked;

/// The pause after every process was tried in vain; it doubles up to the longest.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How long a process may take to begin; it may have to wait for its own log.
const BEGINNING: Duration = Duration::from_secs(10);

/// A process that ends sooner than this was tried in vain.
const SOON: Duration = Duration::from_secs(1);

/// Why nothing more is heard of a process.
#[derive(Debug, thiserror::Error)]
enum FeedError {
    #[error(transparent)]
    Fault(#[from] SubgraphFault),
    #[error("it did not answer within {} s", .0.as_secs())]
    Silent(Duration),
    #[error("it answered {0}")]
    Refused(http::StatusCode),
    #[error(transparent)]
    Line(#[from] LineError),
}

/// What was heard so far.
struct Reader {
    shared: Arc<Shared>,
    /// Of the last change that was told of.
    cursor: Option<LogCursor>,
    /// What happened lately, until it is known in which log.
    lately: Vec<Change>,
}

/// Listens for ever.
pub(super) async fn run(shared: Arc<Shared>, mut places: watch::Receiver<Places>) {
    let mut reader = Reader { shared, cursor: None, lately: Vec::new() };
    let (mut turn, mut in_vain, mut pause) = (0, 0, PAUSE);
    loop {
        let now = Arc::clone(&places.borrow_and_update());
        let place = &now[turn % now.len()];
        let began = Instant::now();
        let error = tokio::select! {
            Err(error) = reader.follow(place) => error,
            moved = places.changed() => if moved.is_ok() { continue } else { return },
        };
        if began.elapsed() > SOON {
            (in_vain, pause) = (0, PAUSE);
            tracing::info!(subgraph = place.name(), %error, "the feed of changes goes on with another process");
        } else {
            tracing::debug!(subgraph = place.name(), %error, "no feed of changes here");
        }
        metrics::counter!("pulse_gateway_feed_ends_total").increment(1);
        turn += 1;
        in_vain += 1;
        if in_vain >= now.len() {
            in_vain = 0;
            sleep(pause).await;
            pause = LONGEST_PAUSE.min(2 * pause);
        }
    }
}

impl Reader {
    /// Takes in what a process tells, until it does no more.
    async fn follow(&mut self, place: &SubgraphProcess) -> Result<Infallible, FeedError> {
        self.lately.clear();
        let response = timeout(BEGINNING, place.get(&self.question())).await;
        let response = response.map_err(|_| FeedError::Silent(BEGINNING))??;
        if !response.status().is_success() {
            return Err(FeedError::Refused(response.status()));
        }
        let mut lines = Lines::of(response.into_body());
        loop {
            let line = lines.next(SILENCE).await?;
            self.take(line);
        }
    }

    /// The cursor and the subjects are of letters that an address has unquoted.
    fn question(&self) -> String {
        let subjects = [&revoked::subjects()[..], &[STREAMS_ENDED]].concat().join(",");
        let lately = revoked::KEPT.as_secs();
        let after = self.cursor.as_ref().map(|cursor| format!("&after={cursor}")).unwrap_or_default();
        format!("{CHANGES_PATH}?subjects={subjects}&lately={lately}{after}")
    }

    fn take(&mut self, line: FeedLine) {
        match line {
            FeedLine::Lately(change) => self.lately.push(change),
            FeedLine::Gap(cursor) => self.begin(cursor.parse().ok()),
            FeedLine::Change(change) => {
                if let Some(cursor) = &mut self.cursor {
                    cursor.position = change.position;
                }
                self.shared.revoke(&change);
                self.shared.tell(Heard::Change(Arc::new(change)));
            }
            FeedLine::Resumed(_) | FeedLine::Alive => {}
        }
        // Of what it told first it is known only now that it was all.
        if self.lately.is_empty() {
            self.shared.heard();
        }
    }

    /// Begins at a cursor, with what happened lately. What was heard before is not said again: whoever got a new token since
    /// would lose their streams to it.
    fn begin(&mut self, cursor: Option<LogCursor>) {
        let log = |cursor: &Option<LogCursor>| cursor.as_ref().map(|cursor| cursor.log.clone());
        let heard = self.cursor.as_ref().filter(|_| log(&self.cursor) == log(&cursor));
        let heard = heard.map_or(-1, |heard| heard.position);
        for change in std::mem::take(&mut self.lately) {
            if change.position > heard {
                self.shared.revoke(&change);
                if *change.subject == *STREAMS_ENDED {
                    self.shared.tell(Heard::Change(Arc::new(change)));
                }
            }
        }
        self.cursor = cursor;
        self.shared.tell(Heard::Gap);
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use pulse_gateway::ports::Revocation;
    use pulse_types::{ChangeKind, SessionId};
    use tokio::sync::{broadcast, mpsc};
    use uuid::Uuid;

    use super::*;

    /// The end of a session that is named like its place in the log.
    fn ended(position: i64) -> Change {
        Change {
            position,
            tenant: None,
            kind: ChangeKind::Deleted,
            subject: "accounts.session".into(),
            key: Uuid::from_u128(u128::try_from(position).unwrap_or_default()),
            version: 1,
            changed: Vec::new(),
            attributes: serde_json::Map::new(),
            before: serde_json::Map::new(),
            actor: None,
            request: None,
            at: DateTime::UNIX_EPOCH,
            facts: Vec::new(),
        }
    }

    /// What is told of the sessions that end by these lines.
    fn told(
        reader: &mut Reader,
        receiver: &mut mpsc::UnboundedReceiver<Revocation>,
        lines: Vec<FeedLine>,
    ) -> Vec<u128> {
        for line in lines {
            reader.take(line);
        }
        let mut told = Vec::new();
        while let Ok(Revocation::Session(session)) = receiver.try_recv() {
            told.push(SessionId::uuid(session).as_u128());
        }
        told
    }

    #[test]
    fn what_was_heard_before_a_gap_is_not_said_again() {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            revoked: Arc::default(),
            concerned: mpsc::unbounded_channel().0,
            changes: broadcast::Sender::new(8),
            told: vec![sender].into(),
            heard_at: watch::Sender::new(None),
        });
        let mut reader = Reader { shared: Arc::clone(&shared), cursor: None, lately: Vec::new() };
        let lately = |position| FeedLine::Lately(ended(position));
        // Half of what happened lately is no news.
        assert_eq!(told(&mut reader, &mut receiver, vec![lately(1)]), []);
        assert_eq!(shared.silent_for(), None);
        assert_eq!(told(&mut reader, &mut receiver, vec![FeedLine::Gap("log.1".to_owned())]), [1]);
        assert!(shared.silent_for().is_some());
        assert_eq!(told(&mut reader, &mut receiver, vec![FeedLine::Change(ended(2))]), [2]);
        assert!(reader.question().ends_with("&after=log.2"), "{}", reader.question());
        let gap = FeedLine::Gap("log.3".to_owned());
        assert_eq!(told(&mut reader, &mut receiver, vec![lately(1), lately(2), lately(3), gap]), [3]);
        // Another log has places of its own.
        let other = FeedLine::Gap("other.1".to_owned());
        assert_eq!(told(&mut reader, &mut receiver, vec![lately(1), other]), [1]);
    }
}
