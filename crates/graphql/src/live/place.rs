//! What a stream's field and whoever makes the stream's responses say to each other, past the resolvers in between.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::{Follower, Told};

/// One execution of a stream's operation: the one that begins it, or one that answers what has happened. Its events are
/// answered one after the other.
#[derive(Clone, Default)]
pub(crate) struct Place(Arc<At>);

#[derive(Default)]
struct At {
    begun: Notify,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    /// Of the event that is answered now.
    cursor: Option<String>,
    /// Follows the log for the field between one execution and the next.
    follower: Option<Box<Follower>>,
    /// What has happened and is to be answered first.
    first: Option<Told>,
}

/// What happens while an execution answers: what it is made for, and all that waits behind it.
pub(super) struct Turn {
    place: Place,
    first: Option<Told>,
    follower: Option<Box<Follower>>,
}

impl Place {
    /// An execution that answers what has happened.
    pub(crate) fn answering(first: Told, follower: Box<Follower>) -> Self {
        let held = Held { cursor: None, follower: Some(follower), first: Some(first) };
        Self(Arc::new(At { begun: Notify::new(), held: Mutex::new(held) }))
    }

    /// Whether this is the execution that begins the stream.
    pub(super) fn is_beginning(&self) -> bool {
        self.lock().first.is_none()
    }

    /// The field follows the log: it will tell of all that is committed after this. With `follower`, it needs not be kept
    /// itself until something happens.
    pub(super) fn begin(&self, follower: Option<Box<Follower>>) {
        self.lock().follower = follower;
        self.0.begun.notify_one();
    }

    /// Returns once the field follows the log.
    pub(crate) async fn begun(&self) {
        self.0.begun.notified().await;
    }

    /// What is to be answered; `None` in the execution that begins the stream.
    pub(super) fn turn(&self) -> Option<Turn> {
        let mut held = self.lock();
        let first = held.first.take()?;
        Some(Turn { place: self.clone(), first: Some(first), follower: held.follower.take() })
    }

    /// Who follows the log for the field; `None` where it does so itself, or has come to its end.
    pub(crate) fn take_follower(&self) -> Option<Box<Follower>> {
        let mut held = self.lock();
        // What nobody has taken up was refused.
        held.follower.take().filter(|_| held.first.is_none())
    }

    pub(super) fn set_cursor(&self, cursor: &str) {
        self.lock().cursor = Some(cursor.to_owned());
    }

    pub(crate) fn take_cursor(&self) -> Option<String> {
        self.lock().cursor.take()
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Iterator for Turn {
    type Item = Told;

    fn next(&mut self) -> Option<Told> {
        let told = self.first.take().or_else(|| self.follower.as_mut()?.ready())?;
        match &told {
            Ok(happened) => self.place.set_cursor(&happened.cursor),
            // Behind an error there is nothing more.
            Err(_) => self.follower = None,
        }
        Some(told)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.place.lock().follower = self.follower.take();
    }
}
