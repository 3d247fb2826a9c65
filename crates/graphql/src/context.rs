//! What a resolver takes from its request.

use async_graphql::Context;
use pulse_events::Tail;
use pulse_store::Session;

/// Access to what [`crate::Subgraph`] puts into each request.
pub trait ContextExt {
    /// The request's session; it knows the caller.
    fn session(&self) -> &Session;

    /// The end of the event log, to follow it.
    fn tail(&self) -> &Tail;

    /// A value that the subgraph's `prepare` put into the request, such as its loaders.
    fn part<T: Send + Sync + 'static>(&self) -> &T;
}

impl ContextExt for Context<'_> {
    fn session(&self) -> &Session {
        self.data_unchecked::<Session>()
    }

    fn tail(&self) -> &Tail {
        self.data_unchecked::<Tail>()
    }

    fn part<T: Send + Sync + 'static>(&self) -> &T {
        self.data_unchecked::<T>()
    }
}
