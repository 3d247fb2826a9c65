//! A source of supergraphs that a test replaces.

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use pulse_gateway::ports::{SourceError, SupergraphSdl, SupergraphSource};
use tokio::sync::watch;

use super::{SUPERGRAPH, soon};
use crate::support::gateway::TestGateway;

/// Where the supergraph of a test comes from.
#[derive(Clone)]
pub(crate) struct Swaps(watch::Sender<(u32, String)>);

impl Swaps {
    pub(crate) fn new() -> Self {
        Self::of(SUPERGRAPH)
    }

    /// Begins with this supergraph.
    pub(crate) fn of(sdl: &str) -> Self {
        Self(watch::Sender::new((0, sdl.to_owned())))
    }

    /// Offers another supergraph.
    pub(crate) fn offer(&self, sdl: &str) {
        self.0.send_modify(|(version, current)| {
            *version += 1;
            sdl.clone_into(current);
        });
    }

    /// Waits until the one that was offered last is served.
    pub(crate) async fn served(&self, gateway: &TestGateway) {
        let version = self.0.borrow().0.to_string();
        soon(async {
            while gateway.gateway.supergraph_version() != version {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

fn sdl((version, sdl): &(u32, String)) -> SupergraphSdl {
    SupergraphSdl { sdl: sdl.clone(), version: version.to_string() }
}

#[async_trait]
impl SupergraphSource for Swaps {
    async fn current(&self) -> Result<SupergraphSdl, SourceError> {
        Ok(sdl(&self.0.borrow()))
    }

    fn changes(&self) -> BoxStream<'static, SupergraphSdl> {
        stream::unfold(self.0.subscribe(), async |mut versions| {
            versions.changed().await.ok()?;
            let next = sdl(&versions.borrow_and_update());
            Some((next, versions))
        })
        .boxed()
    }
}

/// The same supergraph with the field `room` at another subgraph, which changes the documents that ask for it.
pub(crate) fn room_elsewhere() -> String {
    let moved = SUPERGRAPH
        .replace("room: String @join__field(graph: FEED)", "room: String @join__field(graph: NAMES)");
    assert_ne!(moved, SUPERGRAPH);
    moved
}
